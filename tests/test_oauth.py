"""Authorising an app and keeping its tokens: one refresh for any number of callers."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import select

from lib import database
from lib.clock import shifted
from lib.connections import integrations
from lib.connections.checks import run_check
from lib.errors import InvalidInput, NotAllowed, NotFound, ProviderError
from lib.hub import Hub
from lib.models import ApiCall, AuditEntry, OAuthInstall, User
from lib.settings import decode_master_keys
from lib.vault import rotation
from lib.vault.seals import Vault
from lib.vendors import oauth, oauth_tokens
from lib.vendors.oauth_tokens import access_token_for, open_call_values
from tests.event_factories import make_integration
from tests.factories import make_user
from tests.fakes.gohighlevel import TOKEN
from tests.fakes.gohighlevel_oauth import CLIENT_ID, CLIENT_SECRET
from tests.oauth_clients import VALUES, App, app_of, lease
from tests.processes import ROOT, environment_of

DAY = timedelta(days=1)
SOON = timedelta(seconds=86_399 - 300)
ASK = """
import sys, time
from pathlib import Path
from lib.hub import open_hub
from lib.vendors.oauth_tokens import access_token_for
from lib.settings import load_settings
hub = open_hub(load_settings())
ready, go = Path(sys.argv[2]), Path(sys.argv[3])
ready.touch()
while not go.exists():
    time.sleep(0.005)
