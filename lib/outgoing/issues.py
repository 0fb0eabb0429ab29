"""What went wrong onwards, grouped by cause: read, judged by people, replayed as one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, func, or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from lib import audit
from lib.access import Actor, require_writer
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.lists.paging import Page, check_limit
from lib.models import Delivery, Destination, Issue, User
from lib.outgoing.dead_letters import DeadLetter as DeadLetter
from lib.outgoing.dead_letters import normalise as normalise
from lib.outgoing.dead_letters import note_dead as note_dead
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.outgoing.delivery_views import DeliveryRow
from lib.outgoing.issue_evidence import LOOKED_AT as LOOKED_AT
from lib.outgoing.issue_evidence import count_hours, find_contacts, newest_dead

Rows = Select[*tuple[Any, ...]]
State = Literal["open", "acknowledged", "resolved", "ignored"]
STATES: tuple[State, ...] = ("open", "acknowledged", "resolved", "ignored")
_NOTE_LENGTH = 1_000
_CURSOR_MARK = "~"


@dataclass(frozen=True)
class IssueRow:
    """One cause in a list; `message` has ids and numbers taken out."""

    id: str
    destination_id: str
    destination_name: str
    error_class: str
    message: str
    state: str
    count: int
    note: str
    first_seen_at: datetime
    last_seen_at: datetime
    kind: str = ""
    assignee_id: str | None = None
    assignee: str | None = None
    muted_until: datetime | None = None


@dataclass(frozen=True)
class IssueFilters:
    """What the list is narrowed to; `service_name` is that of an issue's newest dead letter."""

    state: str | None = None
    destination_id: str | None = None
    service_name: str | None = None
    assignee_id: str | None = None


@dataclass(frozen=True)
class IssueDetail:
    """One cause with what it did.

    `hourly` counts the newest 2,000 dead letters by the hour of their end; `contacts` is about
    how many people their events name.
    """

    row: IssueRow
    sample: tuple[DeliveryRow, ...]
    hourly: tuple[tuple[datetime, int], ...]
    contacts: int
    # The first few of them, the newest first.
    contact_sample: tuple[str, ...] = ()

    @property
    def affected(self) -> DeliveryFilters:
        """The filters of a replay of everything that died of it."""
        return DeliveryFilters(status="dead", issue_id=self.row.id)


