"""The rate budget of a destination, kept in its row so that it holds across all workers.

A token bucket of one second's worth bounds the average, a fixed window of five minutes what
some vendors count besides.
"""

from datetime import datetime, timedelta
from math import ceil

from lib.models import DestinationState
from lib.providers.targets import RateLimit

_WINDOW = timedelta(minutes=5)
# Rounding must not keep back a token that has grown in full.
_ALMOST = 1e-6


def burst(rate: RateLimit | None) -> float:
    """Return how many requests may start at once after a rest."""
    return max(1.0, rate.per_second) if rate else 1.0


def refill(state: DestinationState, rate: RateLimit, moment: datetime) -> None:
    """Add what has grown since the last time; a clock that went back adds nothing."""
    passed = max((moment - state.refilled_at).total_seconds(), 0.0)
    state.tokens = min(burst(rate), state.tokens + passed * rate.per_second)
    state.refilled_at = moment
    if not timedelta(0) <= moment - state.window_started_at < _WINDOW:
        state.window_started_at, state.window_count = moment, 0


def allowance(state: DestinationState, rate: RateLimit) -> int:
    """Return how many requests may start now; call `refill` first."""
    free = int(state.tokens + _ALMOST)
    if rate.per_five_minutes is not None:
        free = min(free, rate.per_five_minutes - state.window_count)
    return max(free, 0)


def take(state: DestinationState, count: int) -> None:
    """Spend `count` requests of the budget."""
    state.tokens = max(state.tokens - count, 0.0)
    state.window_count += count


def free_at(state: DestinationState, rate: RateLimit) -> datetime:
    """Return when the next request may start; call `refill` first."""
    full = rate.per_five_minutes is not None and state.window_count >= rate.per_five_minutes
    if full:
        return state.window_started_at + _WINDOW
    missing = max(1.0 - state.tokens, 0.0)
    # A moment holds whole microseconds: up to the next one, or the token would be short of one.
    wait = timedelta(microseconds=ceil(missing / rate.per_second * 1_000_000))
    return state.refilled_at + wait
