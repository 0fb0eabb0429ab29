"""When a failed attempt is made again."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# Seconds after the first, second, … attempt. The attempt after the last one is final.
DELAYS = (5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 36_000)
MOST_ATTEMPTS = len(DELAYS) + 1
JITTER = 0.2
LONGEST_RETRY_AFTER = timedelta(hours=24)

_dice = random.SystemRandom()


def next_attempt_at(
    attempts_made: int, moment: datetime, asked_wait: timedelta | None
) -> datetime | None:
    """Return when the next attempt is due, or None when there is none left.

    The wait is the schedule's with ±20 % jitter, so that deliveries that failed together do
    not return together, or what the other side asked for if that is longer.
    """
    if attempts_made >= MOST_ATTEMPTS:
        return None
    scheduled = timedelta(seconds=DELAYS[attempts_made - 1] * _dice.uniform(1 - JITTER, 1 + JITTER))
    return moment + max(scheduled, asked_wait or timedelta(0))


def asked_wait(headers: Mapping[str, str], moment: datetime) -> timedelta | None:
    """Return how long Retry-After asks to wait, 24 hours at most; None when it says nothing.

    It is a number of seconds or an HTTP date (RFC 9110, section 10.2.3).
    """
    stated = headers.get("retry-after", "").strip()
    if stated.isascii() and stated.isdecimal():
        # Longer than any day, and more digits than a timedelta takes.
        if len(stated) > len("86400"):
            return LONGEST_RETRY_AFTER
        wait = timedelta(seconds=int(stated))
    else:
        try:
            until = parsedate_to_datetime(stated)
        except (ValueError, OverflowError):
            return None
        wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - moment
    return min(max(wait, timedelta(0)), LONGEST_RETRY_AFTER)
