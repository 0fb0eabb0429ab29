"""The people of the hub: adding, finding and changing them, and checking who signs in."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from lib import audit, passwords, throttle
from lib.access import Actor, Role, require_staff
from lib.clock import now
from lib.errors import InvalidInput, NotAllowed, NotFound
from lib.hub import Hub
from lib.ids import new_id
from lib.models import User
from lib.sessions import actor_of_user, revoke_sessions

FIRST_EMAIL = "admin@example.com"
WRONG_CREDENTIALS = "The e-mail address or the password is wrong. Check both and try again."
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_EMAIL_CHARACTERS = 254


@dataclass(frozen=True)
class Account:
    """A user as staff see them in the list."""

    id: str
    email: str
    name: str
    role: Role
    is_active: bool
    must_change_password: bool
    created_at: datetime


def add_user(
    hub: Hub,
    *,
    email: str,
    name: str,
    role: str,
    password: str | None = None,
    by: Actor | None = None,
) -> tuple[Actor, str | None]:
    """Add a user; return the actor, and a one-time password where none was given.

    `by` is None on the command line, whose operator is above the roles.
    Raises InvalidInput for a bad or taken address, an unknown role or a weak password.
    """
    if by is not None:
        require_staff(by)
    one_time = passwords.one_time_password() if password is None else None
    user = _new_user(email, name=name, role=role, password=password or one_time or "")
    user.must_change_password = one_time is not None
    actor = actor_of_user(user)
    with hub.database.write() as session:
        _insert(session, user)
        audit.record(session, by, "user.added", actor.id, role=actor.role)
    return actor, one_time


def first_staff_user(hub: Hub) -> str | None:
    """Add FIRST_EMAIL as staff to a hub without users; return the one-time password.

    None when anyone exists already. Safe when several processes start at once.
    """
    one_time = passwords.one_time_password()
    user = _new_user(FIRST_EMAIL, name="Administrator", role="staff", password=one_time)
    user.must_change_password = True
    user_id = user.id
    with hub.database.write() as session:
        if not hub.database.is_sqlite:
            # SQLite's write transaction is alone by nature; here two could both see no user.
            session.execute(text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"))
        if session.exec(select(User.id).limit(1)).first() is not None:
            return None
        session.add(user)
        audit.record(session, None, "user.added", user_id, role=Role.STAFF)
    return one_time


def find_user(hub: Hub, email: str) -> Actor | None:
    """Return the active user with this address."""
    with hub.database.read() as session:
        user = _find_by_email(session, normalise_email(email))
    return actor_of_user(user) if user and user.is_active else None


def get_actor(hub: Hub, user_id: str) -> Actor:
    """Return an active user; raise NotFound for one who is disabled or unknown."""
    with hub.database.read() as session:
        user = session.get(User, user_id)
    if user is None or not user.is_active:
        raise NotFound("There is no such active user. Ask staff to check the account.")
    return actor_of_user(user)


def list_users(hub: Hub, actor: Actor) -> list[Account]:
    """Return every user by address; staff only."""
    require_staff(actor)
    with hub.database.read() as session:
        users = session.exec(select(User).order_by(col(User.email))).all()
    return [
        Account(
            id=user.id,
            email=user.email,
            name=user.name,
            role=Role(user.role),
            is_active=user.is_active,
            must_change_password=user.must_change_password,
            created_at=user.created_at,
        )
        for user in users
    ]


def set_role(hub: Hub, actor: Actor, *, user_id: str, role: str) -> None:
    """Give a user another role and end their sessions; staff only."""
    require_staff(actor)
    _refuse_oneself(actor, user_id)
    checked = _role(role)
    with hub.database.write() as session:
        user = _get(session, user_id)
        before, user.role, user.updated_at = user.role, checked.value, now()
        revoke_sessions(session, user_id)
        audit.record(session, actor, "user.role_set", user_id, before=before, after=checked)


def set_active(hub: Hub, actor: Actor, *, user_id: str, is_active: bool) -> None:
    """Let a user in, or shut them out and end their sessions; staff only."""
    require_staff(actor)
    _refuse_oneself(actor, user_id)
    with hub.database.write() as session:
        user = _get(session, user_id)
        user.is_active, user.updated_at = is_active, now()
        revoke_sessions(session, user_id)
        action = "user.enabled" if is_active else "user.disabled"
        audit.record(session, actor, action, user_id)


def change_password(
    hub: Hub, actor: Actor, *, current: str, new: str, keep_session: str | None
) -> None:
    """Change the user's own password and end their sessions but `keep_session`.

    Raises InvalidInput with the field `current` or `password`, and RateLimited after too
    many wrong ones.
    """
    passwords.check_new_password(new, email=actor.email)
    if new == current:
        raise InvalidInput("Choose a password that you have not used here.", field="password")
    attempt = _prove_password(hub, actor, current, field="current")
    new_hash = passwords.hash_password(new)
    with hub.database.write() as session:
        user = _get(session, actor.id)
        user.password_hash, user.updated_at = new_hash, now()
        user.must_change_password = False
        throttle.forgive(session, attempt)
        revoke_sessions(session, actor.id, except_=keep_session)
        audit.record(session, actor, "user.password_changed", actor.id)


def confirm_password(hub: Hub, actor: Actor, password: str) -> None:
    """Have a signed-in user prove their password once more.

    Raises InvalidInput with the field `password`, and RateLimited after too many wrong ones.
    """
    attempt = _prove_password(hub, actor, password, field="password")
    with hub.database.write() as session:
        throttle.forgive(session, attempt)


def authenticate(hub: Hub, email: str, *, password: str, ip: str) -> Actor:
    """Return whom the password belongs to.

    Unknown, disabled and mistyped cost the same time and raise the same NotAllowed;
    RateLimited after too many failures of one name or one address.
    """
    name = normalise_email(email)
    attempt = throttle.count_attempt(hub, name, ip=ip)
    with hub.database.read() as session:
        user = _find_by_email(session, name)
    is_right = passwords.matches(password, user.password_hash if user else None)
    if user is None or not user.is_active or not is_right:
        with hub.database.write() as session:
            # The typed name is not kept: people type passwords into that field.
            object_id = user.id if user else "unknown"
            audit.record(session, None, "user.sign_in_failed", object_id, ip=ip)
        raise NotAllowed(WRONG_CREDENTIALS)
    actor = actor_of_user(user)
    with hub.database.write() as session:
        throttle.forgive(session, attempt)
        audit.record(session, actor, "user.signed_in", actor.id, ip=ip)
    return actor


def normalise_email(email: str) -> str:
    """Return an address as it is stored and compared."""
    return email.strip().lower()


def _prove_password(hub: Hub, actor: Actor, password: str, *, field: str) -> throttle.Attempt:
    # Counted apart from sign-ins: who guesses at an open screen must not lock out the owner.
    attempt = throttle.count_attempt(hub, f"change:{actor.id}", ip=f"change:{actor.id}")
    with hub.database.read() as session:
        stored = _get(session, actor.id).password_hash
    if not passwords.matches(password, stored):
        raise InvalidInput("The current password is wrong. Type it again.", field=field)
    return attempt


def _new_user(email: str, *, name: str, role: str, password: str) -> User:
    address = normalise_email(email)
    if len(address) > _EMAIL_CHARACTERS or not _EMAIL.fullmatch(address):
        raise InvalidInput("Give an e-mail address such as ada@example.com.", field="email")
    checked = _role(role)
    passwords.check_new_password(password, email=address)
    moment = now()
    return User(
        id=new_id("usr"),
        email=address,
        name=name.strip() or address.partition("@")[0],
        password_hash=passwords.hash_password(password),
        role=checked.value,
        is_active=True,
        must_change_password=False,
        created_at=moment,
        updated_at=moment,
    )


def _insert(session: Session, user: User) -> None:
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:
        raise InvalidInput(
            "A user with this e-mail address exists already.", field="email"
        ) from error


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        names = ", ".join(Role)
        raise InvalidInput(f"Choose one of these roles: {names}.", field="role") from None


def _refuse_oneself(actor: Actor, user_id: str) -> None:
    """Keep at least one member of staff: nobody else could undo it."""
    if actor.id == user_id:
        raise NotAllowed("You cannot change your own role or access. Ask other staff.")


def _get(session: Session, user_id: str) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such user. Reload the list and try again.")
    return user


def _find_by_email(session: Session, address: str) -> User | None:
    return session.exec(select(User).where(User.email == address)).first()
