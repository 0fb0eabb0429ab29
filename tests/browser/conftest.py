"""A real dashboard server with users of its own, and what a visitor does in it."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pydantic import SecretStr

from lib.hub import Hub, prepare_hub
from lib.people.users import add_user
from lib.settings import Settings
from tests.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
USERS = (("ada", "member"), ("bea", "member"), ("sam", "staff"), ("ann", "analyst"))
THEMES = ("light", "dark")
_PATIENCE = 30_000
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


@dataclass(frozen=True)
class Dashboard:
    """A running `streamlit run app.py` and the hub it serves."""

    url: str
    hub: Hub


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """One server a module, with ada and bea (members), sam (staff) and ann (analyst)."""
    folder = tmp_path_factory.mktemp("dashboard")
    with run_dashboard(folder, HUB_ALLOWED_PRIVATE_NETWORKS="127.0.0.0/8") as running:
        for name, role in USERS:
            add_user(
                running.hub,
                email=f"{name}@example.com",
                name=name.title(),
                role=role,
                password=PASSWORD,
            )
        yield running


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser of its own for the test: no cookies of others."""
    yield from open_context(chromium, "light")


@pytest.fixture(params=THEMES)
def themed(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[BrowserContext]:
    """A browser of its own for the test, once in each theme."""
    yield from open_context(chromium, request.param)


def open_context(chromium: Browser, theme: Literal["light", "dark"]) -> Iterator[BrowserContext]:
    """Yield a browser without cookies in this theme; a fixture's part."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme=theme)
    context.set_default_timeout(_PATIENCE)
    # A busy machine draws slowly; a journey waits for the thing itself, however long it takes.
    expect.set_options(timeout=_PATIENCE)
    yield context
    context.close()


@contextmanager
def run_dashboard(folder: Path, **more: str) -> Iterator[Dashboard]:
    """Start the dashboard as an operator does, on a fresh hub in `folder`; stop it at the end.

    `more` are settings of the hub, such as HUB_ALLOWED_PRIVATE_NETWORKS.
    """
    environment = {
        "HUB_DATABASE_URL": f"sqlite:///{folder / 'hub.db'}",
        "HUB_KEY_FILE": str(folder / "master.keys"),
        "HUB_PUBLIC_URL": "http://localhost:8000",
        **more,
    }
    hub = prepare_hub(
        Settings(
            database_url=SecretStr(environment["HUB_DATABASE_URL"]),
            key_file=folder / "master.keys",
        )
    )
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--server.address=127.0.0.1"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
    try:
        url = f"http://localhost:{port}"
        _wait_until_healthy(url, process)
        yield Dashboard(url, hub)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        hub.close()


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill the form that the page shows and send it."""
    page.get_by_role("textbox", name="E-mail").fill(email)
    page.get_by_role("textbox", name="Password").fill(password)
    page.get_by_test_id("stBaseButton-secondaryFormSubmit").click()


def expect_heading(page: Page, name: str) -> None:
    """Wait for the page's heading."""
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=15_000)


def expect_login(page: Page) -> None:
    """Wait for the sign-in form."""
    expect(page.get_by_role("textbox", name="E-mail")).to_be_visible(timeout=15_000)


def wait_for_cookie(context: BrowserContext) -> dict[str, object]:
    """Return the session cookie, which comes a moment after the page."""
    deadline = time.monotonic() + _PATIENCE / 1000
    while time.monotonic() < deadline:
        for cookie in context.cookies():
            if cookie["name"] == "hub_session":
                return dict(cookie)
        context.pages[0].wait_for_timeout(50)
    raise AssertionError("no session cookie came")


def path_of(page: Page) -> str:
    """Return the address behind the host."""
    return re.sub(r"^https?://[^/]+", "", page.url)


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, "the dashboard ended while starting"
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the dashboard did not start within 30 seconds")
