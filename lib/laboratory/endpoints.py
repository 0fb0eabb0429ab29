"""Addresses of the hub's own to test against: made, listed, read and removed by their members.

A bin keeps what it gets; a chaos receiver also answers as badly as it is told. Both live a day.
Members own theirs, staff reach all, analysts none.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func
from sqlmodel import Session, col, delete, select

from lib import audit
from lib.access import Actor, require_writer
from lib.clock import now
from lib.connections.integrations import token_digest
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.ids import new_id
from lib.lists.paging import check_limit
from lib.models import TrialEndpoint, TrialRequest, User

Kind = Literal["bin", "chaos"]
LIFE = timedelta(hours=24)
MOST_OWNED = 10
MOST_DELAY_SECONDS = 30
_NAME_LENGTH = 80
_STATUSES = range(200, 600)


@dataclass(frozen=True)
class Behaviour:
    """How a chaos receiver answers: `failure_share` of 100 requests get `status`, others 200."""

    status: int = 500
    delay_seconds: float = 0.0
    failure_share: int = 100


@dataclass(frozen=True)
class EndpointView:
    """What its owner and staff see of a test address; `behaviour` is None for a bin."""

    id: str
    user_id: str
    owner: str
    kind: str
    name: str
    url: str
    behaviour: Behaviour | None
    requests: int
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class RequestView:
    """A request that came; secret headers are masked, `body` is its start as text."""

    id: str
    method: str
    query: str
    headers: Mapping[str, str]
    body: str
    kept_bytes: int
    body_bytes: int
    source_ip: str
    answered_status: int
    created_at: datetime


def add(
    hub: Hub, actor: Actor, *, kind: Kind, name: str, behaviour: Behaviour | None = None
) -> EndpointView:
    """Make an address of `actor` that lives for a day; raise InvalidInput naming the field."""
    require_writer(actor)
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= _NAME_LENGTH:
        raise InvalidInput(f"Give a name of 1 to {_NAME_LENGTH} characters.", field="name")
    settings = _settings(kind, behaviour)
    prune(hub)
    token = secrets.token_hex(16)
    moment = now()
    row = TrialEndpoint(
        id=new_id("tep"),
        user_id=actor.id,
        kind=kind,
        name=cleaned,
        token_digest=token_digest(token),
        url=f"{hub.settings.public_url}/api/lab/{token}",
        settings=settings,
        created_at=moment,
        expires_at=moment + LIFE,
    )
    with hub.database.write() as session:
        # The user's row is the lock: two tabs must not both find room for the last one.
        session.get(User, actor.id, with_for_update=True)
        if _count(session, actor) >= MOST_OWNED:
            raise InvalidInput(
                f"You have {MOST_OWNED} test addresses. Remove one, or wait until one expires.",
                field="name",
            )
        session.add(row)
        audit.record(session, actor, "trial_endpoint.added", row.id, name=cleaned, kind=kind)
        return _view(row, actor.email, 0)


def list_all(hub: Hub, actor: Actor) -> list[EndpointView]:
    """Return the live addresses that `actor` may see, newest first."""
    require_writer(actor)
    counts = (
        select(col(TrialRequest.endpoint_id), func.count().label("requests"))
        .group_by(col(TrialRequest.endpoint_id))
        .subquery()
    )
    query = (
        select(TrialEndpoint, User.email, func.coalesce(counts.c.requests, 0))
        .join(User, col(User.id) == col(TrialEndpoint.user_id))
        .join(counts, counts.c.endpoint_id == col(TrialEndpoint.id), isouter=True)
        .where(col(TrialEndpoint.expires_at) > now())
        .order_by(col(TrialEndpoint.id).desc())
        .limit(200)
    )
    if not actor.sees_all:
        query = query.where(col(TrialEndpoint.user_id) == actor.id)
    with hub.database.read() as session:
        return [_view(row, email, count) for row, email, count in session.exec(query)]


def list_requests(
    hub: Hub, actor: Actor, endpoint_id: str, *, limit: int = 50
) -> list[RequestView]:
    """Return the newest requests of an address; raise NotFound or NotAllowed."""
    with hub.database.read() as session:
        endpoint = _own(session, actor, endpoint_id)
        query = (
            select(TrialRequest)
            .where(col(TrialRequest.endpoint_id) == endpoint.id)
            .order_by(col(TrialRequest.id).desc())
            .limit(check_limit(limit))
        )
        return [_request_view(row) for row in session.exec(query)]


def remove(hub: Hub, actor: Actor, endpoint_id: str) -> None:
    """Remove an address with all it got; it answers 404 from now on."""
    with hub.database.write() as session:
        row = _own(session, actor, endpoint_id)
        audit.record(session, actor, "trial_endpoint.removed", row.id, name=row.name)
        session.delete(row)


def prune(hub: Hub) -> int:
    """Delete the addresses whose day is over, with what they got; return how many."""
    with hub.database.write() as session:
        gone = session.exec(
            delete(TrialEndpoint)
            .where(col(TrialEndpoint.expires_at) <= now())
            .execution_options(synchronize_session=False)
        )
        return gone.rowcount


def _settings(kind: str, behaviour: Behaviour | None) -> dict[str, Any]:
    if kind not in ("bin", "chaos"):
        raise InvalidInput("Choose a request bin or a chaos receiver.", field="kind")
    if kind == "bin":
        return {}
    chosen = behaviour or Behaviour()
    if chosen.status not in _STATUSES:
        raise InvalidInput("Give a status from 200 to 599.", field="status")
    if not 0 <= chosen.delay_seconds <= MOST_DELAY_SECONDS:
        raise InvalidInput(
            f"Give a delay of 0 to {MOST_DELAY_SECONDS} seconds.", field="delay_seconds"
        )
    if not 0 <= chosen.failure_share <= 100:
        raise InvalidInput("Give a share of 0 to 100 percent.", field="failure_share")
    return {
        "status": chosen.status,
        "delay_seconds": chosen.delay_seconds,
        "failure_share": chosen.failure_share,
    }


def _count(session: Session, actor: Actor) -> int:
    query = (
        select(func.count())
        .select_from(TrialEndpoint)
        .where(col(TrialEndpoint.user_id) == actor.id)
        .where(col(TrialEndpoint.expires_at) > now())
    )
    return session.exec(query).one()


def _own(session: Session, actor: Actor, endpoint_id: str) -> TrialEndpoint:
    require_writer(actor)
    row = session.get(TrialEndpoint, endpoint_id)
    is_hidden = row is None or not (actor.sees_all or row.user_id == actor.id)
    if row is None or is_hidden or row.expires_at <= now():
        raise NotFound("There is no such test address (any more). Make a new one.")
    return row


def _view(row: TrialEndpoint, owner: str, count: int) -> EndpointView:
    return EndpointView(
        id=row.id,
        user_id=row.user_id,
        owner=owner,
        kind=row.kind,
        name=row.name,
        url=row.url,
        behaviour=Behaviour(**row.settings) if row.kind == "chaos" else None,
        requests=count,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _request_view(row: TrialRequest) -> RequestView:
    return RequestView(
        id=row.id,
        method=row.method,
        query=row.query,
        headers=json.loads(row.headers),
        body=row.body.decode("utf-8", "replace"),
        kept_bytes=len(row.body),
        body_bytes=row.body_bytes,
        source_ip=row.source_ip,
        answered_status=row.answered_status,
        created_at=row.created_at,
    )
