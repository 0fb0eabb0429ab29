"""The rows of destinations: new ones, and those that a user may see or change."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from lib.access import Actor, require_writer
from lib.clock import now
from lib.errors import InvalidInput, NotFound
from lib.ids import new_id
from lib.models import Destination, DestinationState, User
from lib.outgoing import pace
from lib.outgoing.destination_views import DestinationDraft
from lib.outgoing.limits import limits_of, stored_limits
from lib.providers.targets import Target

_NAME_LENGTH = 80


def visible_row(session: Session, actor: Actor, destination_id: str) -> tuple[Destination, str]:
    """Return a row that `actor` may see, with its owner's address; raise NotFound."""
    found = session.exec(_query(actor, destination_id)).first()
    if found is None:
        raise NotFound("There is no such destination. Go back to the list of destinations.")
    return found


def owned_row(session: Session, actor: Actor, destination_id: str) -> tuple[Destination, str]:
    """Return a row that `actor` may act on; raise NotFound or NotAllowed."""
    require_writer(actor)
    return visible_row(session, actor, destination_id)


def locked_row(session: Session, actor: Actor, destination_id: str) -> tuple[Destination, str]:
    """Return a row to change, which no one else changes meanwhile; raise as `owned_row` does."""
    owned_row(session, actor, destination_id)
    # The state comes first everywhere: a worker holds it while it turns to the destination.
    session.get(DestinationState, destination_id, with_for_update=True)
    query = _query(actor, destination_id).with_for_update(of=Destination)
    found = session.exec(query.execution_options(populate_existing=True)).first()
    return found or visible_row(session, actor, destination_id)


def _query(actor: Actor, destination_id: str) -> Select[Destination, str]:
    query = (
        select(Destination, User.email)
        .join(User, col(User.id) == col(Destination.user_id))
        .where(col(Destination.id) == destination_id)
        .where(col(Destination.deleted_at).is_(None))
    )
    return query if actor.sees_all else query.where(col(Destination.user_id) == actor.id)


def clean_name(name: str) -> str:
    """Return a name as it is stored; raise InvalidInput(field="name")."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= _NAME_LENGTH:
        raise InvalidInput(f"Give a name of 1 to {_NAME_LENGTH} characters.", field="name")
    return cleaned


def config_of(draft: DestinationDraft, subscription: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what `config_data` keeps: the own limits, and what a REST hook subscribed to."""
    limits = stored_limits(draft.rate_limit, draft.concurrency)
    return limits if subscription is None else {**limits, "subscription": dict(subscription)}


def new_row(actor: Actor, target: Target, draft: DestinationDraft) -> Destination:
    """Return a new row without secrets."""
    moment = now()
    return Destination(
        id=new_id("dst"),
        user_id=actor.id,
        name=clean_name(draft.name),
        kind=target.kind,
        url_host="",
        config_data=config_of(draft, draft.subscription),
        credentials={},
        is_active=True,
        created_at=moment,
        updated_at=moment,
    )


def first_state(row: Destination) -> DestinationState:
    """Return the state of a new destination: nothing went wrong, a full budget."""
    return DestinationState(
        destination_id=row.id,
        breaker="closed",
        failures_in_row=0,
        times_opened=0,
        blocked_until=None,
        tokens=pace.burst(limits_of(row).rate),
        refilled_at=row.created_at,
        window_started_at=row.created_at,
        window_count=0,
    )
