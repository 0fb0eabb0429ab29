# Two commands: `make run` starts the hub, `make test` proves it. See README.md.
.DELETE_ON_ERROR:
.PHONY: run test prove lint format install lock screenshots bench clean system python

PYTHON ?= python3
BIN := .venv/bin
HUB_DASHBOARD_PORT ?= 8501
HUB_RECEIVER_PORT ?= 8000
export HUB_DASHBOARD_PORT HUB_RECEIVER_PORT

run: .venv/runtime.stamp
	$(BIN)/python -m lib.cli init
	@echo "Starting dashboard, receiver and worker; Ctrl-C stops all three."
	@$(BIN)/honcho -f deploy/Procfile start || test $$? = 130

# The types are checked while the tests run.
test: .venv/dev.stamp system
	@$(MAKE) --no-print-directory --jobs lint prove

prove: .venv/dev.stamp
	$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadgroup

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: .venv/runtime.stamp .venv/dev.stamp

# The stamps make a second run install nothing.
.venv/runtime.stamp: requirements.txt
	@PYTHON=$(PYTHON) deploy/make_venv.sh
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev.stamp: .venv/runtime.stamp requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

system:
	@deploy/install_test_packages.sh

lock: .venv/dev.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --python-version 3.11 --universal requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --python-version 3.11 --universal requirements-dev.in -o requirements-dev.txt

screenshots: .venv/dev.stamp
	$(BIN)/python -m tests.browser.take_screenshots

bench: .venv/dev.stamp
	$(BIN)/python -m bench.ingest
	$(BIN)/python -m bench.delivery

# The database and the keys in data/ stay.
clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
