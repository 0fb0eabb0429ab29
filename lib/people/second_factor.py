"""The second factor of a sign-in: time-based codes (RFC 6238) and recovery codes."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

import pyotp
from sqlmodel import Session

from lib import audit
from lib.access import Actor, require_staff
from lib.clock import now
from lib.errors import InvalidInput, NotAllowed, NotFound
from lib.hub import Hub
from lib.models import User
from lib.people import throttle
from lib.people.sessions import actor_of_user, revoke_sessions
from lib.people.sign_in import confirm_password, note_sign_in
from lib.vault.row_secrets import keep_secrets, open_secrets

# The time within which the password that came before still counts.
STEP_LIFE = timedelta(minutes=5)
ISSUER = "Members Hub"
RECOVERY_CODES = 10
WRONG_CODE = "The code is wrong or was used before. Wait for the next one and type it."
_SECRET = "totp_secret"  # noqa: S105 - the name of a field
_STEP_SECONDS = 30
# A clock may be off by one step either way (RFC 6238, section 5.2).
_STEPS_OFF = (0, -1, 1)


@dataclass(frozen=True, repr=False)
class Enrolment:
    """A secret to put into an app: as text, and as the address that a QR code holds."""

    secret: str
    uri: str


@dataclass(frozen=True)
class SecondFactor:
    """Whether a user is asked for codes, and how many recovery codes are left."""

    is_on: bool
    recovery_codes_left: int


def is_asked_for(hub: Hub, actor: Actor) -> bool:
    """Say whether the user has to give a code after the password."""
    return read_state(hub, actor).is_on


def read_state(hub: Hub, actor: Actor) -> SecondFactor:
    """Return the state of the user's own second factor."""
    with hub.database.read() as session:
        user = _get(session, actor.id)
        return SecondFactor(user.totp_confirmed_at is not None, len(user.recovery_digests))


def begin(hub: Hub, actor: Actor) -> Enrolment:
    """Make a new secret for the user; it counts once `confirm` has seen a code of it.

    Raises InvalidInput while a second factor is on.
    """
    secret = pyotp.random_base32()
    with hub.database.write() as session:
        user = _get(session, actor.id)
        if user.totp_confirmed_at is not None:
            raise InvalidInput("The second factor is on already. Turn it off first.", field="code")
        keep_secrets(hub.vault, user, {_SECRET: secret})
    uri = pyotp.TOTP(secret).provisioning_uri(name=actor.email, issuer_name=ISSUER)
    return Enrolment(secret, uri)


def confirm(hub: Hub, actor: Actor, code: str) -> list[str]:
    """Turn the second factor on; return the recovery codes, which are shown this once.

    Raises InvalidInput with the field `code`.
    """
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    with hub.database.write() as session:
        user = _get(session, actor.id)
        if user.totp_confirmed_at is not None or _SECRET not in user.credentials:
            raise InvalidInput("Begin again: there is no secret to confirm.", field="code")
        step = _matching_step(hub, user, code)
        if step is None:
            raise InvalidInput(WRONG_CODE, field="code")
        user.totp_confirmed_at, user.totp_last_step = now(), step
        user.recovery_digests = [_digest(code) for code in codes]
        audit.record(session, actor, "user.second_factor_on", actor.id)
    return codes


def turn_off(hub: Hub, actor: Actor, *, password: str, code: str) -> None:
    """Turn the user's own second factor off, after the password and one more code.

    Raises InvalidInput with the field `password` or `code`, and RateLimited.
    """
    confirm_password(hub, actor, password)
    attempt = throttle.count_attempt(hub, f"code:{actor.id}", ip=f"code:{actor.id}")
    with hub.database.write() as session:
        user = _get(session, actor.id)
        if not _use_code(hub, user, code):
            raise InvalidInput(WRONG_CODE, field="code")
        throttle.forgive(session, attempt)
        _forget(user)
        audit.record(session, actor, "user.second_factor_off", actor.id)


def turn_off_for(hub: Hub, actor: Actor, user_id: str) -> None:
    """Turn off the second factor of somebody who lost it, and end their sessions; staff only."""
    require_staff(actor)
    if actor.id == user_id:
        raise NotAllowed("Turn your own second factor off on the Account screen.")
    with hub.database.write() as session:
        user = _get(session, user_id)
        _forget(user)
        revoke_sessions(session, user_id)
        audit.record(session, actor, "user.second_factor_removed", user_id)


def prove(hub: Hub, user_id: str, *, code: str, ip: str) -> Actor:
    """Return who signs in, once a code or a recovery code of theirs was given.

    The password was proven just before. Raises NotAllowed, and RateLimited after too many wrong
    codes. A code is good once, and so is a recovery code.
    """
    attempt = throttle.count_attempt(hub, f"code:{user_id}", ip=ip)
    with hub.database.write() as session:
        user = session.get(User, user_id, with_for_update=True)
        if user is not None and user.is_active and _use_code(hub, user, code):
            actor = actor_of_user(user)
            throttle.forgive(session, attempt)
            note_sign_in(session, actor, ip)
            return actor
        audit.record(session, None, "user.code_failed", user_id, ip=ip)
    raise NotAllowed(WRONG_CODE)


def _use_code(hub: Hub, user: User, code: str) -> bool:
    if user.totp_confirmed_at is None:
        return False
    step = _matching_step(hub, user, code)
    if step is not None:
        user.totp_last_step = step
        return True
    given = _digest(code)
    left = [kept for kept in user.recovery_digests if not hmac.compare_digest(kept, given)]
    was_recovery = len(left) < len(user.recovery_digests)
    user.recovery_digests = left
    return was_recovery


def _matching_step(hub: Hub, user: User, code: str) -> int | None:
    """Return the time step that the code is of; None for a wrong code or one already used."""
    totp = pyotp.TOTP(open_secrets(hub.vault, user)[_SECRET])
    present = int(now().timestamp()) // _STEP_SECONDS
    given = "".join(code.split())
    for step in (present + off for off in _STEPS_OFF):
        is_fresh = user.totp_last_step is None or step > user.totp_last_step
        if is_fresh and hmac.compare_digest(totp.generate_otp(step).encode(), given.encode()):
            return step
    return None


def _recovery_code() -> str:
    # 50 bits each, in the alphabet of RFC 4648, which has no 0, 1, 8 or 9.
    text = "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(10))
    return f"{text[:5]}-{text[5:]}"


def _digest(code: str) -> str:
    return hashlib.sha256("".join(code.split()).replace("-", "").upper().encode()).hexdigest()


def _forget(user: User) -> None:
    user.credentials = {}
    user.totp_confirmed_at = user.totp_last_step = None
    user.recovery_digests = []


def _get(session: Session, user_id: str) -> User:
    user = session.get(User, user_id, with_for_update=True)
    if user is None:
        raise NotFound("There is no such user. Reload the list and try again.")
    return user
