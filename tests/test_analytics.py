"""Figures of known histories: sums, percentiles, zones, shares, and what narrows them."""

from zoneinfo import ZoneInfo

import pytest
import time_machine

from lib.access import Actor
from lib.analytics.deliveries import attempts_needed, causes, failing_destinations
from lib.analytics.figures import Figures, change, figures
from lib.analytics.latency import latency, waits
from lib.analytics.messages import funnels
from lib.analytics.periods import Period, span
from lib.analytics.scopes import Filters, members
from lib.analytics.silence import silent_integrations
from lib.analytics.volume import heat_map, outcomes, volume
from lib.connections.integrations import Integration
from lib.errors import NotAllowed
from lib.histogram import bucket_of, upper_bound
from lib.hub import Hub
from tests.event_factories import make_integration
from tests.factories import make_user
from tests.figure_factories import (
    at,
    count_attempts,
    count_failures,
    count_messages,
    count_received,
    count_waits,
    remove_integration,
)
from tests.outgoing_factories import make_destination, make_route

ALL = Filters()
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
DAY = span(at("2026-11-03 00:00"), at("2026-11-04 00:00"), ZoneInfo("UTC"))
MONTH = span(at("2026-10-15 22:00"), at("2026-11-14 23:00"), BERLIN)


@pytest.fixture
def ada(hub: Hub) -> Actor:
    return make_user(hub)


@pytest.fixture
def item(hub: Hub, ada: Actor) -> Integration:
    return make_integration(hub, ada)


def test_volume_is_by_hour_and_service(hub: Hub, ada: Actor, item: Integration) -> None:
    other = make_integration(hub, ada, "Scenario", service_name="make")
    for hour, count, event_type in (("10:00", 3, "a"), ("10:00", 4, "b"), ("11:00", 1, "a")):
        count_received(hub, item, at(f"2026-11-03 {hour}"), count, event_type=event_type)
    count_received(hub, other, at("2026-11-03 10:00"), 5)
    count_received(hub, item, at("2026-11-03 10:00"), 9, outcome="rejected")
    count_received(hub, item, at("2026-11-04 00:00"), 100)
    found = [(p.start, p.service_name, p.count) for p in volume(hub, ada, DAY, ALL)]
    assert found == [
        (at("2026-11-03 10:00"), "make", 5),
        (at("2026-11-03 10:00"), "twilio", 7),
        (at("2026-11-03 11:00"), "twilio", 1),
    ]
    narrowed = volume(hub, ada, DAY, Filters(service_name="make"))
    assert [p.count for p in narrowed] == [5]
    assert [p.count for p in volume(hub, ada, DAY, Filters(integration_id=item.id))] == [7, 1]


def test_volume_of_a_month_is_by_the_zones_days(hub: Hub, ada: Actor, item: Integration) -> None:
    # 25 October 2026 has 25 hours in Berlin: from 22:00 UTC the day before to 23:00 UTC.
    for hour in ("2026-10-24 21:00", "2026-10-24 22:00", "2026-10-25 22:00", "2026-10-25 23:00"):
        count_received(hub, item, at(hour))
    found = [(p.start, p.end, p.count) for p in volume(hub, ada, MONTH, ALL)]
    assert found == [
        (at("2026-10-23 22:00"), at("2026-10-24 22:00"), 1),
        (at("2026-10-24 22:00"), at("2026-10-25 23:00"), 2),
        (at("2026-10-25 23:00"), at("2026-10-26 23:00"), 1),
    ]


def test_outcomes_join_attempts_and_refusals(hub: Hub, ada: Actor, item: Integration) -> None:
    place = make_destination(hub, ada)
    hour = at("2026-11-03 10:00")
    for outcome, count in (("delivered", 5), ("accepted", 2), ("retrying", 3), ("dead", 1)):
        count_attempts(hub, place, hour, count, outcome=outcome)
    count_received(hub, item, hour, 4, outcome="rejected", event_type="wrong_signature")
    count_received(hub, item, hour, 50)
    found = {p.outcome: p.count for p in outcomes(hub, ada, DAY, ALL)}
    assert found == {"delivered": 5, "accepted": 2, "retrying": 3, "dead": 1, "rejected": 4}


def test_percentiles_merge_histograms_and_average_nothing(hub: Hub, ada: Actor) -> None:
    fast, slow = make_destination(hub, ada, "Fast"), make_destination(hub, ada, "Slow")
    hour = at("2026-11-03 10:00")
    count_attempts(hub, fast, hour, 98, bucket=bucket_of(100))
    count_attempts(hub, slow, hour, 2, bucket=bucket_of(20_000))
    points = latency(hub, ada, DAY, ALL)
    assert len(points) == 24
    point = points[10]
    assert (point.start, point.attempts) == (hour, 100)
    quick, late = upper_bound(bucket_of(100)), upper_bound(bucket_of(20_000))
    assert (point.p50, point.p95, point.p99) == (quick, quick, late)
    assert (points[9].attempts, points[9].p50) == (0, None)
    assert latency(hub, ada, MONTH, Filters(destination_id="dst_none")) == []