print(access_token_for(hub, sys.argv[1]))
"""


@pytest.fixture
def app(hub: Hub) -> Iterator[App]:
    with app_of(hub) as app:
        yield app


def test_the_page_is_asked_for_with_the_apps_values(app: App) -> None:
    url = urlsplit(oauth.begin_install(app.hub, app.ada, app.id))
    assert f"{url.scheme}://{url.netloc}{url.path}" == (
        "https://marketplace.gohighlevel.com/v2/oauth/chooselocation"
    )
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    state = query.pop("state")
    assert len(state) >= 32
    assert "contacts.write" in query["scope"].split(" ")
    assert query == {
        "response_type": "code",
        "redirect_uri": "http://localhost:8000/api/oauth/callback",
        "client_id": CLIENT_ID,
        "loginWindowOpenMode": "self",
        "scope": query["scope"],
    }
    assert state not in app.everything_stored()
    changed = {**VALUES, "version_id": "v9", "scopes": "a.read  b.write"}
    integrations.update(app.hub, app.ada, app.id, name="Studio", values=changed)
    query = parse_qs(urlsplit(oauth.begin_install(app.hub, app.ada, app.id)).query)
    assert (query["version_id"], query["scope"]) == (["v9"], ["a.read b.write"])


def test_the_redirect_address_names_no_brand(app: App) -> None:
    # HighLevel's portal refuses redirect addresses with its names in them.
    assert not any(word in oauth.redirect_uri(app.hub.settings) for word in ("level", "lead"))


def test_who_may_begin(app: App) -> None:
    with pytest.raises(NotFound):
        oauth.begin_install(app.hub, make_user(app.hub, "bob@example.com"), app.id)
    with pytest.raises(NotAllowed):
        oauth.begin_install(app.hub, make_user(app.hub, "ana@example.com", "analyst"), app.id)
    with pytest.raises(InvalidInput, match="no apps"):
        oauth.begin_install(app.hub, app.ada, make_integration(app.hub, app.ada, "Phone").id)
    bare = integrations.add(
        app.hub, app.ada, service_name="gohighlevel", name="Bare", values={"location_id": "x"}
    )
    with pytest.raises(InvalidInput, match="client secret"):
        oauth.begin_install(app.hub, app.ada, bare.integration.id)


def test_a_code_becomes_a_token_that_reaches_the_location(app: App) -> None:
    assert access_token_for(app.hub, app.id) is None
    installed = oauth.complete_install(app.hub, state=app.begin(), code=app.agree())
    assert installed == oauth.Installed(app.id, "Studio")
    token = access_token_for(app.hub, app.id)
    assert token == "test-access-0001"
    assert open_call_values(app.hub, app.row())["oauth_access_token"] == token
    checked = run_check(app.hub, app.ada, app.id)
    assert checked.outcome == "verified"
    kept = app.row().check_facts
    assert kept["scopes_found"] == list(checked.scopes_found)
    assert kept["scopes_missing"] == list(checked.scopes_missing)
    assert "locations.readonly" in checked.scopes_found
    assert "workflows.readonly" in checked.scopes_missing
    connection = oauth.find_connection(app.hub, app.ada, app.id)
    assert connection is not None
    assert (connection.trouble, connection.facts["user_type"]) == (None, "Location")
    with app.hub.database.read() as session:
        actions = session.exec(select(AuditEntry.action)).all()
        paths = session.exec(select(ApiCall.path)).all()
    assert "integration.connected" in actions
    assert "/oauth/token" in paths


def test_an_authorisation_stands_before_a_private_token(app: App) -> None:
    changed = {**VALUES, "private_token": "pit-wrong"}
    integrations.update(app.hub, app.ada, app.id, name="Studio", values=changed)
    assert run_check(app.hub, app.ada, app.id).outcome == "failed"
    app.connect()
    assert run_check(app.hub, app.ada, app.id).outcome == "verified"
    changed = {**VALUES, "private_token": TOKEN}
    integrations.update(app.hub, app.ada, app.id, name="Studio", values=changed)
    oauth.disconnect(app.hub, app.ada, app.id)
    assert access_token_for(app.hub, app.id) is None
    assert run_check(app.hub, app.ada, app.id).outcome == "verified"
    with pytest.raises(InvalidInput, match="No app is connected"):
        oauth.disconnect(app.hub, app.ada, app.id)


def test_nothing_stored_or_shown_holds_a_token(app: App) -> None:
    app.connect("Company")
    item = integrations.get(app.hub, app.ada, app.id)
    connection = oauth.find_connection(app.hub, app.ada, app.id)
    shown = f"{item!r} {connection!r} {app.everything_stored()}"
    for secret in ("test-access-0001", "test-refresh-0001", "test-access-0002", CLIENT_SECRET):
        assert secret not in shown


def test_keys_rotate_over_tokens_too(app: App) -> None:
    app.connect()
    vault = Vault([b"n" * 32, *_keys(app.hub)])
    both = Hub(app.hub.settings, app.hub.database, vault)
    assert rotation.reseal(both).unreadable == ()
    assert rotation.count_outdated(both) == 0
    assert access_token_for(both, app.id) == "test-access-0001"


def test_a_state_works_once_and_for_ten_minutes(app: App) -> None:
    state = app.begin()
    with pytest.raises(NotFound, match="ten minutes"):
        oauth.complete_install(app.hub, state="made-up", code=app.agree())
    oauth.complete_install(app.hub, state=state, code=app.agree())
    with pytest.raises(NotFound):
        oauth.complete_install(app.hub, state=state, code=app.agree())
    late = app.begin()
    with shifted(timedelta(minutes=10)), pytest.raises(NotFound):
        oauth.complete_install(app.hub, state=late, code=app.agree())
    with shifted(timedelta(minutes=10)):
        app.begin()
    with app.hub.database.read() as session:
        assert len(session.exec(select(OAuthInstall)).all()) == 1


def test_one_state_at_once_is_redeemed_once(app: App) -> None:
    state, codes = app.begin(), [app.agree(), "code-other"]
    app.grants.codes["code-other"] = ("Location", app.grants.location_id)
    outcomes = []

    def redeem(code: str) -> None:
        try:
            outcomes.append(oauth.complete_install(app.hub, state=state, code=code))
        except NotFound as error:
            outcomes.append(error)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(redeem, codes))
    assert sorted(isinstance(each, NotFound) for each in outcomes) == [False, True]


def test_who_may_no_longer_act_completes_nothing(app: App) -> None:
    state = app.begin()
    with app.hub.database.write() as session:
        session.get_one(User, app.ada.id).is_active = False
    with pytest.raises(NotFound):
        oauth.complete_install(app.hub, state=state, code=app.agree())
    with app.hub.database.write() as session:
        session.get_one(User, app.ada.id).is_active = True
    state = app.begin()
    integrations.remove(app.hub, app.ada, app.id, typed_name="Studio")
    with pytest.raises(NotFound):
        oauth.complete_install(app.hub, state=state, code=app.agree())
    assert app.grants.counts["token"] == 0


def test_another_location_is_refused(app: App) -> None:
    code = app.agree(location="loc-of-another")
    with pytest.raises(ProviderError, match="Another location was chosen"):
        oauth.complete_install(app.hub, state=app.begin(), code=code)
    assert app.grant() is None


def test_another_agency_is_refused(app: App) -> None:
    changed = {**VALUES, "company_id": "cmp2"}
    integrations.update(app.hub, app.ada, app.id, name="Studio", values=changed)
    with pytest.raises(ProviderError, match="another agency"):
        oauth.complete_install(app.hub, state=app.begin(), code=app.agree())


@pytest.mark.parametrize(
    ("code", "change", "words"),
    [
        ("used-up", {}, "no longer accepts"),
        ("", {}, "no code"),
        (None, {"client_secret": "wrong-secret-0123"}, "client secret"),
    ],
)
def test_a_refused_code_says_why(
    app: App, code: str | None, change: dict[str, str], words: str
) -> None:
    integrations.update(app.hub, app.ada, app.id, name="Studio", values={**VALUES, **change})
    given = app.agree() if code is None else code
    with pytest.raises((ProviderError, InvalidInput), match=words):
        oauth.complete_install(app.hub, state=app.begin(), code=given)
    assert app.grant() is None


def test_an_agencys_token_is_narrowed_to_the_location(app: App) -> None:
    app.connect("Company")
    token = access_token_for(app.hub, app.id)
    assert token == "test-access-0002"
    assert app.grants.access[token] == ("Location", app.grants.location_id)
    # The location's token ends alone: the agency's pair is left as it is.
    with app.hub.database.write() as session:
        grant = session.merge(app.grant())
        grant.renew_at = grant.account_expires_at = grant.connected_at
    assert access_token_for(app.hub, app.id) == "test-access-0003"
    assert app.grants.counts["refresh"] == 0
    app.age(DAY)
    assert access_token_for(app.hub, app.id) == "test-access-0005"
    assert app.grants.counts["refresh"] == 1


def test_an_agencys_new_pair_survives_a_failure_after_it(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.connect("Company")
    app.age(DAY)
    kind = type(oauth_tokens.authorization_of(app.row()))
    with monkeypatch.context() as patch:
        fault = ProviderError("Down.", permanent=False)
        patch.setattr(kind, "narrow", lambda *_, **__: (_ for _ in ()).throw(fault))
        with pytest.raises(ProviderError, match="Down"):
            access_token_for(app.hub, app.id)
    assert access_token_for(app.hub, app.id) == "test-access-0004"
    assert (app.grants.counts["refresh"], app.grants.counts["refused"]) == (1, 0)


def test_a_token_is_renewed_some_minutes_early_and_every_time(app: App) -> None:
    app.connect()
    for number in range(2, 5):
        app.age(SOON)
        assert access_token_for(app.hub, app.id) == f"test-access-{number:04}"
    assert (app.grants.counts["refresh"], app.grants.counts["refused"]) == (3, 0)
    assert run_check(app.hub, app.ada, app.id).outcome == "verified"


def test_a_token_that_still_serves_is_used_while_the_vendor_is_down(app: App) -> None:
    app.connect()
    app.age(SOON)
    app.grants.is_down = True
    assert access_token_for(app.hub, app.id) == "test-access-0001"
    app.age(SOON)
    with pytest.raises(ProviderError) as caught:
        access_token_for(app.hub, app.id)
    assert not caught.value.permanent
    app.grants.is_down = False
    assert access_token_for(app.hub, app.id) == "test-access-0002"


def test_four_processes_with_one_ended_token_refresh_once(app: App, tmp_path: Path) -> None:
    app.connect()
    app.age(DAY)
    app.grants.answer_seconds = 0.5
    environment = environment_of(app.hub.settings, HUB_GOHIGHLEVEL_API_URL=app.url)
    go = tmp_path / "go"
    ready = [tmp_path / f"ready-{number}" for number in range(4)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ASK, app.id, str(each), str(go)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for each in ready
    ]
    _wait_until(lambda: all(each.exists() for each in ready))
    go.touch()
    answers = [process.communicate(timeout=30)[0].strip() for process in processes]
    assert answers == ["test-access-0002"] * 4
    assert (app.grants.counts["refresh"], app.grants.counts["refused"]) == (1, 0)


def test_many_threads_with_one_ended_token_refresh_once(app: App) -> None:
    app.connect()
    app.age(DAY)
    app.grants.answer_seconds = 0.3
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda _: access_token_for(app.hub, app.id), range(12)))
    assert set(found) == {"test-access-0002"}
    assert app.grants.counts["refresh"] == 1


def test_the_lease_of_a_dead_process_runs_out(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.connect()
    app.age(DAY, **lease(90))
    monkeypatch.setattr(oauth_tokens, "WAIT_SECONDS", 0.2)
    with pytest.raises(ProviderError, match="another process") as caught:
        access_token_for(app.hub, app.id)
    assert (caught.value.permanent, caught.value.is_unprocessed) == (False, True)
    app.age(timedelta(0), **lease(-1))
    assert access_token_for(app.hub, app.id) == "test-access-0002"


def test_a_process_killed_before_it_stored_the_pair_asks_for_a_new_authorisation(
    app: App, tmp_path: Path
) -> None:
    app.connect()
    app.age(DAY)
    app.grants.answer_seconds = 20
    go, ready = tmp_path / "go", tmp_path / "ready"
    go.touch()
    process = subprocess.Popen(
        [sys.executable, "-c", ASK, app.id, str(ready), str(go)],
        cwd=ROOT,
        env=environment_of(app.hub.settings, HUB_GOHIGHLEVEL_API_URL=app.url),
    )
    _wait_until(lambda: app.grants.counts["refresh"] == 1)
    process.kill()
    process.wait()
    app.grants.answer_seconds = 0
    app.age(timedelta(0), **lease(-1))
    for _ in range(2):
        with pytest.raises(ProviderError, match="Connect again") as caught:
            access_token_for(app.hub, app.id)
        assert (caught.value.permanent, caught.value.code) == (True, "reconnect")
    # The second time nobody was asked.
    assert app.grants.counts["refresh"] == 2
    assert run_check(app.hub, app.ada, app.id).outcome == "failed"
    connection = oauth.find_connection(app.hub, app.ada, app.id)
    assert connection is not None
    assert "Connect again" in (connection.trouble or "")
    app.connect()
    assert access_token_for(app.hub, app.id) == "test-access-0002"


def test_a_slow_holder_and_its_successor_end_with_one_good_pair(app: App) -> None:
    app.connect()
    app.age(DAY)
    app.grants.answer_seconds = 0.6
    found: list[str | None] = []
    slow = threading.Thread(target=lambda: found.append(access_token_for(app.hub, app.id)))
    slow.start()
    _wait_until(lambda: app.grants.counts["refresh"] == 1)
    app.age(timedelta(0), **lease(-1))
    found.append(access_token_for(app.hub, app.id))
    slow.join()
    assert found == ["test-access-0002"] * 2
    grant = app.grant()
    assert grant is not None
    assert grant.trouble is None


def test_a_database_that_is_busy_costs_no_pair(
    sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app_of(sqlite_hub) as app:
        app.connect()
        app.age(DAY)
        app.grants.answer_seconds = 0.2
        monkeypatch.setattr(database, "SQLITE_BUSY_MILLISECONDS", 50)
        app.hub.database.close()
        other = sqlite3.connect(database.sqlite_path(app.hub.database.url), isolation_level=None)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(access_token_for, app.hub, app.id)
            _wait_until(lambda: app.grants.counts["refresh"] == 1)
            other.execute("BEGIN IMMEDIATE")
            time.sleep(0.5)
            other.execute("ROLLBACK")
            assert asked.result() == "test-access-0002"
        other.close()
        assert app.grants.counts["refresh"] == 1


def test_edits_of_the_integration_keep_the_tokens(app: App) -> None:
    app.connect()
    integrations.update(app.hub, app.ada, app.id, name="Renamed", values=VALUES)
    integrations.reissue_secret(app.hub, app.ada, app.id)
    assert access_token_for(app.hub, app.id) == "test-access-0001"
    moved = {**VALUES, "location_id": "loc2"}
    integrations.update(app.hub, app.ada, app.id, name="Renamed", values=moved)
    with pytest.raises(ProviderError, match="another account"):
        access_token_for(app.hub, app.id)
    integrations.remove(app.hub, app.ada, app.id, typed_name="Renamed")
    assert app.grant() is None


def _keys(hub: Hub) -> list[bytes]:
    keys = hub.settings.master_keys
    return decode_master_keys(keys.get_secret_value() if keys else "")


def _wait_until(condition: object) -> None:
    deadline = time.monotonic() + 20
    while not condition():  # type: ignore[operator]  # a function without arguments
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)
