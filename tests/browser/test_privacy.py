"""What reaches a browser: nobody's things but the reader's own, and of no one the secrets."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from io import BytesIO

import pyarrow as pa
import pytest
import requests
from google.protobuf.message import DecodeError
from playwright.sync_api import BrowserContext, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from lib.access import Actor
from lib.clock import now
from lib.hub import Hub
from lib.ids import new_id
from lib.models import Delivery, WebhookEvent
from tests.browser.conftest import Dashboard
from tests.browser.frames import reader_of
from tests.browser.private_world import CONTACT, DIGITS, NAME, World, make_world
from tests.browser.visits import Traffic, enter, person, rest, visit
from tests.event_factories import make_event, make_integration

MOST_ROWS = 200
MOST_POINTS = 5_000
MANY = 500
_IDS = re.compile(rb"([a-z]{3})_[0-9a-f]{32}")


@pytest.fixture(scope="module")
def world(dashboard: Dashboard) -> World:
    """What bea has."""
    return make_world(dashboard.hub, person(dashboard.hub, "bea"))


# Every screen with the ids of somebody else in its address; nothing may be left to guess.
FOREIGN = (
    "",
    "overview",
    "activity",
    "activity?event={event}",
    f"activity?q={DIGITS}",
    "activity?integration={integration}&destination={destination}",
    "deliveries?destination={destination}",
    "deliveries?replay={replay}",
    "issues",
    "issues?open={issue}",
    "alerts",
    "rejected",
    "rejected?examine={rejection}",
    "integrations",
    "integrations?open={integration}",
    "webhooks",
    "webhooks?open={destination}",
    "webhooks?view=Routes",
    "webhooks?route={route}",
    "webhooks?route=new&to={destination}",
    "testing?tool=Bin %26 chaos&watch={trial}",
    "testing?tool=Route test",
    "testing?tool=Doctor",
    "analytics?integration={integration}&destination={destination}&member={member}",
    "analytics?show=Failures&destination={destination}",
    "analytics?show=Report&member={member}",
    "users",
    "audit",
    "account",
)
EXPORTS = (
    "export/events.csv",
    "export/events.jsonl?integration={integration}",
    "export/deliveries.csv",
    "export/deliveries.jsonl?destination={destination}",
)


def test_the_owner_gets_what_the_others_must_not(
    dashboard: Dashboard, context: BrowserContext, world: World
) -> None:
    # Without this the other journeys would also pass if they could not see what is sent.
    enter(context, dashboard, "bea")
    page = context.new_page()
    traffic = Traffic(page)
    visit(page, f"{dashboard.url}/activity?event={world.ids['event']}")
    expect(page.get_by_role("dialog").get_by_text("Quokkaburra").first).to_be_attached()
    sent = reader_of(dashboard, "bea").open(f"activity?event={world.ids['event']}")
    for marker in (NAME, *CONTACT, world.ids["delivery"]):
        assert traffic.holds(marker), marker
        assert sent.holds(marker), marker
    # What is read from the socket alone is what a browser gets.
    assert _ids_in(sent.frames) == _ids_in(traffic.frames)
    got = context.request.get(f"{dashboard.url}/export/events.csv")
    assert world.ids["event"] in got.text()


# What opens over the list, so that a browser has something to ask for.
OPENED = (
    "activity?event={event}",
    "issues?open={issue}",
    "integrations?open={integration}",
    "webhooks?open={destination}",
)


@pytest.fixture
def ada(dashboard: Dashboard) -> Actor:
    """Somebody else, with something of her own."""
    ada = person(dashboard.hub, "ada")
    item = make_integration(dashboard.hub, ada, "Wombat desk")
    make_event(dashboard.hub, item, payload={"Body": "mine"})
    return ada


def test_a_member_is_sent_nothing_of_another_by_any_address(
    dashboard: Dashboard, world: World, ada: Actor
) -> None:
    reader = reader_of(dashboard, "ada")
    for template in FOREIGN:
        path = template.format(**world.ids)
        sent = reader.open(path)
        assert not [each for each in _unknown(world, path) if sent.holds(each)], path
    for template in EXPORTS:
        path = template.format(**world.ids)
        got = requests.get(
            f"{dashboard.url}/{path}", cookies={"hub_session": reader.cookie}, timeout=30
        )
        assert got.status_code == 200
        names = (*_names(world), world.ids["event"])
        assert not [each for each in names if each in got.text], path


def test_a_members_browser_gets_nothing_of_another(
    dashboard: Dashboard, context: BrowserContext, world: World, ada: Actor
) -> None:
    enter(context, dashboard, "ada")
    page = context.new_page()
    traffic = Traffic(page)
    for template in OPENED:
        traffic.forget()
        path = template.format(**world.ids)
        visit(page, f"{dashboard.url}/{path}")
        text = page.locator("body").inner_text()
        unknown = _unknown(world, path)
        assert not [each for each in unknown if each in text or traffic.holds(each)], path


def _unknown(world: World, path: str) -> list[str]:
    """Return what the reader must not get: all but what stands in the address already."""
    return [each for each in (*_names(world), *world.ids.values()) if each not in path]


def _names(world: World) -> tuple[str, ...]:
    return (NAME, *CONTACT, "bea@example.com", *world.secrets)


def test_the_search_box_does_not_open_what_is_not_ones_own(
    dashboard: Dashboard, context: BrowserContext, world: World
) -> None:
    enter(context, dashboard, "ada")
    page = context.new_page()
    visit(page, f"{dashboard.url}/account")
    traffic = Traffic(page)
    box = page.get_by_role("searchbox", name="Search everything")
    for kind in ("event", "delivery", "issue", "integration", "destination", "route"):
        box.fill(world.ids[kind])
        box.press("Enter")
        expect(page.get_by_text(f"No event matches search: {world.ids[kind]}")).to_be_visible()
    assert not traffic.holds(NAME)


READABLE = (
    "",
    "analytics",
    "analytics?show=Failures",
    "analytics?show=Rhythm",
    "analytics?show=Messages",
    "analytics?show=Report",
    "activity",
    "activity?event={event}",
    "activity?integration={integration}",
    "deliveries",
    "deliveries?destination={destination}",
    "account",
)
WRITERS = {
    "issues?open={issue}": "Issue",
    "alerts": "Alerts",
    "rejected?examine={rejection}": "Rejected",
    "integrations?open={integration}": f"{NAME} desk",
    "webhooks?open={destination}": f"{NAME} sink",
    "testing": "Testing tools",
    "users": "Users",
    "audit": "Audit",
}


def test_an_analyst_is_sent_masked_data_only(dashboard: Dashboard, world: World) -> None:
    reader = reader_of(dashboard, "ann")
    hidden = (*CONTACT, "5550177", *world.secrets)
    found: set[bytes] = set()
    for template in READABLE:
        path = template.format(**world.ids)
        sent = reader.open(path)
        assert not [each for each in hidden if sent.holds(each)], path
        found |= _ids_in(sent.frames)
    assert world.ids["event"].encode() in found
    for name in ("events.csv", "events.jsonl", "deliveries.csv", "deliveries.jsonl"):
        got = requests.get(
            f"{dashboard.url}/export/{name}", cookies={"hub_session": reader.cookie}, timeout=30
        )
        assert got.status_code == 200
        assert not [each for each in CONTACT if each in got.text], name


def test_an_analyst_reads_masked_data_in_the_details(
    dashboard: Dashboard, context: BrowserContext, world: World
) -> None:
    enter(context, dashboard, "ann")
    page = context.new_page()
    traffic = Traffic(page)
    visit(page, f"{dashboard.url}/activity?event={world.ids['event']}")
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text(world.ids["event"])).to_be_visible()
    drawer.get_by_role("button", name="Details").first.click()
    expect(drawer.get_by_role("button", name="Hide details")).to_be_visible()
    rest(page)
    text = page.locator("body").inner_text()
    assert not [each for each in (*CONTACT, "5550177") if each in text]
    assert traffic.holds(world.ids["event"])
    assert not [each for each in (*CONTACT, "5550177", *world.secrets) if traffic.holds(each)]


def test_an_analyst_is_refused_by_the_pages_of_writers(dashboard: Dashboard, world: World) -> None:
    analyst, staff = reader_of(dashboard, "ann"), reader_of(dashboard, "sam")
    for template, heading in WRITERS.items():
        path = template.format(**world.ids)
        assert heading in staff.open(path).headings(), path
        sent = analyst.open(path)
        assert heading not in sent.headings(), path
        assert not [each for each in CONTACT if sent.holds(each)], path


def test_an_analyst_finds_no_page_of_writers(
    dashboard: Dashboard, context: BrowserContext, world: World
) -> None:
    enter(context, dashboard, "ann")
    page = context.new_page()
    visit(page, f"{dashboard.url}/users")
    expect(page.get_by_role("heading", name="Users", exact=True)).to_have_count(0)
    # Their names stand in no menu either.
    for label in ("Issues", "Integrations", "Users", "Audit"):
        expect(page.get_by_role("link", name=label, exact=True)).to_have_count(0)


WALK = (
    "",
    "analytics",
    "analytics?show=Failures",
    "activity",
    "activity?choose=true",
    "activity?event={event}",
    "deliveries",
    "issues",
    "issues?open={issue}",
    "alerts",
    "rejected",
    "rejected?examine={rejection}",
    "integrations?table=true",
    "integrations?open={integration}",
    "webhooks",
    "webhooks?open={destination}",
    "webhooks?route={route}",
    "testing",
    "testing?tool=Bin %26 chaos",
    "testing?tool=Doctor",
    "users",
    "audit",
    "account",
)


def test_staff_get_no_secret_and_no_more_rows_than_a_page(
    dashboard: Dashboard, world: World
) -> None:
    make_many(dashboard.hub, world)
    reader = reader_of(dashboard, "sam")
    # Nor any hash of a password, the master key's file, or the session's own cookie.
    keys = dashboard.hub.settings.key_file.read_text().split()
    assert keys
    assert reader.cookie
    names_it = 0
    for template in WALK:
        path = template.format(**world.ids)
        sent = reader.open(path)
        names_it += sent.holds(NAME)
        hidden = (*world.secrets, "$2b$", *keys, reader.cookie)
        assert not [each for each in hidden if sent.holds(each)], path
        for frame in sent.frames:
            check_size(frame)
    assert names_it > len(WALK) / 2


def make_many(hub: Hub, world: World) -> None:
    """Repeat the world's event and its delivery many times."""
    with hub.database.write() as session:
        event = session.get_one(WebhookEvent, world.ids["event"]).model_dump()
        delivery = session.get_one(Delivery, world.ids["delivery"]).model_dump()
        for _ in range(MANY):
            event |= {"id": new_id("evt"), "dedupe_key": new_id("key"), "created_at": now()}
            delivery |= {"id": new_id("dlv"), "event_id": event["id"]}
            session.add(WebhookEvent(**event))
            session.flush()
            session.add(Delivery(**delivery))


def _ids_in(frames: Iterable[bytes]) -> set[bytes]:
    return {match[0] for frame in frames for match in _IDS.finditer(frame)}


def check_size(frame: bytes) -> None:
    """Fail when a frame holds more rows or points than a screen may get."""
    found: dict[bytes, set[bytes]] = defaultdict(set)
    for match in _IDS.finditer(frame):
        found[match[1]].add(match[0])
    assert all(len(ids) <= MOST_ROWS for ids in found.values()), {
        kind: len(ids) for kind, ids in found.items()
    }
    try:
        message = ForwardMsg.FromString(frame)
    except DecodeError:
        return
    element = message.delta.new_element
    if element.dataframe.arrow_data.data:
        rows = pa.ipc.open_stream(BytesIO(element.dataframe.arrow_data.data)).read_all().num_rows
        assert rows <= MOST_ROWS
    if element.vega_lite_chart.spec:
        spec = json.loads(element.vega_lite_chart.spec)
        values = spec.get("data", {}).get("values", [])
        assert len(values) <= MOST_POINTS
