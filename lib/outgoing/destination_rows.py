"""The rows of destinations that a user may see or change, for the use cases around them."""

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from lib.access import Actor, require_writer
from lib.errors import InvalidInput, NotFound
from lib.models import Destination, DestinationState, User

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
