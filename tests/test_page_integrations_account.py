"""What the integrations page shows of a vendor's account: the app, the token's age, the limits."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from lib.clock import shifted
from lib.connections import checks, integrations
from lib.hub import Hub
from lib.models import OAuthGrant, OAuthInstall
from lib.vendors import oauth
from tests.fakes.gohighlevel import TOKEN
from tests.fakes.gohighlevel_oauth import CLIENT_SECRET
from tests.oauth_clients import VALUES, App, app_of
from tests.visitors import Visitor, visiting


@pytest.fixture
def app(sqlite_hub: Hub) -> Iterator[App]:
    with app_of(sqlite_hub) as app:
        yield app


@pytest.fixture
def visitor(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(app.hub, monkeypatch) as visitor:
        visitor.sign_in_as(app.ada)
        yield visitor


def _open(visitor: Visitor, app: App) -> AppTest:
    script = visitor.open("integrations")
    return script.button(key=f"integrations_open_{app.id}").click().run()


def _written(script: AppTest) -> str:
    kinds = ("markdown", "caption", "code", "error", "warning", "progress", "link_button")
    return repr([each.proto for kind in kinds for each in script.get(kind)])


def test_the_app_is_connected_from_the_page(visitor: Visitor, app: App) -> None:
    script = _open(visitor, app)
    script.button(key="integrations_app").click().run()
    assert not script.exception
    url = script.get("link_button")[0].proto.url
    state = parse_qs(urlsplit(url).query)["state"][0]
    oauth.complete_install(app.hub, state=state, code=app.agree())
    script.run()
    assert "App connected" in _written(script)
    assert script.button(key="integrations_app").label == "Connect again"
    for secret in ("test-access", "test-refresh", CLIENT_SECRET):
        assert secret not in _written(script)
    script.button(key="integrations_app_end").click().run()
    assert "App connected" not in _written(script)
    with app.hub.database.read() as session:
        assert session.exec(select(OAuthGrant)).all() == []


def test_an_app_without_values_is_told_its_redirect_address(visitor: Visitor, app: App) -> None:
    bare = {"location_id": VALUES["location_id"]}
    app.id = integrations.add(
        app.hub, app.ada, service_name="gohighlevel", name="Bare", values=bare
    ).integration.id
    script = _open(visitor, app)
    assert oauth.redirect_uri(app.hub.settings) in [each.value for each in script.code]
    assert not [each for each in script.button if each.key == "integrations_app"]
    with app.hub.database.read() as session:
        assert session.exec(select(OAuthInstall)).all() == []


def test_a_lost_authorisation_is_said_where_people_look(visitor: Visitor, app: App) -> None:
    app.connect()
    app.age(timedelta(days=1))
    app.grants.refreshable.clear()
    checks.run_check(app.hub, app.ada, app.id)
    script = _open(visitor, app)
    assert any("no longer accepts this authorization" in each.value for each in script.error)


@pytest.mark.parametrize(
    ("days", "box"), [(79, None), (80, "warning"), (89, "warning"), (90, "error")]
)
def test_a_token_is_reminded_of_by_its_age(
    visitor: Visitor, app: App, days: int, box: str | None
) -> None:
    changed = {**VALUES, "private_token": TOKEN}
    with shifted(-timedelta(days=days, minutes=1)):
        integrations.update(app.hub, app.ada, app.id, name="Studio", values=changed)
    script = _open(visitor, app)
    found = {
        kind: [each.value for each in script.get(kind) if "days old" in each.value]
        for kind in ("warning", "error")
    }
    assert {kind for kind, values in found.items() if values} == ({box} if box else set())
    listed = visitor.open("integrations")
    assert any(f"{days} days old" in each.value for each in listed.caption) is (box is not None)


def test_what_the_limits_leave_is_shown_on_page_and_card(visitor: Visitor, app: App) -> None:
    app.connect()
    checks.run_check(app.hub, app.ada, app.id)
    shown = "Calls left: burst 9,999/10,000, day 199,999/200,000"
    assert shown in _written(_open(visitor, app))
    assert shown in _written(visitor.open())
    assert shown in _written(visitor.open("integrations"))
