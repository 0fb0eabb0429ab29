"""Which integration an address means, from the moment it exists until it is gone."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event

from lib.access import Actor
from lib.clock import shifted
from lib.connections import integrations
from lib.hub import Hub
from tests.factories import make_user
from tests.receiving import (
    ACCOUNT,
    LOCATION,
    connect,
    kept_rejections,
    load_vectors,
    post,
    receiving,
    sign,
    sign_form,
    stored_events,
)

TWILIO = load_vectors("twilio_webhook_params.json")["fixtures"]
SMS: dict[str, Any] = TWILIO[0]["params"]
SAMPLES: dict[str, dict[str, Any]] = {
    "gohighlevel": {"type": "ContactCreate", "locationId": LOCATION, "webhookId": "w-1"},
    "make": {"type": "order.created", "n": 1},
}


@pytest.fixture
def member(hub: Hub) -> Actor:
    return make_user(hub)


def test_unknown_address_stores_nothing(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "make")
    signed = sign(issued, SAMPLES["make"])
    right = issued.integration.webhook_url
    wrong = (right[:-1] + "x", right.replace("/make/", "/zapier/"), right.replace("/make/", "/no/"))
    with receiving(hub) as client:
        answers = [post(client, url, signed) for url in wrong]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert answers[0].content == answers[1].content
    assert stored_events(hub) == []
    assert kept_rejections(hub) == []


def test_integration_added_later_is_found_at_once(hub: Hub, member: Actor) -> None:
    with receiving(hub) as client:
        issued = connect(hub, member, "make")
        signed = sign(issued, SAMPLES["make"])
        assert post(client, issued.integration.webhook_url, signed).status_code == 200


def test_known_address_reads_nothing_from_the_database(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "make")
    signed = sign(issued, SAMPLES["make"])
    statements: list[str] = []
    with receiving(
        hub,
    ) as client:
        sqlalchemy_event.listen(
            hub.database.engine,
            "before_cursor_execute",
            lambda _c, _k, statement, *_rest: statements.append(statement),
        )
        assert post(client, issued.integration.webhook_url, signed).status_code == 200
    # The directory's own look once a second may fall into the request.
    assert [text for text in statements if "hub_facts" not in text] == []


def test_rotated_address_works_until_its_overlap_ends(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "make")
    signed = sign(issued, SAMPLES["make"])
    old = issued.integration.webhook_url
    with receiving(hub) as client:
        new = integrations.rotate_address(hub, member, issued.integration.id).webhook_url
        assert [post(client, url, signed).status_code for url in (old, new)] == [200, 200]
        with shifted(timedelta(days=8)):
            assert [post(client, url, signed).status_code for url in (old, new)] == [404, 200]


def test_paused_integration_still_stores(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "make")
    integrations.pause(hub, member, issued.integration.id)
    with receiving(hub) as client:
        answer = post(client, issued.integration.webhook_url, sign(issued, SAMPLES["make"]))
    assert answer.status_code == 200
    assert len(stored_events(hub)) == 1


def test_removed_integration_is_unknown(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "make")
    with receiving(hub) as client:
        assert post(client, issued.integration.webhook_url, sign(issued, {"n": 1})).is_success
        integrations.remove(hub, member, issued.integration.id, typed_name=issued.integration.name)
        for _ in range(40):
            answer = post(client, issued.integration.webhook_url, sign(issued, {"n": 2}))
            if answer.status_code == 404:
                break
            client.portal.call(_rest)  # type: ignore[union-attr]
    assert answer.status_code == 404


async def _rest() -> None:
    import anyio

    await anyio.sleep(0.1)


def test_bare_address_resolves_twilio_by_account(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "twilio")
    url = "http://localhost:8000/api/webhooks/twilio"
    stranger = {**SMS, "AccountSid": ACCOUNT[:-1] + "9"}
    with receiving(hub) as client:
        assert post(client, url, sign_form(url, SMS)).status_code == 200
        assert post(client, url, sign_form(url, SMS, token="other")).status_code == 403
        assert post(client, url, sign_form(url, stranger)).status_code == 404
    (event,) = stored_events(hub)
    assert event.integration_id == issued.integration.id


def test_bare_address_resolves_gohighlevel_by_location(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "gohighlevel")
    url = "http://localhost:8000/api/webhooks/gohighlevel"
    with receiving(hub) as client:
        assert post(client, url, sign(issued, SAMPLES["gohighlevel"])).status_code == 200
        other = sign(issued, {**SAMPLES["gohighlevel"], "locationId": "another"})
        assert post(client, url, other).status_code == 404
    assert len(stored_events(hub)) == 1


def test_bare_address_resolves_gohighlevel_by_company_where_one_location_names_it(
    hub: Hub, member: Actor
) -> None:
    url = "http://localhost:8000/api/webhooks/gohighlevel"
    issued = connect(hub, member, "gohighlevel", company_id="cmp1")
    of_company = {"type": "LocationUpdate", "companyId": "cmp1", "webhookId": "w-1"}
    with receiving(hub) as client:
        assert post(client, url, sign(issued, of_company)).status_code == 200
        for other in ({"companyId": "cmp2"}, {"locationId": "another"}):
            assert post(client, url, sign(issued, {**of_company, **other})).status_code == 404
    (event,) = stored_events(hub)
    assert event.integration_id == issued.integration.id
    connect(hub, member, "gohighlevel", company_id="cmp1", location_id="loc2")
    with receiving(hub) as client:
        again = sign(issued, {**of_company, "webhookId": "w-2"})
        assert post(client, url, again).status_code == 404
    assert kept_rejections(hub) == []


def test_bare_address_goes_to_nobody_when_two_users_claim_a_location(
    hub: Hub, member: Actor
) -> None:
    issued = connect(hub, member, "gohighlevel")
    connect(hub, make_user(hub, email="mallory@example.com"), "gohighlevel")
    url = "http://localhost:8000/api/webhooks/gohighlevel"
    with receiving(hub) as client:
        assert post(client, url, sign(issued, SAMPLES["gohighlevel"])).status_code == 404
    assert stored_events(hub) == []
