"""Links that let somebody in once: to accept an invitation, or to choose a new password."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import update
from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor, Role, require_staff
from lib.clock import now
from lib.errors import NotAllowed, NotFound
from lib.hub import Hub
from lib.ids import new_id
from lib.models import AccountLink, User
from lib.people.sessions import actor_of_user, revoke_sessions
from lib.people.users import hash_new_password, insert_user, new_user

Purpose = Literal["invite", "reset"]
_LIVES: dict[str, timedelta] = {"invite": timedelta(days=7), "reset": timedelta(days=1)}
_SPENT = "This link was used, has ended or was withdrawn. Ask staff for a new one."


@dataclass(frozen=True, repr=False)
class IssuedLink:
    """A link's token, shown this once, and until when it is good."""

    user_id: str
    email: str
    token: str
    expires_at: datetime


@dataclass(frozen=True)
class OpenLink:
    """What a link is for, as whoever opens it may know."""

    purpose: Purpose
    email: str
    name: str
    role: Role


def invite(hub: Hub, actor: Actor | None, *, email: str, name: str, role: str) -> IssuedLink:
    """Add a user who chooses a password by the link; staff, or the command line as None.

    Raises InvalidInput for a bad or taken address or an unknown role.
    """
    if actor is not None:
        require_staff(actor)
    user = new_user(email, name=name, role=role)
    with hub.database.write() as session:
        insert_user(session, user)
        audit.record(session, actor, "user.invited", user.id, role=user.role)
        return _issue(session, user, "invite", by=actor)


def renew(hub: Hub, actor: Actor | None, user_id: str) -> IssuedLink:
    """Return a new link for somebody: their invitation again, or to choose a new password.

    Older links end at once. The password and the sessions stay as they are until the link is
    used. Staff, or the command line as None.
    """
    if actor is not None:
        require_staff(actor)
    with hub.database.write() as session:
        user = session.get(User, user_id)
        if user is None:
            raise NotFound("There is no such user. Reload the list and try again.")
        if not user.is_active:
            raise NotAllowed("This user is shut out. Let them in first.")
        purpose: Purpose = "reset" if user.password_hash else "invite"
        _withdraw(session, user_id)
        audit.record(session, actor, f"user.{purpose}_link_made", user_id)
        return _issue(session, user, purpose, by=actor)


def withdraw(hub: Hub, actor: Actor, user_id: str) -> None:
    """End the links of a user that were not used yet; staff only."""
    require_staff(actor)
    with hub.database.write() as session:
        _withdraw(session, user_id)
        audit.record(session, actor, "user.links_withdrawn", user_id)


def look_up(hub: Hub, token: str) -> OpenLink:
    """Return what a link is for; raise NotFound for one that is spent or unknown.

    Its token has 256 random bits, so there is nothing to guess and nothing to throttle.
    """
    with hub.database.read() as session:
        found = session.exec(
            select(AccountLink, User)
            .join(User, col(User.id) == col(AccountLink.user_id))
            .where(
                AccountLink.token_digest == _digest(token),
                col(AccountLink.used_at).is_(None),
                AccountLink.expires_at > now(),
                col(User.is_active).is_(True),
            )
        ).first()
    if found is None:
        raise NotFound(_SPENT)
    link, user = found
    purpose: Purpose = "invite" if link.purpose == "invite" else "reset"
    return OpenLink(purpose, user.email, user.name, Role(user.role))


def redeem(hub: Hub, token: str, *, password: str) -> Actor:
    """Give the link's user this password, end their sessions, and return who it is.

    Raises NotFound for a spent link and InvalidInput for a weak password, which spends nothing.
    """
    # The costly hash is made outside the transaction, and only for a link that is good.
    password_hash = hash_new_password(password, email=look_up(hub, token).email)
    with hub.database.write() as session:
        # One statement decides: of two who use the link at once only one finds the row.
        user_id = session.execute(
            update(AccountLink)
            .where(
                col(AccountLink.token_digest) == _digest(token),
                col(AccountLink.used_at).is_(None),
                col(AccountLink.expires_at) > now(),
            )
            .values(used_at=now())
            .returning(col(AccountLink.user_id))
        ).scalar()
        user = session.get(User, user_id) if user_id else None
        if user is None or not user.is_active:
            raise NotFound(_SPENT)
        user.password_hash, user.updated_at = password_hash, now()
        user.must_change_password = False
        if user.totp_confirmed_at is None:
            user.last_signed_in_at = now()
        revoke_sessions(session, user.id)
        _withdraw(session, user.id)
        actor = actor_of_user(user)
        audit.record(session, actor, "user.link_used", user.id)
    return actor


def url_of(link: IssuedLink, base: str) -> str:
    """Return the address to send, under the dashboard's own address `base`."""
    # Behind the #, which browsers send to nobody: no log of a server or a proxy has it.
    return f"{base.rstrip('/')}/#link={link.token}"


def _issue(session: Session, user: User, purpose: Purpose, *, by: Actor | None) -> IssuedLink:
    token = secrets.token_urlsafe(32)
    moment = now()
    expires_at = moment + _LIVES[purpose]
    session.add(
        AccountLink(
            id=new_id("lnk"),
            user_id=user.id,
            purpose=purpose,
            token_digest=_digest(token),
            created_by=by.id if by else None,
            created_at=moment,
            expires_at=expires_at,
        )
    )
    return IssuedLink(user.id, user.email, token, expires_at)


def _withdraw(session: Session, user_id: str) -> None:
    session.execute(
        update(AccountLink)
        .where(col(AccountLink.user_id) == user_id, col(AccountLink.used_at).is_(None))
        .values(used_at=now())
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
