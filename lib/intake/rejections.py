"""Reading refused requests: members see their own, staff all, analysts none."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.sql.expression import Select

from lib.access import Actor, require_writer
from lib.errors import NotFound
from lib.hub import Hub
from lib.lists.paging import Page, check_limit
from lib.models import HourlyRollup, IntegrationConfig, RejectedRequest

Rows = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Rejection:
    """One refused request; `message` is the reason in words, `facts` what helps to mend it.

    `body` is the start of what was sent, as text; `not_kept` more like it left no row.
    """

    id: str
    created_at: datetime
    service_name: str
    integration_id: str
    integration_name: str
    reason: str
    message: str
    facts: Mapping[str, str]
    method: str
    content_type: str
    headers: Mapping[str, str]
    body: str
    body_bytes: int
    source_ip: str
    response_code: int
    not_kept: int


@dataclass(frozen=True)
class RejectionFilters:
    """What the list is narrowed to; `search` looks in message, facts and address."""

    service_name: str | None = None
    integration_id: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""


def list_rejections(
    hub: Hub,
    actor: Actor,
    filters: RejectionFilters | None = None,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Rejection]:
    """Return the newest refused requests that `actor` may see, before `cursor` if given."""
    query = _visible(actor).order_by(col(RejectedRequest.id).desc())
    filters = filters or RejectionFilters()
    for column, value in (
        (col(RejectedRequest.service_name), filters.service_name),
        (col(RejectedRequest.integration_id), filters.integration_id),
        (col(RejectedRequest.reason), filters.reason),
    ):
        if value:
            query = query.where(column == value)
    if filters.since is not None:
        query = query.where(col(RejectedRequest.created_at) >= filters.since)
    if filters.until is not None:
        query = query.where(col(RejectedRequest.created_at) < filters.until)
    if text := filters.search.strip():
        asked = [
            col(column).icontains(text, autoescape=True)
            for column in (
                RejectedRequest.id,
                RejectedRequest.message,
                RejectedRequest.facts,
                RejectedRequest.source_ip,
            )
        ]
        query = query.where(or_(*asked))
    if cursor is not None:
        query = query.where(col(RejectedRequest.id) < cursor)
    with hub.database.read() as session:
        found = session.exec(query.limit(check_limit(limit) + 1)).all()
    rows = [_view(row, name) for row, name in found[:limit]]
    return Page(rows, rows[-1].id if len(found) > limit else None)


def list_reasons(hub: Hub, actor: Actor) -> list[str]:
    """Return for which reasons requests were refused, of what `actor` may see."""
    require_writer(actor)
    query = (
        select(col(HourlyRollup.event_type))
        .where(col(HourlyRollup.outcome) == "rejected")
        .distinct()
        .order_by(col(HourlyRollup.event_type))
    )
    if not actor.sees_all:
        query = query.where(col(HourlyRollup.user_id) == actor.id)
    with hub.database.read() as session:
        return list(session.exec(query))


def get_rejection(hub: Hub, actor: Actor, rejection_id: str) -> Rejection:
    """Return one refused request; raise NotFound."""
    with hub.database.read() as session:
        query = _visible(actor).where(col(RejectedRequest.id) == rejection_id)
        found = session.exec(query).first()
    if found is None:
        raise NotFound("There is no such refused request. Go back to the list.")
    return _view(*found)


def _visible(actor: Actor) -> Rows:
    require_writer(actor)
    query = select(RejectedRequest, col(IntegrationConfig.name)).join(
        IntegrationConfig,
        col(IntegrationConfig.id) == col(RejectedRequest.integration_id),
    )
    if not actor.sees_all:
        query = query.where(col(RejectedRequest.user_id) == actor.id)
    return query


def _view(row: RejectedRequest, integration_name: str) -> Rejection:
    return Rejection(
        id=row.id,
        created_at=row.created_at,
        service_name=row.service_name,
        integration_id=row.integration_id,
        integration_name=integration_name,
        reason=row.reason,
        message=row.message,
        facts=json.loads(row.facts),
        method=row.method,
        content_type=row.content_type,
        headers=json.loads(row.headers),
        body=row.body.decode("utf-8", "replace"),
        body_bytes=row.body_bytes,
        source_ip=row.source_ip,
        response_code=row.response_code,
        not_kept=row.not_kept,
    )
