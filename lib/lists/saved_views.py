"""Views of lists: built-in ones, and those that people keep for themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from lib.access import Actor
from lib.clock import now
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.ids import new_id
from lib.models import SavedView

MOST = 50
_NAME_CHARACTERS = 60
_QUERY_CHARACTERS = 2_000


@dataclass(frozen=True)
class View:
    """A named set of filters; `query` is what stands in the address. Built-in ones have no id."""

    id: str | None
    name: str
    query: str


BUILT_IN: dict[str, tuple[View, ...]] = {
    "activity": (
        View(None, "Failing now", "status=failing"),
        View(None, "Dead letters", "status=dead"),
        View(None, "Rejected", "status=rejected"),
        View(None, "Duplicates", "status=duplicate"),
        View(None, "Slow > 5 s", "slower=5"),
    ),
    "deliveries": (
        View(None, "Dead letters", "status=dead"),
        View(None, "Retrying", "status=retrying"),
        View(None, "Paused", "status=paused"),
    ),
}


def list_views(hub: Hub, actor: Actor, page: str) -> Sequence[View]:
    """Return the user's own views of a page by name, after the built-in ones."""
    query = (
        select(SavedView)
        .where(SavedView.user_id == actor.id, SavedView.page == page)
        .order_by(col(SavedView.name))
    )
    with hub.database.read() as session:
        own = [View(row.id, row.name, row.query) for row in session.exec(query)]
    built_in = BUILT_IN.get(page, ())
    if actor.sees_masked:
        # The refused requests are not for analysts.
        built_in = tuple(view for view in built_in if view.query != "status=rejected")
    return [*built_in, *own]


def save_view(hub: Hub, actor: Actor, *, page: str, name: str, query: str) -> View:
    """Keep the filters under a name; one of the same name is replaced.

    Raises InvalidInput for a bad name, for no filters, and for a fifty-first view.
    """
    cleaned = _clean(page, name)
    if not query or len(query) > _QUERY_CHARACTERS:
        raise InvalidInput("Set some filters first; a view keeps them.", field="query")
    with hub.database.write() as session:
        row = _find(session, actor, page, cleaned)
        if row is None:
            _check_room(session, actor)
            row = SavedView(
                id=new_id("viw"),
                user_id=actor.id,
                page=page,
                name=cleaned,
                query=query,
                created_at=now(),
            )
            session.add(row)
        row.query = query
        return View(row.id, cleaned, query)


def rename_view(hub: Hub, actor: Actor, view_id: str, *, name: str) -> None:
    """Give one of the user's own views another name; raise NotFound or InvalidInput."""
    try:
        with hub.database.write() as session:
            row = _own(session, actor, view_id)
            row.name = _clean(row.page, name)
    except IntegrityError as error:
        raise InvalidInput("You have a view of this name already.", field="name") from error


def remove_view(hub: Hub, actor: Actor, view_id: str) -> None:
    """Forget one of the user's own views; raise NotFound."""
    with hub.database.write() as session:
        session.delete(_own(session, actor, view_id))


def _clean(page: str, name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= _NAME_CHARACTERS or not cleaned.isprintable():
        raise InvalidInput(f"Give a name of 1 to {_NAME_CHARACTERS} characters.", field="name")
    if cleaned in (view.name for view in BUILT_IN.get(page, ())):
        raise InvalidInput("That is the name of a built-in view. Choose another.", field="name")
    return cleaned


def _find(session: Session, actor: Actor, page: str, name: str) -> SavedView | None:
    query = select(SavedView).where(
        SavedView.user_id == actor.id, SavedView.page == page, SavedView.name == name
    )
    return session.exec(query).first()


def _own(session: Session, actor: Actor, view_id: str) -> SavedView:
    row = session.get(SavedView, view_id)
    if row is None or row.user_id != actor.id:
        raise NotFound("There is no such view. Reload the page.")
    return row


def _check_room(session: Session, actor: Actor) -> None:
    count = session.exec(select(func.count()).where(SavedView.user_id == actor.id)).one()
    if count >= MOST:
        raise InvalidInput(f"You have {MOST} views, which is the most. Remove one.", field="name")
