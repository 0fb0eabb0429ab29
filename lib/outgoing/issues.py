"""What went wrong onwards, grouped by cause: read, judged by people, replayed as one."""

from collections import Counter
from collections.abc import Sequence
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
from lib.models import Delivery, Destination, EventKey, Issue
from lib.outgoing.dead_letters import DeadLetter as DeadLetter
from lib.outgoing.dead_letters import normalise as normalise
from lib.outgoing.dead_letters import note_dead as note_dead
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.outgoing.delivery_views import DeliveryRow, view_delivery
from lib.paging import Page, check_limit

Rows = Select[*tuple[Any, ...]]
State = Literal["open", "acknowledged", "resolved", "ignored"]
STATES: tuple[State, ...] = ("open", "acknowledged", "resolved", "ignored")
_SAMPLE = 10
# The chart and the contacts look at this many of the newest dead letters and no further.
LOOKED_AT = 2_000
_NOTE_LENGTH = 1_000
_CONTACT_KINDS = ("phone", "email", "contact_id")
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

    @property
    def affected(self) -> DeliveryFilters:
        """The filters of a replay of everything that died of it."""
        return DeliveryFilters(status="dead", issue_id=self.row.id)


def list_issues(
    hub: Hub,
    actor: Actor,
    *,
    state: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[IssueRow]:
    """Return the issues that `actor` may see, those that happened last first."""
    query = _visible(actor).order_by(col(Issue.last_seen_at).desc(), col(Issue.id).desc())
    if state is not None:
        query = query.where(col(Issue.state) == _check_state(state))
    if cursor is not None:
        moment, last_id = _read_cursor(cursor)
        seen_at = col(Issue.last_seen_at)
        is_before = and_(seen_at == moment, col(Issue.id) < last_id)
        query = query.where(or_(seen_at < moment, is_before))
    with hub.database.read() as session:
        found = session.exec(query.limit(check_limit(limit) + 1)).all()
    rows = [_view(issue, name) for issue, name in found[:limit]]
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
        issue, name = _find(session, actor, issue_id)
        return IssueDetail(
            row=_view(issue, name),
            sample=_sample(session, issue_id, actor),
            hourly=_count_hours(session, issue_id),
            contacts=_count_contacts(session, issue_id),
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
        issue, name = _find(session, actor, issue_id)
        if state is not None:
            issue.state = state
        if note is not None:
            issue.note = note.strip()
        action = "issue.noted" if state is None else f"issue.{state}"
        audit.record(session, actor, action, issue_id, destination=name)
        return _view(issue, name)


def _visible(actor: Actor) -> Rows:
    # An answer's words are in the messages, and analysts see no answers.
    require_writer(actor)
    query = select(Issue, col(Destination.name)).join(
        Destination, col(Destination.id) == col(Issue.destination_id)
    )
    return query if actor.sees_all else query.where(col(Issue.user_id) == actor.id)


def _find(session: Session, actor: Actor, issue_id: str) -> tuple[Issue, str]:
    found = session.exec(_visible(actor).where(col(Issue.id) == issue_id)).first()
    if found is None:
        raise NotFound("There is no such issue. Go back to the list of issues.")
    return found[0], found[1]


def _view(issue: Issue, destination_name: str) -> IssueRow:
    return IssueRow(
        id=issue.id,
        destination_id=issue.destination_id,
        destination_name=destination_name,
        error_class=issue.error_class,
        message=issue.message,
        state=issue.state,
        count=issue.count,
        note=issue.note,
        first_seen_at=issue.first_seen_at,
        last_seen_at=issue.last_seen_at,
    )


def _sample(session: Session, issue_id: str, actor: Actor) -> tuple[DeliveryRow, ...]:
    query = (
        select(Delivery, Destination)
        .join(Destination, col(Destination.id) == col(Delivery.destination_id))
        .where(col(Delivery.issue_id) == issue_id)
        .order_by(col(Delivery.id).desc())
        .limit(_SAMPLE)
    )
    return tuple(view_delivery(row, place, actor) for row, place in session.exec(query))


def _count_hours(session: Session, issue_id: str) -> tuple[tuple[datetime, int], ...]:
    query = (
        select(func.coalesce(col(Delivery.finished_at), col(Delivery.created_at)))
        .where(col(Delivery.issue_id) == issue_id)
        .order_by(col(Delivery.id).desc())
        .limit(LOOKED_AT)
    )
    ends: Sequence[datetime] = session.exec(query).all()
    hours = Counter(end.replace(minute=0, second=0, microsecond=0) for end in ends)
    return tuple(sorted(hours.items()))


def _count_contacts(session: Session, issue_id: str) -> int:
    newest = (
        select(col(Delivery.event_id))
        .where(col(Delivery.issue_id) == issue_id)
        .order_by(col(Delivery.id).desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    query = (
        select(func.count(col(EventKey.value).distinct()))
        .where(col(EventKey.event_id).in_(select(newest.c.event_id)))
        .where(col(EventKey.kind).in_(_CONTACT_KINDS))
        .group_by(col(EventKey.kind))
    )
    # One person has a phone, an e-mail and an id; the kind that most events name counts them.
    return max((int(count) for count in session.exec(query)), default=0)


def _check_state(state: str) -> str:
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