def test_causes_are_ordered_with_their_cumulative_share(hub: Hub, ada: Actor) -> None:
    place = make_destination(hub, ada)
    for error_class, status, count in (
        ("http_5xx", 503, 6),
        ("timeout", 0, 3),
        ("http_4xx", 404, 1),
    ):
        for hour in ("10:00", "11:00"):
            moment = at(f"2026-11-03 {hour}")
            more = {"error_class": error_class, "response_status": status}
            count_failures(hub, place, moment, count, **more)
    found = causes(hub, ada, DAY, ALL)
    assert [(c.error_class, c.response_status, c.count) for c in found] == [
        ("http_5xx", 503, 12),
        ("timeout", None, 6),
        ("http_4xx", 404, 2),
    ]
    assert [round(c.cumulative_share, 3) for c in found] == [0.6, 0.9, 1.0]


def test_rare_causes_count_in_the_shares_though_they_are_not_listed(hub: Hub, ada: Actor) -> None:
    place = make_destination(hub, ada)
    for status in range(400, 420):
        count_failures(hub, place, DAY.since, response_status=status, error_class="http_4xx")
    found = causes(hub, ada, DAY, ALL)
    assert (len(found), found[-1].cumulative_share) == (12, 0.6)


def test_attempts_needed_show_gaps_and_shares(hub: Hub, ada: Actor) -> None:
    place = make_destination(hub, ada)
    count_attempts(hub, place, DAY.since, 6)
    count_attempts(hub, place, DAY.since, 2, attempt=3, outcome="accepted")
    count_attempts(hub, place, DAY.since, 9, attempt=2, outcome="retrying")
    found = [(a.attempt, a.count, a.share) for a in attempts_needed(hub, ada, DAY, ALL)]
    assert found == [(1, 6, 0.75), (2, 0, 0.0), (3, 2, 0.25)]


def test_the_worst_destinations_come_first(hub: Hub, ada: Actor) -> None:
    good, poor, bad = (make_destination(hub, ada, name) for name in ("Good", "Poor", "Bad"))
    count_attempts(hub, good, DAY.since, 10)
    for place, retrying, dead in ((poor, 2, 0), (bad, 3, 1)):
        count_attempts(hub, place, DAY.since, 4)
        count_attempts(hub, place, DAY.since, retrying, outcome="retrying")
        if dead:
            count_attempts(hub, place, DAY.since, dead, outcome="dead")
    found = failing_destinations(hub, ada, DAY, ALL)
    assert [(f.name, f.failures, f.attempts, f.dead, f.share) for f in found] == [
        ("Bad", 4, 8, 1, 0.5),
        ("Poor", 2, 6, 0, 2 / 6),
    ]


def test_the_heat_map_is_of_the_viewers_weekdays(hub: Hub, ada: Actor, item: Integration) -> None:
    # Sunday 23:30 in New York is Monday in UTC; summer time ends on 1 November there.
    count_received(hub, item, at("2026-10-26 03:00"), 2)
    count_received(hub, item, at("2026-11-09 04:00"), 3)
    period = Period(at("2026-10-20 04:00"), at("2026-11-19 05:00"), NEW_YORK)
    cells = heat_map(hub, ada, period, ALL)
    assert len(cells) == 168
    assert [(c.weekday, c.hour, c.count) for c in cells if c.count] == [(6, 23, 5)]
    assert heat_map(hub, ada, DAY, ALL) == []


def test_figures_of_a_span(hub: Hub, ada: Actor, item: Integration) -> None:
    place = make_destination(hub, ada)
    count_received(hub, item, DAY.since, 20)
    count_received(hub, item, DAY.since, 2, outcome="rejected")
    count_attempts(hub, place, DAY.since, 6, bucket=10)
    count_attempts(hub, place, DAY.since, 4, outcome="retrying", bucket=30)
    count_attempts(hub, place, DAY.since, 2, attempt=3, bucket=10)
    count_attempts(hub, place, DAY.since, 1, attempt=4, bucket=10)
    count_attempts(hub, place, DAY.since, 1, attempt=10, outcome="dead", bucket=10)
    assert figures(hub, ada, DAY, ALL) == Figures(
        received=20,
        rejected=2,
        first_attempt_share=0.6,
        delivered_share=0.9,
        prompt_share=0.8,
        p95_milliseconds=upper_bound(30),
        delivered=9,
        dead=1,
    )
    empty = figures(hub, ada, MONTH, Filters(destination_id="dst_none"))
    assert empty == Figures(0, 0, None, None, None, None, 0, 0)


def test_a_change_needs_something_to_compare_with() -> None:
    assert (change(15, 10), change(5, 10)) == (0.5, -0.5)
    assert [change(5, old) for old in (0, None)] == [None, None]
    assert change(None, 5) is None


