"""Who looks after an issue, for how long nobody is told of it, and many issues in one go."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import or_
from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor, Role, require_writer
from lib.clock import now
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.models import Issue, User
from lib.outgoing.issues import IssueRow, check_state, find_issue, view_issue

MOST_ISSUES = 200
MUTES = {"1 h": timedelta(hours=1), "1 d": timedelta(days=1)}
_LONGEST_MUTE = timedelta(days=30)


def assignees(hub: Hub, actor: Actor, issue_id: str) -> dict[str, str]:
    """Return who may look after an issue, names by id: its owner and all staff."""
    with hub.database.read() as session:
        issue, _, _ = find_issue(session, actor, issue_id)
        return _candidates(session, issue)


def known_assignees(hub: Hub, actor: Actor) -> dict[str, str]:
    """Return who looks after an issue that `actor` may see, names by id."""
    require_writer(actor)
    query = (
        select(col(User.id), col(User.name))
        .join(Issue, col(Issue.assignee_id) == col(User.id))
        .distinct()
        .order_by(col(User.name))
    )
    if not actor.sees_all:
        query = query.where(col(Issue.user_id) == actor.id)
    with hub.database.read() as session:
        return dict(session.exec(query).all())


def assign(hub: Hub, actor: Actor, issue_id: str, assignee_id: str | None) -> IssueRow:
    """Say who looks after an issue, None for nobody; raise InvalidInput for another's user."""
    require_writer(actor)
    with hub.database.write() as session:
        issue, place, _ = find_issue(session, actor, issue_id)
        names = _candidates(session, issue)
        if assignee_id is not None and assignee_id not in names:
            raise InvalidInput(
                "Choose the owner of the destination or a member of staff.", field="assignee_id"
            )
        issue.assignee_id = assignee_id
        name = names[assignee_id] if assignee_id else None
        audit.record(session, actor, "issue.assigned", issue_id, to=name or "nobody")
        return view_issue(issue, place, name)


def mute(hub: Hub, actor: Actor, issue_id: str, span: timedelta) -> IssueRow:
    """Tell nobody of an issue for a while, 30 days at most; no time at all ends it."""
    require_writer(actor)
    if not timedelta(0) <= span <= _LONGEST_MUTE:
        raise InvalidInput("Mute an issue for 30 days at most.", field="span")
    with hub.database.write() as session:
        issue, place, assignee = find_issue(session, actor, issue_id)
        issue.muted_until = now() + span if span else None
        until = issue.muted_until.isoformat(timespec="minutes") if issue.muted_until else "now"
        audit.record(session, actor, "issue.muted", issue_id, until=until)
        return view_issue(issue, place, assignee)


def set_state_of(hub: Hub, actor: Actor, issue_ids: Sequence[str], state: str) -> int:
    """Give up to 200 issues one state and return how many changed.

    Those that are gone are passed over; raises NotFound when none is left.
    """
    require_writer(actor)
    check_state(state)
    if not 1 <= len(issue_ids) <= MOST_ISSUES:
        raise InvalidInput(f"Choose 1 to {MOST_ISSUES} issues.", field="issue_ids")
    with hub.database.write() as session:
        query = select(Issue).where(col(Issue.id).in_(issue_ids)).order_by(col(Issue.id))
        if not actor.sees_all:
            query = query.where(col(Issue.user_id) == actor.id)
        found = session.exec(query.with_for_update()).all()
        if not found:
            raise NotFound("There is no such issue. Go back to the list of issues.")
        changed = [issue for issue in found if issue.state != state]
        for issue in changed:
            issue.state = state
            audit.record(session, actor, f"issue.{state}", issue.id)
        return len(changed)


def _candidates(session: Session, issue: Issue) -> dict[str, str]:
    query = (
        select(col(User.id), col(User.name))
        .where(or_(col(User.id) == issue.user_id, col(User.role) == Role.STAFF.value))
        .where(col(User.is_active))
        .order_by(col(User.name), col(User.id))
    )
    return dict(session.exec(query).all())
