"""The figures on top of the screen, each beside that of the span it is compared with."""

from collections import Counter
from dataclasses import dataclass

from sqlmodel import col

from lib.access import Actor
from lib.analytics.bins import whole
from lib.analytics.deliveries import FAILURES
from lib.analytics.periods import Period
from lib.analytics.scopes import Filters, of_destinations, of_integrations
from lib.histogram import percentile
from lib.hub import Hub
from lib.models import DeliveryTotal, EventTotal, LatencyTotal
from lib.outgoing.outcomes import ARRIVED
from lib.processing.totals import sum_up

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
    requests = of_integrations(EventTotal, actor, filters)
    attempts = of_destinations(DeliveryTotal, actor, filters)
    times = of_destinations(LatencyTotal, actor, filters)
    ends = [col(DeliveryTotal.outcome), col(DeliveryTotal.attempt)]
    span = whole(period)
    with hub.database.read() as session:
        came = sum_up(session, EventTotal, requests, [col(EventTotal.outcome)], span)
        ended = sum_up(session, DeliveryTotal, attempts, ends, span)
        took = sum_up(session, LatencyTotal, times, [col(LatencyTotal.bucket)], span)
    by_outcome = {outcome: count for _, outcome, count in came}
    first, final, prompt, dead = Counter[bool](), Counter[bool](), 0, 0
    for _, outcome, attempt, count in ended:
        is_good, is_dead = outcome in ARRIVED, outcome == FAILURES[1]
        if attempt == 1:
            first[is_good] += count
        if is_good or is_dead:
            final[is_good] += count
        if is_good and attempt <= ATTEMPTS_WITHIN_A_MINUTE:
            prompt += count
        if is_dead:
            dead += count
    return Figures(
        received=by_outcome.get("received", 0),
        rejected=by_outcome.get("rejected", 0),
        first_attempt_share=_share(first[True], first.total()),
        delivered_share=_share(final[True], final.total()),
        prompt_share=_share(prompt, final.total()),
        p95_milliseconds=percentile({bucket: count for _, bucket, count in took}, _LATENCY_SHARE),
        delivered=final[True],
        dead=dead,
    )


def change(new: float | None, old: float | None) -> float | None:
    """Return by which share a figure has grown; None where there is nothing to compare."""
    return None if new is None or not old else (new - old) / old


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