def test_a_silence_is_longer_than_any_pause_before(hub: Hub, ada: Actor) -> None:
    quiet, lively, gone, new = (
        make_integration(hub, ada, name) for name in ("Quiet", "Lively", "Gone", "New")
    )
    for day in range(1, 7):
        for item in (quiet, gone):
            count_received(hub, item, at(f"2026-11-{day:02} 08:00"))
            count_received(hub, item, at(f"2026-11-{day:02} 18:00"))
        count_received(hub, lively, at(f"2026-11-{2 * day:02} 08:00"))
    count_received(hub, new, at("2026-11-01 08:00"))
    remove_integration(hub, gone, at("2026-11-07 00:00"))
    with time_machine.travel(at("2026-11-07 08:30"), tick=False):
        assert silent_integrations(hub, ada, ALL) == []
    with time_machine.travel(at("2026-11-08 19:00"), tick=False):
        (found,) = silent_integrations(hub, ada, ALL)
    assert (found.name, found.last_hour) == ("Quiet", at("2026-11-06 18:00"))
    assert (found.longest_pause.total_seconds(), found.quiet_for.total_seconds()) == (
        14 * 3600,
        48 * 3600,
    )


def test_a_funnel_counts_all_that_came_at_least_so_far(
    hub: Hub, ada: Actor, item: Integration
) -> None:
    for state, code, count in (
        ("queued", "", 1),
        ("sent", "", 2),
        ("delivered", "", 10),
        ("read", "", 3),
        ("undelivered", "30003", 3),
        ("failed", "30008", 1),
    ):
        count_messages(hub, item, DAY.since, count, state=state, error_code=code)
    count_messages(hub, item, DAY.since, 2, kind="call", state="busy")
    messages, calls = funnels(hub, ada, DAY, ALL)
    assert (messages.service_name, messages.label, messages.total) == ("twilio", "Messages", 20)
    assert [(s.name, s.count, s.share) for s in messages.stages] == [
        ("queued", 20, 1.0),
        ("sent", 18, 0.9),
        ("delivered", 13, 0.65),
    ]
    assert [(f.state, f.error_code, f.count) for f in messages.failures] == [
        ("undelivered", "30003", 3),
        ("failed", "30008", 1),
    ]
    assert [(s.name, s.count) for s in calls.stages] == [
        ("initiated", 2),
        ("ringing", 2),
        ("answered", 0),
    ]


def test_waits_are_in_seconds_by_measure(hub: Hub, ada: Actor, item: Integration) -> None:
    count_waits(hub, item, at("2026-11-03 10:00"), 9, bucket=bucket_of(60))
    count_waits(hub, item, at("2026-11-03 11:00"), 1, bucket=bucket_of(7200))
    count_waits(hub, item, at("2026-11-03 10:00"), 4, measure="message_delivered", bucket=1)
    arrival, reply = waits(hub, ada, DAY, ALL)
    assert (arrival.measure, arrival.count, arrival.p50) == ("message_delivered", 4, upper_bound(1))
    assert (reply.measure, reply.count) == ("reply", 10)
    assert (reply.p50, reply.p95) == (upper_bound(bucket_of(60)), upper_bound(bucket_of(7200)))
    assert [(p.count, p.p50) for p in reply.points] == [(9, reply.p50), (1, reply.p95)]


def test_routes_join_integrations_with_their_destinations(hub: Hub, ada: Actor) -> None:
    desk, shop = make_integration(hub, ada), make_integration(hub, ada, service_name="make")
    near, far = make_destination(hub, ada, "Near"), make_destination(hub, ada, "Far")
    make_route(hub, desk, near)
    make_route(hub, shop, far)
    count_received(hub, desk, DAY.since, 3)
    count_received(hub, shop, DAY.since, 4)
    count_attempts(hub, near, DAY.since, 5)
    count_attempts(hub, far, DAY.since, 6)
    for filters, received, delivered in (
        (Filters(destination_id=far.id), 4, 6),
        (Filters(integration_id=desk.id), 3, 5),
        (Filters(service_name="make"), 4, 6),
        (Filters(service_name="make", integration_id=desk.id), 0, 0),
    ):
        found = figures(hub, ada, DAY, filters)
        assert (found.received, found.delivered) == (received, delivered), filters


def test_staff_may_look_at_one_member(hub: Hub, ada: Actor, item: Integration) -> None:
    bob, sam = make_user(hub, "bob@example.com"), make_user(hub, "sam@example.com", "staff")
    count_received(hub, item, DAY.since, 3)
    count_received(hub, make_integration(hub, bob), DAY.since, 4)
    for member, count in ((None, 7), (ada.id, 3), (bob.id, 4)):
        assert figures(hub, sam, DAY, Filters(member_id=member)).received == count
    assert figures(hub, bob, DAY, Filters(member_id=ada.id)).received == 0
    assert [email for _, email in members(hub, sam)] == [ada.email, bob.email, sam.email]
    for other in (ada, make_user(hub, "ana@example.com", "analyst")):
        with pytest.raises(NotAllowed):
            members(hub, other)