def list_issues(
    hub: Hub,
    actor: Actor,
    *,
    state: str | None = None,
    filters: IssueFilters | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[IssueRow]:
    """Return the issues that `actor` may see, those that happened last first.

    `state` alone is short for filters with nothing else.
    """
    query = _narrow(_visible(actor), filters or IssueFilters(state=state))
    query = query.order_by(col(Issue.last_seen_at).desc(), col(Issue.id).desc())
    if cursor is not None:
        moment, last_id = _read_cursor(cursor)
        seen_at = col(Issue.last_seen_at)
        is_before = and_(seen_at == moment, col(Issue.id) < last_id)
        query = query.where(or_(seen_at < moment, is_before))
    with hub.database.read() as session:
        found = session.exec(query.limit(check_limit(limit) + 1)).all()
    rows = [view_issue(*each) for each in found[:limit]]
    return Page(rows, _write_cursor(rows[-1]) if len(found) > limit else None)


def count_open(hub: Hub, actor: Actor) -> int:
    """Return how many issues wait for `actor`."""
    require_writer(actor)
    query = select(func.count()).where(col(Issue.state) == "open")
    if not actor.sees_all:
        query = query.where(col(Issue.user_id) == actor.id)
    with hub.database.read() as session:
        return int(session.exec(query).one())


def get_issue(hub: Hub, actor: Actor, issue_id: str) -> IssueDetail:
    """Return one issue with its newest dead letters; raise NotFound."""
    with hub.database.read() as session:
        found = find_issue(session, actor, issue_id)
        contacts, first = find_contacts(session, issue_id)
        return IssueDetail(
            row=view_issue(*found),
            sample=newest_dead(session, issue_id, actor),
            hourly=count_hours(session, issue_id),
            contacts=contacts,
            contact_sample=first,
        )


def acknowledge(hub: Hub, actor: Actor, issue_id: str, *, note: str | None = None) -> IssueRow:
    """Say that somebody looks after it; a `note` replaces the one before."""
    return _set_state(hub, actor, issue_id, state="acknowledged", note=note)


def resolve(hub: Hub, actor: Actor, issue_id: str, *, note: str | None = None) -> IssueRow:
    """Say that it is mended; the next dead letter opens it again."""
    return _set_state(hub, actor, issue_id, state="resolved", note=note)


def ignore(hub: Hub, actor: Actor, issue_id: str, *, note: str | None = None) -> IssueRow:
    """Say that it does not matter; later dead letters are counted and open nothing."""
    return _set_state(hub, actor, issue_id, state="ignored", note=note)


def reopen(hub: Hub, actor: Actor, issue_id: str, *, note: str | None = None) -> IssueRow:
    """Put it back among what waits for somebody."""
    return _set_state(hub, actor, issue_id, state="open", note=note)


def write_note(hub: Hub, actor: Actor, issue_id: str, note: str) -> IssueRow:
    """Replace the note and leave the state as it is."""
    return _set_state(hub, actor, issue_id, state=None, note=note)


def _set_state(
    hub: Hub, actor: Actor, issue_id: str, *, state: State | None, note: str | None
) -> IssueRow:
    require_writer(actor)
    if note is not None and len(note) > _NOTE_LENGTH:
        raise InvalidInput(f"Keep the note to {_NOTE_LENGTH:,} characters.", field="note")
    with hub.database.write() as session:
        issue, place, assignee = find_issue(session, actor, issue_id)
        if state is not None:
            issue.state = state
        if note is not None:
            issue.note = note.strip()
        action = "issue.noted" if state is None else f"issue.{state}"
        audit.record(session, actor, action, issue_id, destination=place.name)
        return view_issue(issue, place, assignee)


def _visible(actor: Actor) -> Rows:
    # An answer's words are in the messages, and analysts see no answers.
    require_writer(actor)
    query = (
        select(Issue, Destination, col(User.name))
        .join(Destination, col(Destination.id) == col(Issue.destination_id))
        .outerjoin(User, col(User.id) == col(Issue.assignee_id))
    )
    return query if actor.sees_all else query.where(col(Issue.user_id) == actor.id)


def _narrow(query: Rows, filters: IssueFilters) -> Rows:
    if filters.state is not None:
        query = query.where(col(Issue.state) == check_state(filters.state))
    if filters.destination_id is not None:
        query = query.where(col(Issue.destination_id) == filters.destination_id)
    if filters.assignee_id is not None:
        query = query.where(col(Issue.assignee_id) == filters.assignee_id)
    if filters.service_name is not None:
        newest = (
            select(col(Delivery.service_name))
            .where(col(Delivery.issue_id) == col(Issue.id))
            .order_by(col(Delivery.id).desc())
            .limit(1)
            .correlate(Issue)
            .scalar_subquery()
        )
        query = query.where(newest == filters.service_name)
    return query


def find_issue(session: Session, actor: Actor, issue_id: str) -> tuple[Issue, Destination, str]:
    """Return an issue, its destination and its assignee's name, if any; raise NotFound."""
    found = session.exec(_visible(actor).where(col(Issue.id) == issue_id)).first()
    if found is None:
        raise NotFound("There is no such issue. Go back to the list of issues.")
    return found[0], found[1], found[2]


def view_issue(issue: Issue, destination: Destination, assignee: str | None) -> IssueRow:
    """Return what a list shows of an issue."""
    return IssueRow(
        id=issue.id,
        destination_id=issue.destination_id,
        destination_name=destination.name,
        kind=destination.kind,
        error_class=issue.error_class,
        message=issue.message,
        state=issue.state,
        count=issue.count,
        note=issue.note,
        first_seen_at=issue.first_seen_at,
        last_seen_at=issue.last_seen_at,
        assignee_id=issue.assignee_id,
        assignee=assignee,
        muted_until=issue.muted_until,
    )


def check_state(state: str) -> str:
    """Return `state`; raise InvalidInput unless it is one of STATES."""
    if state not in STATES:
        raise InvalidInput(
            f"There is no state called {state[:40]}. Use one of: {', '.join(STATES)}.",
            field="state",
        )
    return state


def _write_cursor(row: IssueRow) -> str:
    return f"{row.last_seen_at.isoformat()}{_CURSOR_MARK}{row.id}"


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    moment, _, last_id = cursor.partition(_CURSOR_MARK)
    try:
        return datetime.fromisoformat(moment), last_id
    except ValueError as error:
        raise InvalidInput("Take the cursor from the page before.", field="cursor") from error
