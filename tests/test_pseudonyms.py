"""Contacts' names for analysts: stable within a hub, and of no use outside it."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import select

from lib.errors import NotAllowed, SecretUnreadable
from lib.events.contents import get_content
from lib.events.reading import EventFilters, get_event, list_events
from lib.hub import Hub
from lib.masking import HIDDEN, mask_payload
from lib.models import HubFact
from lib.pseudonyms import KEY_FACT, load_pseudonyms
from lib.settings import decode_master_keys
from lib.vault.keys import create_key_file, read_key_file
from lib.vault.rotation import count_outdated, reseal
from lib.vault.seals import Vault
from tests.event_factories import make_event, make_integration
from tests.factories import make_user

NUMBER = "+14155550123"


@pytest.mark.parametrize(
    "written", ["+1 (415) 555-0123", "whatsapp:+14155550123", " +14155550123 ", "tel:+14155550123"]
)
def test_one_number_has_one_name_however_it_is_written(hub: Hub, written: str) -> None:
    name = load_pseudonyms(hub).name(NUMBER)
    assert re.fullmatch(r"c_[a-z2-7]{10}", name)
    assert load_pseudonyms(hub).name(written) == name


def test_other_contacts_have_other_names(hub: Hub) -> None:
    names = load_pseudonyms(hub)
    contacts = (
        NUMBER,
        "+14155550124",
        "grace@example.org",
        "ocQHyuzHvysMo5N5VsXc",
        "ocqhyuzhvysmo5n5vsxc",
    )
    assert len({names.name(each) for each in contacts}) == len(contacts)
    assert names.name("Grace@Example.ORG ") == names.name("grace@example.org")


def test_another_hub_gives_other_names(hub: Hub) -> None:
    name = load_pseudonyms(hub).name(NUMBER)
    with hub.database.write() as session:
        session.delete(session.get_one(HubFact, KEY_FACT))
    assert load_pseudonyms(hub).name(NUMBER) != name


def test_processes_that_start_together_agree_on_one_key(hub: Hub) -> None:
    start = threading.Barrier(4)

    def ask() -> str:
        start.wait()
        return load_pseudonyms(hub).name(NUMBER)

    with ThreadPoolExecutor(4) as pool:
        found = {each.result() for each in [pool.submit(ask) for _ in range(4)]}
    assert len(found) == 1
    with hub.database.read() as session:
        (fact,) = session.exec(select(HubFact).where(HubFact.name == KEY_FACT)).all()
    assert fact.value.startswith("v1.")


def test_names_stay_when_the_master_key_is_rotated(hub: Hub, tmp_path: Path) -> None:
    name = load_pseudonyms(hub).name(NUMBER)
    path = tmp_path / "other.keys"
    create_key_file(path)
    first = hub.settings.master_keys
    assert first is not None
    old = decode_master_keys(first.get_secret_value())
    rotated = Hub(hub.settings, hub.database, Vault([*read_key_file(path), *old]))
    assert count_outdated(rotated) == 1
    assert reseal(rotated).resealed == 1
    assert count_outdated(rotated) == 0
    assert load_pseudonyms(rotated).name(NUMBER) == name
    alone = Hub(hub.settings, hub.database, Vault(read_key_file(path)))
    assert load_pseudonyms(alone).name(NUMBER) == name
    with pytest.raises(SecretUnreadable):
        load_pseudonyms(hub).name(NUMBER)


def test_the_key_is_in_no_representation(hub: Hub) -> None:
    assert "key" not in repr(load_pseudonyms(hub)).lower()


def test_a_masked_payload_names_contacts(hub: Hub) -> None:
    names = load_pseudonyms(hub)
    name = names.name(NUMBER)
    payload = {
        "From": f"whatsapp:{NUMBER}",
        "WaId": NUMBER[1:],
        "Body": f"Call {NUMBER}",
        "who": [
            {"email": "Grace@example.org", "phone": NUMBER, "contactId": "abc", "name": "Grace"}
        ],
        "MessageSid": "SM" + "1" * 32,
    }
    assert mask_payload(payload, names=names) == {
        "From": name,
        "WaId": name,
        "Body": HIDDEN,
        "who": [
            {
                "email": names.name("grace@example.org"),
                "phone": name,
                "contactId": names.name("abc"),
                # So that sentences are about somebody.
                "name": name,
            }
        ],
        "MessageSid": HIDDEN,
    }


def test_a_persons_name_needs_a_contact_beside_it(hub: Hub) -> None:
    names = load_pseudonyms(hub)
    assert mask_payload({"name": "Grace", "phone": "soon"}, names=names) == {
        "name": HIDDEN,
        "phone": HIDDEN,
    }
    two = {"firstName": "Grace", "email": "a@example.org, b@example.org", "contactId": "abc"}
    assert mask_payload(two, names=names)["firstName"] == names.name("abc")
    assert mask_payload({"name": {"first": "Grace"}, "email": 7}, names=names) == {
        "name": {"first": HIDDEN},
        "email": 7,
    }


def test_an_analyst_tells_contacts_apart_in_lists_and_details(hub: Hub) -> None:
    ada = make_user(hub)
    analyst = make_user(hub, "ana@example.com", "analyst")
    item, crm = make_integration(hub, ada), make_integration(hub, ada, service_name="gohighlevel")
    sms = make_event(hub, item, event_type="message.inbound")
    contact = {"type": "ContactCreate", "phone": "+1 415 555 0123", "firstName": "Grace"}
    created = make_event(hub, crm, event_type="ContactCreate", payload=contact)
    name = load_pseudonyms(hub).name(NUMBER)
    rows = {row.id: row for row in list_events(hub, analyst, EventFilters()).rows}
    assert rows[sms].summary == f"SMS from {name}: {HIDDEN}"
    detail = get_event(hub, analyst, sms)
    assert dict(detail.keys)["phone"] == detail.payload["From"] == name
    assert get_event(hub, analyst, created).payload["phone"] == name
    assert rows[created].summary == f"HighLevel ContactCreate: {name}"
    content = get_content(hub, analyst, sms)
    assert content.envelope["data"]["From"] == name
    assert dict(get_event(hub, ada, sms).keys)["phone"] == NUMBER
    with pytest.raises(NotAllowed):
        list_events(hub, analyst, EventFilters(search=name))
