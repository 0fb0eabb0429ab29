"""Opaque identifiers for everything that leaves the process."""

import os

from lib.clock import now_nanoseconds

_RANDOM_BITS = 62


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
