"""No query behind a screen reads a whole big table, and pages of any filters are whole."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from lib import audit_reading, card_pages, overview
from lib.access import Actor
from lib.alerts import reading as alerts
from lib.analytics.deliveries import attempts_needed, causes, failing_destinations
from lib.analytics.figures import figures
from lib.analytics.latency import latency, waits
from lib.analytics.messages import funnels
from lib.analytics.periods import find_zone, period_of
from lib.analytics.scopes import Filters
from lib.analytics.silence import silent_integrations
from lib.analytics.volume import heat_map, outcomes, volume
from lib.audit_reading import AuditFilters
from lib.clock import now
from lib.connections import choices
from lib.events import contents as event_contents
from lib.events import reading as events
from lib.events import windows as event_windows
from lib.events.figures import figures_of
from lib.events.reading import EventFilters, EventRow, list_events
from lib.hub import Hub
from lib.intake import rejections
from lib.models import Delivery, EventKey, WebhookEvent
from lib.outgoing import deliveries, destination_figures, issues
from lib.outgoing.delivery_filters import DeliveryFilters
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_delivery, make_destination
from tests.statement_plans import statements_of, whole_tables_read

DAY_AGO, HOUR_AHEAD = now() - timedelta(days=1), now() + timedelta(hours=1)
ASKED = [
    EventFilters(),
    EventFilters(service_name="twilio"),
    EventFilters(event_type="call.received"),
    EventFilters(integration_id="int_0"),
    EventFilters(integration_id="int_0", event_type="call.received"),
    *(EventFilters(status=status) for status in ("pending", "success", "failed")),
    *(EventFilters(status=status) for status in ("queued", "delivering", "delivered", "dead")),
    *(EventFilters(status=status) for status in ("retrying", "filtered", "paused", "duplicate")),
    EventFilters(status="failing"),
    EventFilters(since=DAY_AGO, until=HOUR_AHEAD),
    EventFilters(destination_id="dst_0"),
    EventFilters(response_status="5xx"),
    EventFilters(error_class="http_5xx", min_attempts=1),
    EventFilters(is_verified=True),
    EventFilters(tag="case=4711"),
    EventFilters(expression="From"),
    EventFilters(search="+14155550123"),
    EventFilters(search="hopper"),
]
Case = Callable[[Hub, Actor], Any]
READS: dict[str, Case] = {
    "first screen": overview.first_screen,
    "card": lambda hub, actor: overview.card(
        hub, actor, overview.first_screen(hub, actor)[1][0].integration.id
    ),
    "card page": lambda hub, actor: card_pages.card_page(hub, actor, card_pages.CardFilters()),
    "choices": lambda hub, actor: choices.list_choices(hub, actor, also="int_0"),
    "volume": lambda hub, actor: overview.volume(hub, actor, hours=24),
    "types": events.list_event_types,
    "contents": lambda hub, actor: event_contents.list_contents(hub, actor, EventFilters()),
    "samples": lambda hub, actor: event_contents.list_samples(hub, actor, event_type="x"),
    "deliveries": lambda hub, actor: deliveries.list_deliveries(hub, actor, DeliveryFilters()),
    "dead deliveries": lambda hub, actor: deliveries.list_deliveries(
        hub, actor, DeliveryFilters(status="dead")
    ),
    "figures": lambda hub, actor: figures_of(hub, actor, ["evt_0", "evt_1"]),
    "destinations": destination_figures.destination_overview,
    "issues": issues.list_issues,
    "open issues": issues.count_open,
    "rejections": rejections.list_rejections,
    "queue": overview.queue,
    "open alerts": alerts.count_open,
    **{
        part.__name__: lambda hub, actor, part=part: part(
            hub, actor, period_of("30d", find_zone("Europe/Berlin")), Filters()
        )
        for part in (
            figures, volume, outcomes, heat_map, latency, waits,
            attempts_needed, causes, failing_destinations, funnels,
        )
    },
    "silences": lambda hub, actor: silent_integrations(hub, actor, Filters()),
}  # fmt: skip
AUDITED = [
    AuditFilters(), AuditFilters(user_id="usr_0"), AuditFilters(subject="user"),
    AuditFilters(subject="event"),
    AuditFilters(object_id="int_0"),
]  # fmt: skip


def _seed(hub: Hub) -> tuple[Actor, Actor]:
    """Return a member with some events of every kind, and staff."""
    ada, bob = make_user(hub), make_user(hub, "bob@example.com")
    items = [
        make_integration(hub, ada),
        make_integration(hub, ada, "Orders", service_name="make"),
        make_integration(hub, bob, "Other", service_name="webhook"),
    ]
    destination = make_destination(hub, ada)
    chance = random.Random(7)
    made = []
    for number in range(90):
        event_id = make_event(
            hub,
            chance.choice(items),
            status=chance.choice(["success", "success", "failed", "pending"]),
            event_type=chance.choice(["message.received", "call.received"]),
            age=timedelta(minutes=chance.randrange(4_000)),
            payload={"From": "+1"} if number % 3 else {"To": "+2"},
        )
        made.append(event_id)
        if number % 2:
            status = chance.choice(["delivered", "dead", "retrying", "pending", "sending"])
            make_delivery(hub, event_id, destination, status=status)
    with hub.database.write() as session:
        for event_id in made[::9]:
            session.add(EventKey(event_id=event_id, kind="tag", value="case=4711"))
    return ada, make_user(hub, "eve@example.com", role="staff")


@pytest.mark.parametrize("windows", ["one", "common words"])
def test_no_query_reads_a_whole_table(
    hub: Hub, windows: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if windows == "common words":
        monkeypatch.setattr(event_windows.search, "MOST_MATCHES", 3)
    monkeypatch.setattr(event_windows, "WINDOW", 20)
    member, staff = _seed(hub)
    with statements_of(hub) as seen:
        for actor in (member, staff):
            for filters in ASKED:
                list_events(hub, actor, filters, limit=10)
            for read in READS.values():
                read(hub, actor)
        for audited in AUDITED:
            audit_reading.list_entries(hub, staff, audited)
    assert len(seen) > 100
    whole = {text: steps for text, given in seen if (steps := whole_tables_read(hub, text, given))}
    assert not whole, "\n\n".join(f"{text}\n{steps}" for text, steps in whole.items())


def _all(hub: Hub, actor: Actor, filters: EventFilters) -> list[EventRow]:
    found: list[EventRow] = []
    cursor = None
    for _ in range(300):
        page = list_events(hub, actor, filters, cursor=cursor, limit=7)
        found += page.rows
        if page.searched_back_to is None:
            assert len(page.rows) == 7 or page.next_cursor is None
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize(("most", "expected"), [(2_000, 40_000), (3, 40_000), (2_000, 0)])
def test_pages_put_together_are_what_the_filters_say(
    hub: Hub, most: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each filter alone defines its own set; any two together must be what both have."""
    monkeypatch.setattr(event_windows.search, "MOST_MATCHES", most)
    monkeypatch.setattr(event_windows.search, "EXPECTED_OF_COMMON", expected)
    member, staff = _seed(hub)
    every = [row.id for row in _all(hub, staff, EventFilters())]
    assert len(every) == 90
    assert every == sorted(every, reverse=True)
    named = {"integration_id": _all(hub, staff, EventFilters())[0].integration_id}
    parts = [_set_fields(asked) | (named if asked.integration_id else {}) for asked in ASKED]
    chance = random.Random(3)
    monkeypatch.setattr(event_windows, "WINDOW", 5)
    monkeypatch.setattr(event_windows, "FEW_WINDOWS", 2)
    for _ in range(40):
        first, second = chance.sample(parts, 2)
        if first.keys() & second.keys():
            continue
        actor = chance.choice([member, staff])
        both = [row.id for row in _all(hub, actor, EventFilters(**first, **second))]
        counted = events.count_events(hub, actor, EventFilters(**first, **second))
        assert (counted.count, counted.is_all) == (len(both), True)
        alone = [
            {row.id for row in _all(hub, actor, EventFilters(**part))} for part in (first, second)
        ]
        assert both == sorted(alone[0] & alone[1], reverse=True), (first, second)


