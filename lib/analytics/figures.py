"""The figures on top of the screen, each beside that of the span it is compared with."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select
from sqlmodel import Session, col

from lib.access import Actor
from lib.analytics.deliveries import FAILURES
from lib.analytics.periods import Period
from lib.analytics.scopes import Filters, of_destinations, of_integrations, within
from lib.histogram import percentile
from lib.hub import Hub
from lib.models import DeliveryRollup, HourlyRollup
from lib.outgoing.outcomes import ARRIVED

_LATENCY_SHARE = 0.95
# With the waits of lib.outgoing.schedule (5 s and 30 s, 20 % more at the most) the third attempt
# is made within 42 seconds of the first.
ATTEMPTS_WITHIN_A_MINUTE = 3


@dataclass(frozen=True)
class Figures:
    """One span in numbers. Shares are 0 to 1 and, like the p95, None where nothing was sent.

    `first_attempt_share` is of all first attempts; `delivered_share` and `prompt_share`, which
    is delivered within about a minute, are of the deliveries that came to an end.
    """

    received: int
    rejected: int
    first_attempt_share: float | None
    delivered_share: float | None
    prompt_share: float | None
    p95_milliseconds: float | None
    delivered: int
    dead: int


def figures(hub: Hub, actor: Actor, period: Period, filters: Filters) -> Figures:
    """Return the figures of one span."""
    with hub.database.read() as session:
        received, rejected = _count_requests(session, actor, period, filters)
        found = _count_attempts(session, actor, period, filters)
    first, final, prompt = Counter[bool](), Counter[bool](), 0
    buckets: Counter[int] = Counter()
    dead = 0
    for kind, attempt, bucket, raw in found:
        count, is_good = int(raw), kind == "success"
        buckets[bucket] += count
        if attempt == 1:
            first[is_good] += count
        if kind != "retry":
            final[is_good] += count
        if is_good and attempt <= ATTEMPTS_WITHIN_A_MINUTE:
            prompt += count
        if kind == "dead":
            dead += count
    return Figures(
        received=received,
        rejected=rejected,
        first_attempt_share=_share(first[True], first.total()),
        delivered_share=_share(final[True], final.total()),
        prompt_share=_share(prompt, final.total()),
        p95_milliseconds=percentile(buckets, _LATENCY_SHARE),
        delivered=final[True],
        dead=dead,
    )


def change(new: float | None, old: float | None) -> float | None:
    """Return by which share a figure has grown; None where there is nothing to compare."""
    return None if new is None or not old else (new - old) / old


def _count_requests(
    session: Session, actor: Actor, period: Period, filters: Filters
) -> tuple[int, int]:
    query = (
        select(col(HourlyRollup.outcome), func.sum(col(HourlyRollup.count)))
        .where(*within(HourlyRollup, actor, period, filters))
        .where(*of_integrations(HourlyRollup, filters))
        .group_by(col(HourlyRollup.outcome))
    )
    counts = {outcome: int(count) for outcome, count in session.execute(query)}
    return counts.get("received", 0), counts.get("rejected", 0)


def _count_attempts(
    session: Session, actor: Actor, period: Period, filters: Filters
) -> Sequence[Any]:
    """Return (success, retry or dead; attempt number; bucket; count)."""
    outcome = col(DeliveryRollup.outcome)
    kind = case(
        (outcome.in_(ARRIVED), "success"), (outcome == FAILURES[1], "dead"), else_="retry"
    ).label("kind")
    query = (
        select(
            kind,
            col(DeliveryRollup.attempt),
            col(DeliveryRollup.bucket),
            func.sum(col(DeliveryRollup.count)),
        )
        .where(*within(DeliveryRollup, actor, period, filters))
        .where(*of_destinations(DeliveryRollup, filters))
        .group_by("kind", col(DeliveryRollup.attempt), col(DeliveryRollup.bucket))
    )
    return session.execute(query).all()


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
