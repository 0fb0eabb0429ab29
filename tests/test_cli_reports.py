"""The operator's command for a monthly report, run within this process."""

import pytest
from typer.testing import CliRunner

from lib.cli import commands as cli
from lib.cli import reports as cli_reports
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from tests.event_factories import make_integration
from tests.factories import make_user
from tests.figure_factories import at, count_received


@pytest.fixture
def commands(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setattr(cli_reports, "open_hub", lambda _settings: sqlite_hub)
    return sqlite_hub


def run(*options: str) -> str:
    found = CliRunner().invoke(cli.app, ["report", *options], catch_exceptions=False)
    return found.stdout


def test_a_members_report_is_printed_in_both_forms(commands: Hub) -> None:
    ada = make_user(commands)
    count_received(commands, make_integration(commands, ada), at("2026-10-03 10:00"), 1_234)
    options = ("--month", "2026-10", "--user", ada.email, "--zone", "Europe/Berlin")
    page = run(*options, "--format", "html")
    assert page.startswith("<!doctype html>")
    assert "1,234" in page
    table = run(*options, "--format", "csv")
    assert "figures,this month,received,1234" in table
    assert "report,,zone,Europe/Berlin" in table


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (("--month", "2026-10", "--user", "nobody@example.com"), NotFound, "no active user"),
        (("--month", "october", "--user", "ada@example.com"), InvalidInput, "such as 2026-11"),
        (
            ("--month", "2026-10", "--user", "ada@example.com", "--zone", "Mars"),
            InvalidInput,
            "no zone Mars",
        ),
        (
            ("--month", "2026-10", "--user", "ada@example.com", "--format", "pdf"),
            InvalidInput,
            "html, csv",
        ),
    ],
)
def test_what_cannot_be_printed_says_why(
    commands: Hub, options: tuple[str, ...], error: type[Exception], words: str
) -> None:
    make_user(commands)
    with pytest.raises(error, match=words):
        run(*options)
