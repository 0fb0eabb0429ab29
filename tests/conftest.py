"""Fixtures that every test may use: both databases, an open hub, a browser."""

import base64
import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, sync_playwright
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from lib.database import Database
from lib.hub import Hub, open_hub
from lib.migrate import migrate
from lib.settings import Settings
from tests.postgres import PostgresServer, ServerMissing, run_postgres
from tests.scratch import use_scratch_folder
from tests.statements import share_statements

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ENGINES = ("sqlite", "postgresql")


def pytest_configure() -> None:
    """Say where temporary files go before the first is made."""
    use_scratch_folder()


# Before xdist, which reads the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run browser tests last: Playwright keeps an event loop running in the main thread.

    A test that calls asyncio.run() after it would fail.
    """
    items.sort(key=lambda item: "browser" in item.path.parts)
    for item in items:
        if "browser" in item.path.parts:
            # The tests of a module share a dashboard, so one process runs them all.
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what stays to the end.

    Loaded modules and collected tests are half a million objects, and looking through them
    again and again is a sixth of the work.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's settings out of the tests."""
    for name in list(os.environ):
        if name.startswith(("HUB_", "TWILIO_")) and not name.startswith("HUB_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server; under CI a missing one is a failure."""
    try:
        with run_postgres() as server:
            yield server
    except ServerMissing as error:
        fail_or_skip(str(error))


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> Iterator[str]:
    """The name of a migrated database, so that a test's own costs one file copy."""
    name = postgres_server.make_database()
    _migrate(postgres_server.url_of(name))
    yield name
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "hub.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database of the test's own, once per engine."""
    with copied(template_url(request.param, request), tmp_path, request) as url:
        yield url


@pytest.fixture(params=ENGINES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables, once per engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'hub.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.make_database()
    yield server.url_of(name)
    server.drop_database(name)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a migrated SQLite file of the test's own."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'hub.db')}"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings for `database_url` with a master key of their own."""
    return make_settings(database_url, tmp_path)


@pytest.fixture
def hub(settings: Settings) -> Iterator[Hub]:
    """An open hub, once per engine."""
    yield from _open(settings)


@pytest.fixture
def sqlite_hub(sqlite_url: str, tmp_path: Path) -> Iterator[Hub]:
    """An open hub on SQLite alone, for what no database can change."""
    yield from _open(make_settings(sqlite_url, tmp_path))


@pytest.fixture
def postgresql_hub(
    postgres_server: PostgresServer, postgres_template: str, tmp_path: Path
) -> Iterator[Hub]:
    """An open hub on PostgreSQL alone, where two may write at once."""
    name = postgres_server.make_database(postgres_template)
    yield from _open(make_settings(postgres_server.url_of(name), tmp_path))
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; under CI a missing one is a failure."""
    if not CHROMIUM.exists():
        fail_or_skip(f"There is no {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_ARGUMENTS)
        )
        yield browser
        browser.close()


def template_url(engine: str, request: pytest.FixtureRequest) -> str:
    """Return the URL of the engine's migrated database, which is there to be copied."""
    if engine == "sqlite":
        return f"sqlite:///{request.getfixturevalue('sqlite_template')}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.url_of(request.getfixturevalue("postgres_template"))


@contextmanager
def copied(url: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the URL of a copy of a database that nobody has open; a file is put in `folder`."""
    source = make_url(url)
    if source.get_backend_name() == "sqlite":
        yield f"sqlite:///{shutil.copy(str(source.database), folder / 'hub.db')}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.make_database(str(source.database))
    yield server.url_of(name)
    server.drop_database(name)


def make_settings(database_url: str, folder: Path) -> Settings:
    """Return settings with a fresh master key; the key file would be in `folder`."""
    return Settings(
        database_url=SecretStr(database_url),
        master_keys=SecretStr(base64.b64encode(os.urandom(32)).decode()),
        key_file=folder / "master.keys",
        public_url="http://localhost:8000",
    )


def fail_or_skip(reason: str) -> NoReturn:
    """Fail under CI, where everything must be there; skip on a developer's machine."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}.")
    pytest.skip(f"{reason}.")


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.close()


def _open(settings: Settings) -> Iterator[Hub]:
    hub = open_hub(settings)
    share_statements(hub.database.engine)
    yield hub
    hub.close()
