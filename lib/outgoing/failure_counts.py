"""Counting why attempts failed; nothing at all is done for those that succeeded."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from sqlmodel import Session

from lib.clock import hour_of
from lib.models import FailureRollup
from lib.outgoing.attempt import AttemptResult
from lib.outgoing.claims import Claimed
from lib.outgoing.outcomes import ARRIVED
from lib.processing.rollups import add_counts

_NAMES = ("hour", "destination_id", "error_class", "response_status", "user_id")


class Attempted(Protocol):
    """A claimed delivery and how its attempt ended."""

    @property
    def claimed(self) -> Claimed:
        """What was sent."""

    @property
    def result(self) -> AttemptResult:
        """What came of it."""


def count_failures(session: Session, finished: Sequence[Attempted]) -> None:
    """Count the failed attempts by class and answer, in the transaction that records them."""
    failed = [item for item in finished if item.result.judgement.outcome not in ARRIVED]
    if not failed:
        return
    counts = Counter(
        (
            hour_of(item.result.started_at),
            item.claimed.destination.id,
            item.result.judgement.error_class or "config",
            item.result.exchange.reply.status if item.result.exchange.reply else 0,
            item.claimed.user_id,
        )
        for item in failed
    )
    # In one order everywhere, so that two workers cannot wait for each other's rows.
    rows = [
        {**dict(zip(_NAMES, place, strict=True)), "count": count}
        for place, count in sorted(counts.items())
    ]
    add_counts(session, FailureRollup, rows)
