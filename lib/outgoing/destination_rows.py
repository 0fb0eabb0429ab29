"""The rows of destinations that a user may see or change, for the use cases around them."""

from sqlmodel import Session, col, select

from lib.access import Actor, require_writer
from lib.errors import InvalidInput, NotFound
from lib.models import Destination, User

_NAME_LENGTH = 80


def visible_row(session: Session, actor: Actor, destination_id: str) -> tuple[Destination, str]:
    """Return a row that `actor` may see, with its owner's address; raise NotFound."""
    query = (
        select(Destination, User.email)
        .join(User, col(User.id) == col(Destination.user_id))
        .where(col(Destination.id) == destination_id)
        .where(col(Destination.deleted_at).is_(None))
    )
    if not actor.sees_all:
        query = query.where(col(Destination.user_id) == actor.id)
    found = session.exec(query).first()
    if found is None:
        raise NotFound("There is no such destination. Go back to the list of destinations.")
    return found


def owned_row(session: Session, actor: Actor, destination_id: str) -> tuple[Destination, str]:
    """Return a row that `actor` may change; raise NotFound or NotAllowed."""
    require_writer(actor)
    return visible_row(session, actor, destination_id)


def clean_name(name: str) -> str:
    """Return a name as it is stored; raise InvalidInput(field="name")."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= _NAME_LENGTH:
        raise InvalidInput(f"Give a name of 1 to {_NAME_LENGTH} characters.", field="name")
    return cleaned
