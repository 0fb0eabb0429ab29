"""Opaque identifiers for everything that leaves the process."""

import os
from datetime import UTC, datetime, timedelta

from lib.clock import now_nanoseconds

_RANDOM_BITS = 62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(prefix: str) -> str:
    """Return `prefix_` and the hex of a UUIDv7, so ids sort by the time they were made.

    The 12 bits after the version hold the fraction of the millisecond (RFC 9562,
    section 6.2, method 3), which keeps ids of one process in order.
    """
    milliseconds, rest = divmod(now_nanoseconds(), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    random = int.from_bytes(os.urandom(8)) >> 2
    value = (milliseconds << 80) | (7 << 76) | (fraction << 64) | (2 << _RANDOM_BITS) | random
    return f"{prefix}_{value:032x}"


def first_id(prefix: str, moment: datetime) -> str:
    """Return the bound below all ids of `prefix` that were made at `moment` or later."""
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
    return f"{prefix}_{milliseconds << 80:032x}"


def moment_of(identifier: str) -> datetime:
    """Return when an id was made, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=int(identifier.rpartition("_")[2][:12], 16))
