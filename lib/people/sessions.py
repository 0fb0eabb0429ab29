"""Sign-ins of browsers: tickets, cookies and the rows behind them.

The database holds SHA-256 digests only. Every answer is read from the row, so an ended
session or a disabled user is gone at the next look.
"""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor, Role
from lib.clock import now
from lib.errors import NotFound
from lib.hub import Hub
from lib.ids import new_id
from lib.models import LoginSession, User

TICKET_LIFE = timedelta(seconds=30)
IDLE_LIFE = timedelta(hours=12)
LONGEST_LIFE = timedelta(days=14)
_SEEN_INTERVAL = timedelta(minutes=1)
_USER_AGENT_CHARACTERS = 300


@dataclass(frozen=True)
class OpenSession:
    """A browser in which the user is signed in, as its owner sees it."""

    id: str
    ip: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime


def start_session(hub: Hub, actor: Actor, *, ip: str, user_agent: str) -> tuple[str, str]:
    """Open a session; return its id, which stays on the server, and the cookie's ticket."""
    ticket = secrets.token_urlsafe(32)
    moment = now()
    row = LoginSession(
        id=new_id("ses"),
        user_id=actor.id,
        ticket_digest=_digest(ticket),
        ticket_expires_at=moment + TICKET_LIFE,
        ip=ip,
        user_agent=user_agent[:_USER_AGENT_CHARACTERS],
        created_at=moment,
        last_seen_at=moment,
        expires_at=moment + LONGEST_LIFE,
    )
    session_id = row.id
    with hub.database.write() as session:
        session.execute(
            delete(LoginSession).where(
                col(LoginSession.user_id) == actor.id,
                col(LoginSession.expires_at) < moment,
            )
        )
        session.add(row)
    return session_id, ticket


def redeem_ticket(hub: Hub, ticket: str) -> str | None:
    """Swap a ticket for the value of the cookie; None when it is used, old or unknown."""
    cookie = secrets.token_urlsafe(32)
    with hub.database.write() as session:
        # One statement decides: of two requests with the same ticket only one finds the row.
        redeemed = session.execute(
            update(LoginSession)
            .where(
                col(LoginSession.ticket_digest) == _digest(ticket),
                col(LoginSession.ticket_expires_at) > now(),
                col(LoginSession.revoked_at).is_(None),
            )
            .values(ticket_digest=None, cookie_digest=_digest(cookie))
            .returning(col(LoginSession.id))
        ).all()
    return cookie if redeemed else None


def find_session_of_cookie(hub: Hub, cookie: str) -> str | None:
    """Return the id of the live session that the cookie belongs to."""
    with hub.database.read() as session:
        row = session.exec(
            select(LoginSession).where(LoginSession.cookie_digest == _digest(cookie))
        ).first()
        found = row and _live(session, row.id)
    return found[0].id if found else None


def actor_of_cookie(hub: Hub, cookie: str) -> Actor | None:
    """Return who is signed in with the cookie, and note the visit."""
    session_id = find_session_of_cookie(hub, cookie)
    return actor_of_session(hub, session_id) if session_id else None


def actor_of_session(hub: Hub, session_id: str) -> Actor | None:
    """Return who is signed in, and note the visit at most once a minute."""
    with hub.database.read() as session:
        found = _live(session, session_id)
    if found is None:
        return None
    row, user = found
    if now() - row.last_seen_at >= _SEEN_INTERVAL:
        _note_visit(hub, session_id)
    return replace(actor_of_user(user), session_id=row.id, ip=row.ip)


def is_live(hub: Hub, session_id: str) -> bool:
    """Say whether the session still stands, without counting as a visit.

    An open tab asks this all the time; it must not keep an unattended session alive.
    """
    with hub.database.read() as session:
        return _live(session, session_id) is not None


