"""The circuit breaker of a destination: no sending to a side that is down, but for a probe.

closed: all is sent. After ten failures in a row it opens, and nothing is sent for 15 seconds,
then twice as long each time up to ten minutes. When that is over it is half open: one
delivery goes as a probe, whose success closes the breaker.
"""

from datetime import datetime, timedelta

from lib.models import DestinationState
from lib.providers.targets import Judgement

OPENS_AFTER = 10
_FIRST_PAUSE = timedelta(seconds=15)
_LONGEST_PAUSE = timedelta(minutes=10)
# What tells that the other side is down, rather than that it dislikes one request.
_NOTHING_SENT = frozenset({"config", "invalid_target"})
_SIGNS_OF_OUTAGE = frozenset({"dns", "connect", "tls", "timeout", "http_408", "http_5xx"})


def most_at_once(state: DestinationState, concurrency: int) -> int:
    """Return how many requests may be under way: one while the other side is on probation."""
    return concurrency if state.breaker == "closed" else 1


def is_well(state: DestinationState) -> bool:
    """Say whether the other side answered the last request as one that is up."""
    return state.breaker == "closed" and not state.failures_in_row


def begin_probe(state: DestinationState) -> None:
    """Note that the pause of an open breaker is over and a delivery was let through."""
    if state.breaker == "open":
        state.breaker = "half_open"


def note_result(
    state: DestinationState, judgement: Judgement, moment: datetime, *, wait: timedelta | None
) -> None:
    """Take one attempt's end into account; `wait` is what the other side asked for."""
    if judgement.error_class in _NOTHING_SENT:
        return
    if judgement.error_class in _SIGNS_OF_OUTAGE:
        state.failures_in_row += 1
        if state.breaker == "half_open" or state.failures_in_row >= OPENS_AFTER:
            _open(state, moment)
    elif state.breaker != "closed" or state.failures_in_row:
        # An answer of any kind that is no failure of the other side shows that it is up.
        state.breaker = "closed"
        state.failures_in_row = state.times_opened = 0
    if wait:
        state.blocked_until = max(state.blocked_until or moment, moment + wait)


def _open(state: DestinationState, moment: datetime) -> None:
    # Results of requests that began before the breaker opened do not lengthen its pause.
    if state.breaker == "open":
        return
    pause = min(_FIRST_PAUSE * 2**state.times_opened, _LONGEST_PAUSE)
    state.breaker = "open"
    state.times_opened = min(state.times_opened + 1, 10)
    state.blocked_until = moment + pause
