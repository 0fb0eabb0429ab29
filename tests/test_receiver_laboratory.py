"""Test addresses over HTTP: what they keep, how they answer, what they refuse."""

import time
from datetime import timedelta

import pytest
from limits import RateLimitItemPerMinute
from sqlmodel import select

from lib.access import Actor
from lib.clock import shifted
from lib.hub import Hub
from lib.laboratory import endpoints
from lib.laboratory.endpoints import Behaviour
from lib.models import TrialRequest
from tests.factories import make_user
from tests.receiving import receiving
from webhook_receiver import laboratory


@pytest.fixture
def member(hub: Hub) -> Actor:
    return make_user(hub)


def path_of(url: str) -> str:
    return "/api/" + url.partition("/api/")[2]


def test_a_bin_keeps_every_method_with_secrets_masked(hub: Hub, member: Actor) -> None:
    item = endpoints.add(hub, member, kind="bin", name="Bin")
    headers = {
        "authorization": "Bearer abcdefgh",
        "cookie": "hub_session=stolen",
        "webhook-signature": "v1,abc",
        "x-plain": "seen",
    }
    with receiving(hub) as client:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            answer = client.request(
                method, path_of(item.url) + "?a=1", headers=headers, content=b'{"n": 1}'
            )
            assert answer.status_code == 200
            assert "set-cookie" not in answer.headers
            assert answer.json()["id"].startswith("trq_")
        assert client.head(path_of(item.url)).status_code == 200
    rows = endpoints.list_requests(hub, member, item.id)
    assert [row.method for row in rows[::-1]][:2] == ["GET", "POST"]
    assert len(rows) == 7
    kept = next(row for row in rows if row.method == "POST")
    assert (kept.query, kept.body, kept.answered_status) == ("a=1", '{"n": 1}', 200)
    assert kept.headers["authorization"] == kept.headers["cookie"] == "[redacted]"
    assert (kept.headers["webhook-signature"], kept.headers["x-plain"]) == ("v1,abc", "seen")
    assert endpoints.list_all(hub, member)[0].requests == 7


def test_a_prefix_of_the_public_url_is_served_too(hub: Hub, member: Actor) -> None:
    settings = hub.settings.model_copy(update={"public_url": "https://example.com/hub"})
    prefixed = Hub(settings, hub.database, hub.vault)
    item = endpoints.add(prefixed, member, kind="bin", name="Bin")
    with receiving(prefixed) as client:
        for path in (path_of(item.url), "/hub" + path_of(item.url)):
            assert client.post(path).status_code == 200


def test_a_chaos_receiver_answers_as_it_is_told(hub: Hub, member: Actor) -> None:
    cases = (
        (Behaviour(status=503), 503),
        (Behaviour(status=503, failure_share=0), 200),
        (Behaviour(status=410), 410),
        (Behaviour(status=204), 204),
        (Behaviour(status=302), 302),
    )
    with receiving(hub) as client:
        for number, (behaviour, status) in enumerate(cases):
            item = endpoints.add(
                hub, member, kind="chaos", name=f"Chaos {number}", behaviour=behaviour
            )
            answer = client.post(path_of(item.url), content=b"x", follow_redirects=False)
            assert answer.status_code == status
            (row,) = endpoints.list_requests(hub, member, item.id)
            assert row.answered_status == status


def test_a_delay_is_kept_and_the_request_is_seen_before_it_ends(hub: Hub, member: Actor) -> None:
    behaviour = Behaviour(status=500, delay_seconds=0.4)
    item = endpoints.add(hub, member, kind="chaos", name="Slow", behaviour=behaviour)
    with receiving(hub) as client:
        begun = time.monotonic()
        assert client.post(path_of(item.url)).status_code == 500
        assert time.monotonic() - begun >= 0.4


def test_bodies_are_capped_when_kept_and_when_read(hub: Hub, member: Actor) -> None:
    item = endpoints.add(hub, member, kind="bin", name="Bin")
    with receiving(hub) as client:
        assert client.post(path_of(item.url), content=b"x" * 100_000).status_code == 200
        assert client.post(path_of(item.url), content=b"x" * 1_048_577).status_code == 413
    (row,) = endpoints.list_requests(hub, member, item.id)
    assert (row.kept_bytes, row.body_bytes) == (65_536, 100_000)


def test_odd_bytes_are_kept(hub: Hub, member: Actor) -> None:
    item = endpoints.add(hub, member, kind="bin", name="Bin")
    with receiving(hub) as client:
        answer = client.post(path_of(item.url) + "?x=%00%FF", content=b"\x00\xff\xfe")
    assert answer.status_code == 200
    (row,) = endpoints.list_requests(hub, member, item.id)
    assert row.body_bytes == 3


def test_only_the_newest_are_kept(hub: Hub, member: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.laboratory.reception.MOST_KEPT", 3)
    item = endpoints.add(hub, member, kind="bin", name="Bin")
    with receiving(hub) as client:
        for number in range(5):
            client.post(path_of(item.url), content=str(number).encode())
    rows = endpoints.list_requests(hub, member, item.id)
    assert [row.body for row in rows] == ["4", "3", "2"]
    with hub.database.read() as session:
        assert len(session.exec(select(TrialRequest)).all()) == 3


def test_unknown_removed_and_expired_addresses_are_not_found(hub: Hub, member: Actor) -> None:
    removed = endpoints.add(hub, member, kind="bin", name="Removed")
    endpoints.remove(hub, member, removed.id)
    expired = endpoints.add(hub, member, kind="bin", name="Expired")
    with receiving(hub) as client:
        for url in ("/api/lab/unknown", path_of(removed.url)):
            assert client.post(url).status_code == 404
        with shifted(timedelta(hours=25)):
            assert client.post(path_of(expired.url)).status_code == 404
        assert client.post(path_of(expired.url)).status_code == 200


def test_floods_are_turned_away(hub: Hub, member: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laboratory, "_PER_ADDRESS", RateLimitItemPerMinute(2))
    monkeypatch.setattr(laboratory, "_PER_SENDER", RateLimitItemPerMinute(5))
    first, second = (endpoints.add(hub, member, kind="bin", name=name) for name in "ab")
    with receiving(hub) as client:
        seen = [client.post(path_of(first.url)).status_code for _ in range(3)]
        assert seen == [200, 200, 429]
        assert client.post(path_of(second.url)).status_code == 200
        client.post("/api/lab/guess")
        answer = client.post(path_of(second.url))
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "60"
    assert len(endpoints.list_requests(hub, member, first.id)) == 2