STATUSES = (
    "pending", "success", "failed", "failing", "dead", "delivered", "retrying", "filtered",
)  # fmt: skip
CHOICES: dict[str, list[Any]] = {
    "status": [None, *STATUSES],
    "event_type": [None, "message.received", "call.received"],
    "service_name": [None, "twilio", "make"],
    "tag": [None, None, "case=4711"],
    "min_attempts": [None, None, 1, 3],
    "since": [None, DAY_AGO],
}


def test_pages_hold_what_a_look_at_every_row_finds(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    member, staff = _seed(hub)
    monkeypatch.setattr(event_windows, "WINDOW", 6)
    monkeypatch.setattr(event_windows, "FEW_WINDOWS", 2)
    with hub.database.read() as session:
        rows = session.exec(select(WebhookEvent)).all()
        sent = session.exec(select(Delivery)).all()
        tagged = {key.event_id for key in session.exec(select(EventKey)) if key.kind == "tag"}
    chance, met = random.Random(11), 0
    for _ in range(60):
        asked = {name: chance.choice(values) for name, values in CHOICES.items()}
        actor = chance.choice([member, staff])
        expected = [
            row.id
            for row in sorted(rows, key=lambda row: row.id, reverse=True)
            if (actor is staff or row.user_id == actor.id)
            and _matches(row, [each for each in sent if each.event_id == row.id], tagged, asked)
        ]
        assert [row.id for row in _all(hub, actor, EventFilters(**asked))] == expected, asked
        met += bool(expected)
    assert met > 15


def _matches(
    row: WebhookEvent, sent: list[Delivery], tagged: set[str], asked: dict[str, Any]
) -> bool:
    """Say what the filters mean, in words of their own."""
    status, least = asked["status"], asked["min_attempts"]
    wanted = [each for each in sent if least is None or each.attempts >= least]
    if status in ("dead", "retrying"):
        wanted = [each for each in wanted if each.status == status]
    by_status = {
        "pending": row.status == "pending",
        "success": row.status == "success",
        "failed": row.status == "failed",
        "failing": row.status == "failed"
        or any(each.status in ("dead", "retrying") for each in sent),
        "filtered": row.status == "success" and not sent,
        "delivered": bool(sent) and all(each.status in ("delivered", "accepted") for each in sent),
    }
    return (
        by_status.get(status, True)
        and (bool(wanted) or (least is None and status not in ("dead", "retrying")))
        and asked["event_type"] in (None, row.event_type)
        and asked["service_name"] in (None, row.service_name)
        and (asked["tag"] is None or row.id in tagged)
        and (asked["since"] is None or row.created_at >= asked["since"])
    )


def _set_fields(asked: EventFilters) -> dict[str, Any]:
    return {name: value for name, value in vars(asked).items() if value not in (None, "")}
