"""The public status pages over HTTP: what strangers see, and what they never do."""

from datetime import timedelta

import pytest
from limits import RateLimitItemPerMinute

from lib.clock import now, shifted
from lib.connections import integrations
from lib.connections.status_pages import close_page, open_page
from lib.hub import Hub
from tests.event_factories import SID, TOKEN, make_event, make_integration, make_rollup
from tests.factories import make_user
from tests.receiving import receiving
from webhook_receiver import status

NASTY = '<script>alert("x")</script> & co'


def path_of(url: str) -> str:
    return "/status/" + url.partition("/status/")[2]


def test_a_shared_page_tells_state_and_counts_and_nothing_else(hub: Hub) -> None:
    owner = make_user(hub)
    item = make_integration(hub, owner)
    make_event(hub, item)
    make_rollup(hub, item, 1200)
    make_rollup(hub, item, 30, hour=now() - timedelta(days=9))
    make_rollup(hub, item, 7_000, hour=now() - timedelta(days=40))
    make_rollup(hub, item, 1, outcome="rejected", event_type="wrong_signature")
    url = open_page(hub, owner, item.id)
    with receiving(hub) as client:
        answer = client.get(path_of(url))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "set-cookie" not in answer.headers
    assert answer.text.count("<rect") == 30
    for shown in ("Front desk", "Operational", "<dd>1,200</dd>", "<dd>1,230</dd>", "99.9%"):
        assert shown in answer.text
    address = item.webhook_url.rpartition("/")[2]
    for secret in (SID, TOKEN, address, item.id, owner.email, owner.name, "wrong_signature"):
        assert secret not in answer.text


@pytest.mark.parametrize("suffix", ["", "/badge.svg"])
def test_a_name_cannot_become_markup(hub: Hub, suffix: str) -> None:
    owner = make_user(hub)
    item = make_integration(hub, owner, NASTY)
    url = open_page(hub, owner, item.id)
    with receiving(hub) as client:
        answer = client.get(path_of(url) + suffix)
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; co" in answer.text
    assert "<script" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_badge_is_a_picture_of_the_state(hub: Hub) -> None:
    owner = make_user(hub)
    item = make_integration(hub, owner)
    path = path_of(open_page(hub, owner, item.id)) + "/badge.svg"
    with receiving(hub) as client:
        answer = client.get(path)
        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert "Waiting for the first event" in answer.text
        make_rollup(hub, item, 9)
        make_rollup(hub, item, 1, outcome="rejected")
        assert "Waiting" in client.get(path).text
        with shifted(timedelta(seconds=61)):
            assert "Degraded" in client.get(path).text
            integrations.pause(hub, owner, item.id)
        with shifted(timedelta(seconds=122)):
            assert "Paused" in client.get(path).text
        close_page(hub, owner, item.id)
        with shifted(timedelta(seconds=183)):
            assert client.get(path).status_code == 404


def test_every_address_that_leads_nowhere_answers_alike(hub: Hub) -> None:
    owner = make_user(hub)
    closed, removed = (make_integration(hub, owner, name) for name in ("a", "b"))
    paths = [path_of(open_page(hub, owner, item.id)) for item in (closed, removed)]
    close_page(hub, owner, closed.id)
    integrations.remove(hub, owner, removed.id, typed_name="b")
    with receiving(hub) as client:
        answers = [client.get(path) for path in (*paths, "/status/unknown", "/status/%00")]
        badge = client.get("/status/unknown/badge.svg")
    assert {(answer.status_code, answer.text) for answer in (*answers, badge)} == {
        (404, answers[0].text)
    }
    assert client.post("/status/unknown").status_code == 405


def test_guessing_is_slowed_down(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_PER_SENDER", RateLimitItemPerMinute(2))
    with receiving(hub) as client:
        answers = [client.get("/status/unknown") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [404, 404, 429]
    assert answers[-1].headers["retry-after"] == "60"
