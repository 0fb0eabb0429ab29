"""The circuit breaker of a destination."""

from datetime import UTC, datetime, timedelta

import pytest

from lib.models import DestinationState
from lib.outgoing.breaker import OPENS_AFTER, begin_probe, most_at_once, note_result
from lib.providers.targets import ErrorClass, Judgement

MOMENT = datetime(2026, 11, 25, 12, tzinfo=UTC)
DOWN = Judgement("retry", "timeout", "No answer.")
FINE = Judgement("delivered")


def fresh() -> DestinationState:
    return DestinationState(
        destination_id="dst_1",
        breaker="closed",
        failures_in_row=0,
        times_opened=0,
        tokens=1.0,
        refilled_at=MOMENT,
        window_started_at=MOMENT,
        window_count=0,
    )


def fail(state: DestinationState, times: int, moment: datetime = MOMENT) -> None:
    for _ in range(times):
        note_result(state, DOWN, moment, wait=None)


def pause(state: DestinationState, moment: datetime) -> float:
    assert state.blocked_until is not None
    return (state.blocked_until - moment).total_seconds()


def test_opens_after_ten_failures_in_a_row() -> None:
    state = fresh()
    fail(state, OPENS_AFTER - 1)
    note_result(state, FINE, MOMENT, wait=None)
    fail(state, OPENS_AFTER - 1)
    assert state.breaker == "closed"
    fail(state, 1)
    assert state.breaker == "open"
    assert pause(state, MOMENT) == 15


def test_results_of_requests_from_before_do_not_lengthen_the_pause() -> None:
    state = fresh()
    fail(state, OPENS_AFTER)
    fail(state, 40, MOMENT + timedelta(seconds=9))
    assert pause(state, MOMENT) == 15


def test_each_failed_probe_doubles_the_pause_up_to_ten_minutes() -> None:
    state, moment, pauses = fresh(), MOMENT, []
    fail(state, OPENS_AFTER)
    for _ in range(12):
        moment += timedelta(hours=1)
        begin_probe(state)
        assert most_at_once(state, 50) == 1
        fail(state, 1, moment)
        pauses.append(pause(state, moment))
    assert pauses[:6] == [30, 60, 120, 240, 480, 600]
    assert set(pauses[6:]) == {600}


@pytest.mark.parametrize(
    "judgement", [FINE, Judgement("accepted"), Judgement("dead", "http_4xx", "It refused.")]
)
def test_any_answer_to_the_probe_closes_it(judgement: Judgement) -> None:
    state = fresh()
    fail(state, OPENS_AFTER)
    begin_probe(state)
    note_result(state, judgement, MOMENT, wait=None)
    assert (state.breaker, state.failures_in_row, state.times_opened) == ("closed", 0, 0)
    assert most_at_once(state, 50) == 50


@pytest.mark.parametrize("error_class", ["config", "invalid_target"])
def test_what_was_never_sent_says_nothing_about_the_other_side(error_class: ErrorClass) -> None:
    state = fresh()
    fail(state, OPENS_AFTER)
    begin_probe(state)
    note_result(state, Judgement("dead", error_class, "No."), MOMENT, wait=None)
    assert state.breaker == "half_open"


def test_asked_wait_blocks_without_opening() -> None:
    state = fresh()
    judgement = Judgement("retry", "http_429", "Later.")
    note_result(state, judgement, MOMENT, wait=timedelta(seconds=90))
    note_result(state, judgement, MOMENT, wait=timedelta(seconds=20))
    assert state.breaker == "closed"
    assert pause(state, MOMENT) == 90
