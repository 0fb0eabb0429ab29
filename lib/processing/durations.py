"""How long messages take to arrive and contacts to answer: counted in seconds, by histogram."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from lib.clock import hour_of
from lib.histogram import bucket_of, percentile
from lib.models import DurationRollup
from lib.processing.rollups import add_counts

ARRIVAL, REPLY = "message_delivered", "reply"


@dataclass(frozen=True)
class Took:
    """Something that began and ended: `measure` is ARRIVAL or REPLY."""

    integration_id: str
    user_id: str
    measure: str
    began_at: datetime
    ended_at: datetime


def count_durations(session: Session, durations: Iterable[Took]) -> None:
    """Count each under the hour in which it began.

    A bucket holds seconds where those of attempts hold milliseconds, so the last one is at ten
    days: an answer may well take that long.
    """
    counts = Counter(
        (
            hour_of(item.began_at),
            item.integration_id,
            item.measure,
            bucket_of((item.ended_at - item.began_at).total_seconds()),
            item.user_id,
        )
        for item in durations
    )
    names = ("hour", "integration_id", "measure", "bucket", "user_id")
    # In one order everywhere, so that two workers cannot wait for each other's rows.
    rows = [
        {**dict(zip(names, place, strict=True)), "count": count}
        for place, count in sorted(counts.items())
    ]
    add_counts(session, DurationRollup, rows)


def seconds_at(counts: Mapping[int, int], share: float) -> float | None:
    """Return the seconds that `share` (0 to 1) of the counted durations stay below."""
    return percentile(counts, share)
