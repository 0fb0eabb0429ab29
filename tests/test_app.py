"""The gate, the menu by role, the guard of every page, and the cookie's rules; no server."""

import ipaddress
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request

from lib.hub import Hub
from lib.people import passwords
from lib.people.sessions import end_all_sessions
from lib.people.users import add_user, find_user
from lib.ui import errors
from lib.ui.people.browsers import name_browser
from lib.ui.people.session_routes import is_https, is_same_origin
from tests.visitors import ROOT, Visitor, visiting

PAGES = sorted((ROOT / "pages").glob("*.py"))


@pytest.fixture
def visitor(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    """A browser in front of `sqlite_hub`."""
    with visiting(sqlite_hub, monkeypatch) as visitor:
        yield visitor


def test_a_stranger_meets_the_form_on_every_page(visitor: Visitor) -> None:
    for page in [None, *(path.stem for path in PAGES)]:
        script = visitor.open(page)
        assert [field.label for field in script.text_input] == ["E-mail", "Password"]
        assert not script.exception


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_file_run_by_itself_shows_a_stranger_nothing(visitor: Visitor, path: Path) -> None:
    script = visitor.run_alone(path.stem)
    assert [info.value for info in script.info] == ["Sign in to see this page."]
    assert not script.title
    assert not script.exception


def test_a_cookie_opens_the_page_and_an_ended_session_closes_it(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = visitor.open("account")
    assert script.title[0].value == "Account"
    member = find_user(visitor.hub, "member@example.com")
    assert member is not None
    end_all_sessions(visitor.hub, member)
    assert [field.label for field in script.run().text_input] == ["E-mail", "Password"]


def test_an_invented_cookie_is_a_stranger(visitor: Visitor) -> None:
    visitor.cookies["hub_session"] = "invented"
    assert visitor.open("account").text_input[0].label == "E-mail"


@pytest.mark.parametrize("page", ["integrations", "rejected", "webhooks"])
def test_an_analyst_is_kept_out_of_the_pages_for_writers(visitor: Visitor, page: str) -> None:
    visitor.sign_in("analyst")
    visitor.open()
    script = visitor.run_alone(page)
    assert "not for the role analyst" in script.error[0].value
    assert not script.title


def test_the_form_signs_in_and_out(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 4)
    add_user(
        visitor.hub, email="ada@example.com", name="Ada", role="member", password="correct horse!"
    )
    script = visitor.open()
    script.text_input[0].input(" ADA@example.com")
    script.text_input[1].input("correct horse!")
    script.button[0].click().run()
    assert script.sidebar.button(key="main_sign_out").label == "Sign out"

    script.sidebar.button(key="main_sign_out").click().run()
    assert [field.label for field in script.text_input] == ["E-mail", "Password"]
    assert script.session_state["hub_signed_out"]


def test_an_empty_form_costs_no_attempt(visitor: Visitor) -> None:
    script = visitor.open()
    script.button[0].click().run()
    assert script.error[0].value == "Give your e-mail address and your password."


def test_an_unexpected_error_is_logged_without_its_text(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(RuntimeError) as caught:
        raise RuntimeError("a row's secret value")
    with caplog.at_level(logging.ERROR):
        assert errors.report_script_error(caught.value)
    assert "RuntimeError" in caplog.text
    assert "test_app.py" in caplog.text
    assert "secret value" not in caplog.text


def request_with(scheme: str = "http", peer: str = "127.0.0.1", **headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {
            "type": "http",
            "method": "POST",
            "path": "/session",
            "scheme": scheme,
            "server": ("hub.example.com", 80),
            "client": (peer, 1),
            "query_string": b"",
            "headers": pairs,
        }
    )


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (request_with(), False),
        (request_with("https"), True),
        (request_with(x_forwarded_proto="https"), True),
        (request_with(peer="10.0.0.5", x_forwarded_proto="https"), True),
        (request_with(peer="203.0.113.1", x_forwarded_proto="https"), False),
        (request_with(peer="testclient", x_forwarded_proto="https"), False),
    ],
)
def test_the_cookie_is_secure_where_the_browser_speaks_https(
    request_: Request, expected: bool
) -> None:
    assert is_https(request_, (ipaddress.ip_network("10.0.0.0/8"),)) is expected


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (request_with(sec_fetch_site="same-origin"), True),
        (request_with(sec_fetch_site="cross-site", origin="http://hub", host="hub"), False),
        (request_with(origin="http://hub:8501", host="hub:8501"), True),
        (request_with(origin="http://evil", host="hub"), False),
        (request_with(origin="null", host="hub"), False),
        (request_with(host="hub"), False),
    ],
)
def test_only_our_own_pages_may_ask_for_the_cookie(request_: Request, expected: bool) -> None:
    assert is_same_origin(request_) is expected


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/156 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/156 Safari/537 Edg/156", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU like Mac OS X) Version/19 Safari/604", "Safari on iPhone"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_have_names(user_agent: str, name: str) -> None:
    assert name_browser(user_agent) == name