def list_sessions(hub: Hub, actor: Actor) -> list[OpenSession]:
    """Return the user's own live sessions, the last used first."""
    moment = now()
    with hub.database.read() as session:
        rows = session.exec(
            select(LoginSession)
            .where(
                LoginSession.user_id == actor.id,
                col(LoginSession.revoked_at).is_(None),
                LoginSession.expires_at > moment,
                LoginSession.last_seen_at > moment - IDLE_LIFE,
            )
            .order_by(col(LoginSession.last_seen_at).desc())
            .limit(100)
        ).all()
    return [
        OpenSession(
            id=row.id,
            ip=row.ip,
            user_agent=row.user_agent,
            created_at=row.created_at,
            last_seen_at=row.last_seen_at,
        )
        for row in rows
    ]


def count_open_sessions(session: Session) -> dict[str, int]:
    """Return how many sessions stand, by user."""
    moment = now()
    query = (
        select(col(LoginSession.user_id), func.count())
        .where(
            col(LoginSession.revoked_at).is_(None),
            LoginSession.expires_at > moment,
            LoginSession.last_seen_at > moment - IDLE_LIFE,
        )
        .group_by(col(LoginSession.user_id))
    )
    return dict(session.exec(query).all())


def end_own_session(hub: Hub, actor: Actor, session_id: str) -> None:
    """End one of the user's own sessions; raise NotFound for any other."""
    with hub.database.read() as session:
        found = _live(session, session_id)
    if found is None or found[1].id != actor.id:
        raise NotFound("That session has ended already. Reload the list.")
    end_session(hub, session_id)


def end_session(hub: Hub, session_id: str) -> None:
    """End one session, wherever it is open; one that has ended already stays so."""
    with hub.database.write() as session:
        found = _live(session, session_id)
        if found is None:
            return
        row, user = found
        row.revoked_at = now()
        row.ticket_digest = None
        session.add(row)
        audit.record(session, actor_of_user(user), "user.signed_out", user.id)


def end_session_of_cookie(hub: Hub, cookie: str) -> None:
    """End the session that the cookie belongs to, if there is one."""
    session_id = find_session_of_cookie(hub, cookie)
    if session_id is not None:
        end_session(hub, session_id)


def end_all_sessions(hub: Hub, actor: Actor, *, except_: str | None = None) -> int:
    """End the user's own sessions but `except_`; return how many that were."""
    with hub.database.write() as session:
        count = revoke_sessions(session, actor.id, except_=except_)
        audit.record(session, actor, "user.sessions_ended", actor.id, sessions=str(count))
    return count


def revoke_sessions(session: Session, user_id: str, *, except_: str | None = None) -> int:
    """Revoke a user's sessions in the caller's transaction; return how many that were."""
    revoked = session.execute(
        update(LoginSession)
        .where(
            col(LoginSession.user_id) == user_id,
            col(LoginSession.revoked_at).is_(None),
            col(LoginSession.id) != (except_ or ""),
        )
        .values(revoked_at=now(), ticket_digest=None)
        .returning(col(LoginSession.id))
    ).all()
    return len(revoked)


def actor_of_user(user: User) -> Actor:
    """Return the user as use cases know them."""
    return Actor(
        id=user.id,
        email=user.email,
        name=user.name,
        role=Role(user.role),
        must_change_password=user.must_change_password,
    )


def _live(session: Session, session_id: str) -> tuple[LoginSession, User] | None:
    moment = now()
    return session.exec(
        select(LoginSession, User)
        .join(User, col(User.id) == col(LoginSession.user_id))
        .where(
            LoginSession.id == session_id,
            col(LoginSession.revoked_at).is_(None),
            LoginSession.expires_at > moment,
            LoginSession.last_seen_at > moment - IDLE_LIFE,
            col(User.is_active).is_(True),
        )
    ).first()


def _note_visit(hub: Hub, session_id: str) -> None:
    with hub.database.write() as session:
        session.execute(
            update(LoginSession)
            .where(col(LoginSession.id) == session_id)
            .values(last_seen_at=now())
        )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
