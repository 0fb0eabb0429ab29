"""The people of the hub: adding, finding and changing them."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor, Role, require_staff
from lib.clock import now
from lib.errors import InvalidInput, NotAllowed, NotFound
from lib.hub import Hub
from lib.ids import new_id
from lib.models import IntegrationConfig, User
from lib.people import passwords
from lib.people.sessions import actor_of_user, count_open_sessions, revoke_sessions

FIRST_EMAIL = "admin@example.com"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_EMAIL_CHARACTERS = 254
_NAME_CHARACTERS = 100
_COUNT_INTEGRATIONS = (
    select(col(IntegrationConfig.user_id), func.count())
    .where(col(IntegrationConfig.deleted_at).is_(None))
    .group_by(col(IntegrationConfig.user_id))
)


@dataclass(frozen=True)
class Account:
    """A user as staff see them in the list."""

    id: str
    email: str
    name: str
    role: Role
    is_active: bool
    is_invited: bool
    must_change_password: bool
    has_second_factor: bool
    sessions: int
    integrations: int
    last_signed_in_at: datetime | None
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
    user = new_user(email, name=name, role=role)
    user.password_hash = hash_new_password(password or one_time or "", email=user.email)
    user.must_change_password = one_time is not None
    actor = actor_of_user(user)
    with hub.database.write() as session:
        insert_user(session, user)
        audit.record(session, by, "user.added", actor.id, role=actor.role)
    return actor, one_time


def first_staff_user(hub: Hub) -> str | None:
    """Add FIRST_EMAIL as staff to a hub without users; return the one-time password.

    None when anyone exists already. Safe when several processes start at once.
    """
    one_time = passwords.one_time_password()
    user = new_user(FIRST_EMAIL, name="Administrator", role="staff")
    user.password_hash = hash_new_password(one_time, email=user.email)
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
        user = find_row(session, normalise_email(email))
    return actor_of_user(user) if user and user.is_active else None


def list_users(hub: Hub, actor: Actor) -> list[Account]:
    """Return every user by address; staff only."""
    require_staff(actor)
    with hub.database.read() as session:
        users = session.exec(select(User).order_by(col(User.email))).all()
        sessions = count_open_sessions(session)
        connections = dict(session.exec(_COUNT_INTEGRATIONS).all())
    return [
        Account(
            id=user.id,
            email=user.email,
            name=user.name,
            role=Role(user.role),
            is_active=user.is_active,
            is_invited=not user.password_hash,
            must_change_password=user.must_change_password,
            has_second_factor=user.totp_confirmed_at is not None,
            sessions=sessions.get(user.id, 0),
            integrations=connections.get(user.id, 0),
            last_signed_in_at=user.last_signed_in_at,
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
        user = get_row(session, user_id)
        before, user.role, user.updated_at = user.role, checked.value, now()
        revoke_sessions(session, user_id)
        changes = audit.difference({"role": before}, {"role": checked.value})
        audit.record(session, actor, "user.role_set", user_id, changes=changes)


def set_active(hub: Hub, actor: Actor, *, user_id: str, is_active: bool) -> None:
    """Let a user in, or shut them out and end their sessions; staff only."""
    require_staff(actor)
    _refuse_oneself(actor, user_id)
    with hub.database.write() as session:
        user = get_row(session, user_id)
        user.is_active, user.updated_at = is_active, now()
        revoke_sessions(session, user_id)
        action = "user.enabled" if is_active else "user.disabled"
        audit.record(session, actor, action, user_id)


def rename(hub: Hub, actor: Actor, *, name: str) -> None:
    """Change the user's own name; raise InvalidInput for an empty or a long one."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= _NAME_CHARACTERS:
        raise InvalidInput(f"Give a name of 1 to {_NAME_CHARACTERS} characters.", field="name")
    with hub.database.write() as session:
        user = get_row(session, actor.id)
        before, user.name, user.updated_at = user.name, cleaned, now()
        changes = audit.difference({"name": before}, {"name": cleaned})
        audit.record(session, actor, "user.renamed", actor.id, changes=changes)


def normalise_email(email: str) -> str:
    """Return an address as it is stored and compared."""
    return email.strip().lower()


def new_user(email: str, *, name: str, role: str) -> User:
    """Return an active user without a password; raise InvalidInput for a bad address or role."""
    address = normalise_email(email)
    if len(address) > _EMAIL_CHARACTERS or not _EMAIL.fullmatch(address):
        raise InvalidInput("Give an e-mail address such as ada@example.com.", field="email")
    checked = _role(role)
    moment = now()
    return User(
        id=new_id("usr"),
        email=address,
        name=name.strip() or address.partition("@")[0],
        password_hash="",
        role=checked.value,
        is_active=True,
        must_change_password=False,
        created_at=moment,
        updated_at=moment,
    )


def hash_new_password(password: str, *, email: str) -> str:
    """Return the hash of a user's new password; raise InvalidInput for one that is too weak."""
    passwords.check_new_password(password, email=email)
    return passwords.hash_password(password)


def insert_user(session: Session, user: User) -> None:
    """Add a user in the caller's transaction; raise InvalidInput for a taken address."""
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


def get_row(session: Session, user_id: str) -> User:
    """Return a user's row in the caller's transaction; raise NotFound."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such user. Reload the list and try again.")
    return user


def find_row(session: Session, address: str) -> User | None:
    """Return the row of a normalised address in the caller's transaction."""
    return session.exec(select(User).where(User.email == address)).first()
