"""The page that a vendor sends the browser back to."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from lib.connections import integrations
from lib.hub import Hub
from lib.vendors.oauth_tokens import access_token_for, redirect_uri
from tests.oauth_clients import VALUES, App, app_of
from webhook_receiver.app import create_app
from webhook_receiver.oauth import CALLBACK, dashboard_url


@pytest.fixture
def app(hub: Hub) -> Iterator[App]:
    with app_of(hub) as app:
        yield app


@pytest.fixture
def browser(app: App) -> Iterator[TestClient]:
    with TestClient(create_app(app.hub), base_url="http://inside:8000") as client:
        yield client


def test_the_callback_connects_and_leads_back(app: App, browser: TestClient) -> None:
    state, code = app.begin(), app.agree()
    answer = browser.get(CALLBACK, params={"state": state, "code": code})
    assert answer.status_code == 200
    assert "Studio is connected" in answer.text
    assert f'href="http://localhost:8501/integrations?open={app.id}"' in answer.text
    for secret in (state, code, "test-access", "test-refresh"):
        assert secret not in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert access_token_for(app.hub, app.id) == "test-access-0001"
    again = browser.get(CALLBACK, params={"state": state, "code": code})
    assert again.status_code == 400
    assert "used already" in again.text


def test_what_is_registered_is_what_is_served(app: App) -> None:
    assert redirect_uri(app.hub.settings) == f"{app.hub.settings.public_url}{CALLBACK}"


@pytest.mark.parametrize(
    "query",
    [{}, {"state": ""}, {"state": "x", "code": "y"}, {"code": "y"}, {"state": "\x00ü", "code": ""}],
)
def test_a_stranger_learns_and_changes_nothing(
    app: App, browser: TestClient, query: dict[str, str]
) -> None:
    before = app.everything_stored()
    answer = browser.get(CALLBACK, params=query)
    assert answer.status_code == 400
    assert "Start again" in answer.text.replace("\n", " ")
    assert app.everything_stored() == before
    assert app.grants.counts["token"] == 0


def test_a_refusal_by_the_person_is_said(app: App, browser: TestClient) -> None:
    query = {"error": "access_denied", "error_description": "<script>alert(1)</script>"}
    answer = browser.get(CALLBACK, params=query)
    assert answer.status_code == 400
    assert "&lt;script&gt;" in answer.text
    assert "<script" not in answer.text
    assert app.grant() is None


def test_another_location_and_a_vendor_that_is_down_are_said(app: App, browser: TestClient) -> None:
    params = {"state": app.begin(), "code": app.agree(location="loc-other")}
    answer = browser.get(CALLBACK, params=params)
    assert (answer.status_code, "Another location" in answer.text) == (400, True)
    app.grants.is_down = True
    answer = browser.get(CALLBACK, params={"state": app.begin(), "code": app.agree()})
    assert (answer.status_code, "fault on its side" in answer.text) == (502, True)


def test_a_name_is_text(app: App, browser: TestClient) -> None:
    integrations.update(app.hub, app.ada, app.id, name="<b>Studio</b>", values=VALUES)
    answer = browser.get(CALLBACK, params={"state": app.begin(), "code": app.agree()})
    assert "&lt;b&gt;Studio&lt;/b&gt; is connected" in answer.text


def test_it_is_served_below_a_public_path_too(app: App) -> None:
    settings = app.hub.settings.model_copy(update={"public_url": "https://example.com/hub"})
    below = Hub(settings=settings, database=app.hub.database, vault=app.hub.vault)
    with TestClient(create_app(below), base_url="http://inside:8000") as client:
        answer = client.get(f"/hub{CALLBACK}", params={"state": app.begin(), "code": app.agree()})
    assert f'href="https://example.com/hub/integrations?open={app.id}"' in answer.text


@pytest.mark.parametrize(
    ("public", "dashboard"),
    [
        ("http://localhost:8000", "http://localhost:8501"),
        ("https://hub.example.com", "https://hub.example.com"),
        ("https://hub.example.com:8443/x", "https://hub.example.com:8443/x"),
        ("http://[::1]:8000", "http://[::1]:8501"),
    ],
)
def test_the_dashboard_is_found(sqlite_hub: Hub, public: str, dashboard: str) -> None:
    settings = sqlite_hub.settings.model_copy(update={"public_url": public})
    assert dashboard_url(settings) == dashboard
