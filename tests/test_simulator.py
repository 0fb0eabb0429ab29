"""The simulator: samples that really go through a receiver, and what is left of them."""

from collections.abc import Iterator

import pytest
from sqlmodel import select

from lib.access import Actor
from lib.connections import integrations
from lib.errors import HubError, InvalidInput, NotAllowed, NotFound
from lib.events.reading import get_event
from lib.hub import Hub
from lib.laboratory import simulator
from lib.models import AuditEntry
from lib.providers.registry import all_providers, get_provider
from tests.factories import make_user
from tests.fakes.server import running
from tests.processes import free_port
from tests.receiving import connect, stored_events, trusting
from webhook_receiver.app import create_app

SERVICES = [provider.slug for provider in all_providers()]


@pytest.fixture
def member(hub: Hub) -> Actor:
    return make_user(hub)


@pytest.fixture
def live(hub: Hub) -> Iterator[Hub]:
    """The hub under a public URL with a prefix, with a receiver that listens."""
    public = trusting(hub, public_url="https://example.com/hub")
    with running(create_app(public), has_lifespan=True) as url:
        yield trusting(public, receiver_port=int(url.rpartition(":")[2]))


@pytest.mark.parametrize("service", SERVICES)
def test_every_sample_becomes_an_event_that_says_it_was_simulated(
    live: Hub, member: Actor, service: str
) -> None:
    issued = connect(live, member, service)
    for label, sample in get_provider(service).samples().items():
        text = simulator.fill_in(live, member, issued.integration.id, label=label)
        sent = simulator.send(
            live, member, issued.integration.id, content_type=sample.content_type, text=text
        )
        assert sent.status in (200, 204), sent.answer
        event_id = simulator.find_event(live, member, sent)
        assert event_id
        event = get_event(live, member, event_id)
        assert event.row.event_type == sample.event_type
        assert event.headers[simulator.HEADER] == sent.simulation_id
        assert simulator.is_simulated(event.headers)
        assert (issued.inbound_secret or "0123456789abcdef") not in repr(event)
    with live.database.read() as session:
        entries = session.exec(
            select(AuditEntry).where(AuditEntry.action == "simulator.sent")
        ).all()
    assert len(entries) == len(get_provider(service).samples())
    assert {entry.object_id for entry in entries} == {issued.integration.id}


def test_a_shared_key_signs_where_one_is_set(live: Hub, member: Actor) -> None:
    issued = connect(live, member, "twilio", shared_key_id="WK1", shared_key_secret="s" * 32)
    sent = simulator.send(
        live,
        member,
        issued.integration.id,
        content_type="application/x-www-form-urlencoded",
        text="MessageSid=SM1\nBody=Hi",
    )
    assert sent.status == 200
    assert '"shared_key"' in stored_events(live)[0].verification


def test_the_same_body_again_is_a_duplicate_without_an_event_of_its_own(
    live: Hub, member: Actor
) -> None:
    item = connect(live, member, "twilio").integration
    first, second = (
        simulator.send(
            live,
            member,
            item.id,
            content_type="application/x-www-form-urlencoded",
            text="MessageSid=SM1\nBody=a=b&c\nBlank=",
        )
        for _ in range(2)
    )
    assert simulator.find_event(live, member, first)
    assert simulator.find_event(live, member, second) is None
    (row,) = stored_events(live)
    assert row.duplicates == 1
    assert row.payload == b"MessageSid=SM1&Body=a%3Db%26c&Blank="


def test_a_bad_form_or_a_large_body_is_refused_before_it_is_sent(live: Hub, member: Actor) -> None:
    item = connect(live, member, "twilio").integration
    for text, word in (("no equals sign", "no field"), ("Body=" + "x" * 1_100_000, "takes")):
        with pytest.raises(InvalidInput, match=word) as caught:
            simulator.send(
                live,
                member,
                item.id,
                content_type="application/x-www-form-urlencoded",
                text=text,
            )
        assert caught.value.field == "body"
    assert stored_events(live) == []


def test_a_senders_public_key_cannot_sign(live: Hub, member: Actor) -> None:
    key = "whpk_" + "A" * 43 + "="
    item = connect(live, member, "webhook", signing_secret=key).integration
    with pytest.raises(InvalidInput, match="public half"):
        simulator.send(live, member, item.id, content_type="application/json", text="{}")


def test_a_receiver_that_is_down_is_said(hub: Hub, member: Actor) -> None:
    item = connect(hub, member, "make").integration
    down = trusting(hub, receiver_port=free_port())
    with pytest.raises(HubError, match="python -m webhook_receiver"):
        simulator.send(down, member, item.id, content_type="application/json", text="{}")


def test_a_sample_that_is_not_there_is_refused(hub: Hub, member: Actor) -> None:
    item = connect(hub, member, "make").integration
    with pytest.raises(InvalidInput, match="no such sample"):
        simulator.fill_in(hub, member, item.id, label="nothing")


def test_only_the_owner_and_staff_play(live: Hub, member: Actor) -> None:
    item = connect(live, member, "make").integration
    text = '{"type": "a"}'

    def play(who: Actor) -> simulator.Simulated:
        return simulator.send(live, who, item.id, content_type="application/json", text=text)

    with pytest.raises(NotFound):
        play(make_user(live, "bob@example.com"))
    with pytest.raises(NotAllowed):
        play(make_user(live, "ana@example.com", "analyst"))
    assert stored_events(live) == []
    sent = play(make_user(live, "sam@example.com", "staff"))
    assert simulator.find_event(live, member, sent)
    with pytest.raises(NotFound):
        simulator.find_event(live, make_user(live, "eve@example.com"), sent)
    assert integrations.get(live, member, item.id).id == item.id
