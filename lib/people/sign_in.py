"""Proving who one is by a password: at the sign-in, and once more for what is delicate."""

from dataclasses import replace

from sqlalchemy import update
from sqlmodel import Session, col

from lib import audit
from lib.access import Actor
from lib.clock import now
from lib.errors import CodeNeeded, InvalidInput, NotAllowed
from lib.hub import Hub
from lib.models import User
from lib.people import passwords, throttle
from lib.people.sessions import actor_of_user, revoke_sessions
from lib.people.users import find_row, get_row, normalise_email

WRONG_CREDENTIALS = "The e-mail address or the password is wrong. Check both and try again."


def authenticate(hub: Hub, email: str, *, password: str, ip: str) -> Actor:
    """Return whom the password belongs to.

    Unknown, disabled and mistyped cost the same time and raise the same NotAllowed;
    RateLimited after too many failures of one name or one address; CodeNeeded for a right
    password where a second factor is on: `second_factor.prove` goes on from there.
    """
    name = normalise_email(email)
    attempt = throttle.count_attempt(hub, name, ip=ip)
    with hub.database.read() as session:
        user = find_row(session, name)
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
        if user.totp_confirmed_at is None:
            note_sign_in(session, actor, ip)
    if user.totp_confirmed_at is not None:
        raise CodeNeeded(user.id)
    return actor


def note_sign_in(session: Session, actor: Actor, ip: str) -> None:
    """Record that everything which was asked for was proven, in the caller's transaction."""
    session.execute(update(User).where(col(User.id) == actor.id).values(last_signed_in_at=now()))
    audit.record(session, replace(actor, ip=ip), "user.signed_in", actor.id)


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
        user = get_row(session, actor.id)
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


def _prove_password(hub: Hub, actor: Actor, password: str, *, field: str) -> throttle.Attempt:
    # Counted apart from sign-ins: who guesses at an open screen must not lock out the owner.
    attempt = throttle.count_attempt(hub, f"change:{actor.id}", ip=f"change:{actor.id}")
    with hub.database.read() as session:
        stored = get_row(session, actor.id).password_hash
    if not passwords.matches(password, stored):
        raise InvalidInput("The current password is wrong. Type it again.", field=field)
    return attempt
