"""The statements behind the first screen; what waits is found by partial indexes."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select as SqlSelect
from sqlalchemy import func, literal
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from lib.access import Actor
from lib.id_lists import is_among
from lib.models import Delivery, Destination, EventTotal, IntegrationConfig, WebhookEvent
from lib.outgoing.claim_statements import MAY_BE_SENT_TO

Rows = Select[*tuple[Any, ...]]
HOURS = 24
# A queue may hold a million, and nobody needs to know it to the last.
MOST_COUNTED = 10_000


def count_hours(
    session: Session, actor: Actor, start: datetime, *, only: str | None = None
) -> tuple[defaultdict[str, list[int]], defaultdict[str, int]]:
    """Return by connection: what was received in each of the last 24 hours, and rejected.

    `only` names the one connection that is asked for, here and in the queries below.
    """
    own = select(col(IntegrationConfig.id))
    if not actor.sees_all:
        own = own.where(col(IntegrationConfig.user_id) == actor.id)
    if only is not None:
        own = own.where(col(IntegrationConfig.id) == only)
    columns = (col(EventTotal.scope), col(EventTotal.since), col(EventTotal.outcome))
    # Not a join: SQLite would read all totals where it knows no figures of the tables.
    query = (
        select(*columns, func.sum(col(EventTotal.count)))
        .where(is_among(col(EventTotal.scope), own), col(EventTotal.span) == "hour")
        .where(col(EventTotal.since) >= start)
        .group_by(*columns)
    )
    received: defaultdict[str, list[int]] = defaultdict(lambda: [0] * HOURS)
    rejected: defaultdict[str, int] = defaultdict(int)
    for integration_id, hour, outcome, count in session.exec(query):
        index = int((hour - start).total_seconds() // 3600)
        if outcome == "received" and index < HOURS:
            received[integration_id][index] += int(count)
        elif outcome == "rejected":
            rejected[integration_id] += int(count)
    return received, rejected


def failed_by_integration(actor: Actor, *, only: str | None = None) -> Rows:
    """Return a query for what failed and waits for a person, by connection.

    The status is written into the statement: as a parameter it would not match the partial
    index on SQLite. What has lost its payload cannot be processed again, so it waits for nobody.
    """
    query = (
        select(col(WebhookEvent.integration_id), func.count())
        .where(col(WebhookEvent.status) == literal("failed", literal_execute=True))
        .where(col(WebhookEvent.resolved_at).is_(None))
        .where(col(WebhookEvent.payload_removed_at).is_(None))
        # In the order of that index; SQLite would else read all of one that begins with these.
        .group_by(col(WebhookEvent.user_id), col(WebhookEvent.integration_id))
    )
    if only is not None:
        query = query.where(col(WebhookEvent.integration_id) == only)
    return query if actor.sees_all else query.where(col(WebhookEvent.user_id) == actor.id)


def pending(actor: Actor) -> Rows:
    """Return a query for how many events wait for a worker, and since when."""
    query = select(func.count(), func.min(col(WebhookEvent.created_at))).where(
        col(WebhookEvent.status) == literal("pending", literal_execute=True)
    )
    # An expression, for SQLite would else read all of a member's events for the few that wait.
    owner = col(WebhookEvent.user_id).concat("")
    return query if actor.sees_all else query.where(owner == actor.id)


def first_due(actor: Actor) -> Rows:
    """Return a query for when the first queued delivery is due of each destination that may send.

    It is one look into the queue's index each, however much is owed.
    """
    first = (
        sql_select(func.min(col(Delivery.next_attempt_at)))
        .where(
            col(Delivery.destination_id) == col(Destination.id),
            col(Delivery.next_attempt_at).is_not(None),
        )
        .scalar_subquery()
    )
    query = select(col(Destination.id), first).where(*MAY_BE_SENT_TO)
    return query if actor.sees_all else query.where(col(Destination.user_id) == actor.id)


def count_due(destination_ids: Sequence[str], moment: datetime) -> SqlSelect[Any]:
    """Return a query for how many deliveries of these destinations are due, up to the most told."""
    due = (
        sql_select(col(Delivery.id))
        .where(
            col(Delivery.destination_id).in_(destination_ids),
            col(Delivery.next_attempt_at) <= moment,
        )
        .limit(MOST_COUNTED)
    )
    return sql_select(func.count()).select_from(due.subquery())


def last_events(actor: Actor, *, only: str | None = None) -> Rows:
    """Return a query for each connection's last event: one look into an index each."""
    last = (
        sql_select(col(WebhookEvent.created_at))
        .where(col(WebhookEvent.integration_id) == col(IntegrationConfig.id))
        .order_by(col(WebhookEvent.id).desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(col(IntegrationConfig.id), last).where(
        col(IntegrationConfig.deleted_at).is_(None)
    )
    if only is not None:
        query = query.where(col(IntegrationConfig.id) == only)
    return query if actor.sees_all else query.where(col(IntegrationConfig.user_id) == actor.id)
