"""What the Makefile and its scripts promise to a fresh machine."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from lib.settings import Settings

ROOT = Path(__file__).parent.parent


def _run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_missing_python_is_named(tmp_path: Path) -> None:
    done = _run("sh", "deploy/make_venv.sh", PYTHON="python9.9")
    assert done.returncode == 1
    assert "apt-get install python3" in done.stderr


def test_an_old_python_is_named(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    old.chmod(0o755)
    done = _run("sh", "deploy/make_venv.sh", PYTHON=str(old))
    assert done.returncode == 1
    assert "Python 3.9.2, and 3.11 or newer is needed" in done.stderr


def test_procfile_starts_the_three_processes() -> None:
    lines = (ROOT / "deploy/Procfile").read_text().splitlines()
    assert [line.partition(":")[0] for line in lines] == ["dashboard", "receiver", "worker"]


def test_ci_runs_the_tests_and_reports_honestly() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    text = script.read_text()
    assert "set -eu" in text
    assert "make test" in text
    assert "|| true" not in text


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    assert f"`HUB_{name.upper()}`" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_every_requirement_is_pinned(name: str) -> None:
    wanted = (ROOT / f"{name}.in").read_text().splitlines()
    pinned = (ROOT / f"{name}.txt").read_text()
    for line in wanted:
        if line and not line.startswith("-"):
            package = re.split(r"[\[<>=]", line)[0]
            assert re.search(rf"^{re.escape(package)}==", pinned, re.MULTILINE), package
