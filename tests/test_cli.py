"""The operator's commands, as an operator runs them."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lib.connections.integrations import list_all
from lib.hub import open_hub
from lib.people import api_tokens
from lib.people.sign_in import authenticate
from lib.people.users import FIRST_EMAIL, find_user
from lib.settings import Settings, load_settings
from lib.vault.rotation import count_outdated
from tests.retention_rows import fill

ROOT = Path(__file__).parent.parent
Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where `init` ran once, for the tests to copy."""
    home = tmp_path_factory.mktemp("fresh")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("HUB_")}
    subprocess.run(
        [sys.executable, "-m", "lib.cli", "init"],
        cwd=home,
        env={**clean, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )
    return home


@pytest.fixture
def folder(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an initialised hub on SQLite, which is the working directory."""
    home = tmp_path / "home"
    shutil.copytree(fresh, home)
    monkeypatch.chdir(home)
    return home


def _run(*arguments: str, stdin: str = "") -> Done:
    return subprocess.run(
        [sys.executable, "-m", "lib.cli", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def _add_integration(*more: str) -> Done:
    return _run(
        "integration", "add", "--user", FIRST_EMAIL, "--service", "webhook", "--name", "Shop", *more
    )


def test_init_prints_the_first_password_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = _run("init"), _run("init")
    password = first.stdout.strip().rpartition(" ")[2]
    assert second.returncode == 0
    assert second.stdout == ""
    assert stat.S_IMODE((tmp_path / "data/master.keys").stat().st_mode) == 0o600
    hub = open_hub(load_settings())
    assert authenticate(hub, FIRST_EMAIL, password=password, ip="127.0.0.1").role == "staff"
    hub.close()


def test_migrate_works_on_both_engines(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.master_keys is not None
    monkeypatch.setenv("HUB_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("HUB_MASTER_KEYS", settings.master_keys.get_secret_value())
    done = _run("migrate")
    assert (done.returncode, done.stderr) == (0, "")
    assert "up to date" in done.stdout


def test_a_password_may_come_by_standard_input(folder: Path) -> None:
    done = _run(
        "user",
        "add",
        "bo@example.com",
        "--role",
        "analyst",
        "--password-stdin",
        stdin="correct horse battery\n",
    )
    assert done.returncode == 0, done.stderr
    assert "password" not in done.stdout
    hub = open_hub(load_settings())
    actor = authenticate(hub, "bo@example.com", password="correct horse battery", ip="127.0.0.1")
    assert actor.role == "analyst"
    hub.close()


def test_an_integration_is_printed_as_json(folder: Path) -> None:
    document = json.loads(_add_integration().stdout)
    assert document["id"].startswith("int_")
    assert document["webhook_url"].startswith("http://localhost:8000/api/webhooks/")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("user", "add", "bo@example.com", "--role", "boss"), ""),
        (
            (
                "integration",
                "add",
                "--user",
                "no@example.com",
                "--service",
                "webhook",
                "--name",
                "x",
            ),
            "no active user",
        ),
        (("integration", "add", "--user", FIRST_EMAIL, "--service", "fax", "--name", "x"), "fax"),
        (
            (
                "integration",
                "add",
                "--user",
                FIRST_EMAIL,
                "--service",
                "webhook",
                "--name",
                "x",
                "--set",
                "s3cret",
            ),
            "key=value",
        ),
        (("restore", "none.db"), "no file"),
    ],
)
def test_an_error_is_one_sentence(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    done = _run(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "s3cret" not in done.stderr


def test_keys_rotate_while_the_hub_is_open(folder: Path) -> None:
    _add_integration()
    running = open_hub(load_settings())
    before = Path("data/master.keys").read_text()
    done = _run("keys", "rotate")
    assert done.returncode == 0, done.stderr
    after = Path("data/master.keys").read_text()
    assert after.endswith(before)
    assert len(after) == 2 * len(before)
    assert stat.S_IMODE(Path("data/master.keys").stat().st_mode) == 0o600

    owner = find_user(running, FIRST_EMAIL)
    assert owner is not None
    assert len(list_all(running, owner)) == 1
    again = open_hub(load_settings())
    assert count_outdated(again) == 0
    running.close()
    again.close()


def test_check_reports_line_by_line(folder: Path) -> None:
    Path("data/master.keys").chmod(0o644)
    done = _run("check")
    assert done.returncode == 1
    assert "FAIL  key: others may read data/master.keys" in done.stdout
    assert "ok    revision" in done.stdout
    assert "FAIL  worker" in done.stdout


def test_check_says_what_is_wrong_with_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_PUBLIC_URL", "nonsense")
    done = _run("check")
    assert done.returncode == 1
    assert "HUB_PUBLIC_URL" in done.stdout


def test_backup_and_restore(folder: Path) -> None:
    assert _run("backup", "hub.backup").returncode == 0
    assert _run("restore", "hub.backup").returncode == 0


def test_retention_says_what_it_removed_and_freed(folder: Path) -> None:
    _add_integration()
    hub = open_hub(load_settings())
    owner = find_user(hub, FIRST_EMAIL)
    assert owner is not None
    fill(hub, list_all(hub, owner)[0], count=500, size=2_000, days=40)
    hub.close()
    done = _run("retention")
    assert done.returncode == 0, done.stderr
    assert "Removed 500 payloads.\n" in done.stdout
    assert re.search(r"Freed [01]\.\d MB\.\n$", done.stdout)
    assert "Freed 0.0 MB.\n" in _run("retention").stdout


def test_token_create_prints_the_token_alone(folder: Path) -> None:
    _run("user", "add", "ada@example.com", "--role", "member")
    done = _run("token", "create", "ada@example.com", "--scopes", "read:events, replay")
    assert done.returncode == 0, done.stderr
    secret = done.stdout.removesuffix("\n")
    hub = open_hub(load_settings())
    caller = api_tokens.authenticate(hub, secret)
    hub.close()
    assert caller is not None
    assert caller.actor.email == "ada@example.com"
    assert caller.scopes == {"read:events", "replay"}


def test_token_create_says_what_is_wrong(folder: Path) -> None:
    nobody = _run("token", "create", "nobody@example.com", "--scopes", "all")
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "no active user" in nobody.stderr
    unknown = _run("token", "create", FIRST_EMAIL, "--scopes", "write:everything")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "no scope write:everything" in unknown.stderr
