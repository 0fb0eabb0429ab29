"""The one clock: aware UTC. Tests freeze it; the demo shifts it to make a past."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta


class _Shift:
    by = timedelta(0)
    nanoseconds = 0


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC) + _Shift.by


def now_nanoseconds() -> int:
    """Return the present moment as nanoseconds since 1970, on the same clock as `now`."""
    return time.time_ns() + _Shift.nanoseconds


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the hour that holds a moment."""
    return moment.replace(minute=0, second=0, microsecond=0)


@contextmanager
def shifted(by: timedelta) -> Iterator[None]:
    """Move the clock of this whole process while the block runs."""
    before = _Shift.by
    _set_shift(by)
    try:
        yield
    finally:
        _set_shift(before)


def _set_shift(by: timedelta) -> None:
    _Shift.by, _Shift.nanoseconds = by, by // timedelta(microseconds=1) * 1000
