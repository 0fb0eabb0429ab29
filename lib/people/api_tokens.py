"""The bearer tokens with which programs act for a user: made, listed, revoked, believed.

Only the SHA-256 of a token is kept. A token reaches what its scopes name, and never further
than its user's role; what belongs to others is a scope of its own.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor, require_staff
from lib.clock import now
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.ids import new_id
from lib.lists.paging import Page, check_limit
from lib.models import ApiToken, User
from lib.people.sessions import actor_of_user

PREFIX = "hub_"
ALL = "all"
ADMIN = "admin"
# What each scope lets a token do, in the order in which screens offer them.
SCOPES: dict[str, str] = {
    "read:events": "Read events, samples and deliveries",
    "write:events": "Add events",
    "read:integrations": "Read integrations, destinations and routes",
    "write:integrations": "Change and test integrations, destinations, routes and subscriptions",
    "actions": "Do things at the services, such as sending a message",
    "replay": "Deliver finished deliveries once more",
    ADMIN: "Do this for what belongs to others too, as far as the role goes",
    ALL: "Everything above",
}
LONGEST_DAYS = 3650
_USE_INTERVAL = timedelta(minutes=1)
_NAME_LENGTH = 80
_MOST_TOKENS = 50


@dataclass(frozen=True)
class Token:
    """What a user sees of a token: never the token itself."""

    id: str
    name: str
    last4: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None

    @property
    def is_expired(self) -> bool:
        """Whether its time has run out."""
        return self.expires_at is not None and self.expires_at <= now()


@dataclass(frozen=True)
class OwnedToken:
    """A token as staff see it, with the e-mail address of the user whom it speaks for."""

    token: Token
    owner: str


@dataclass(frozen=True, repr=False)
class IssuedToken:
    """A token that was just made, in full this once."""

    token: Token
    secret: str


@dataclass(frozen=True)
class Caller:
    """Whom a token speaks for, and how far it reaches."""

    actor: Actor
    scopes: frozenset[str]
    token: Token

    def may(self, scope: str) -> bool:
        """Tell whether the token has a scope."""
        return scope in self.scopes or ALL in self.scopes


def create(
    hub: Hub,
    actor: Actor,
    *,
    name: str,
    scopes: Sequence[str],
    days: int | None = None,
) -> IssuedToken:
    """Make a token of `actor`, valid for `days`, or until it is revoked for None.

    Raises InvalidInput naming the first bad field.
    """
    chosen = _clean_scopes(scopes)
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"Let it expire after 1 to {LONGEST_DAYS} days.", field="days")
    secret = PREFIX + secrets.token_urlsafe(32)
    moment = now()
    row = ApiToken(
        id=new_id("tok"),
        user_id=actor.id,
        name=_clean_name(name),
        token_digest=_digest(secret),
        last4=secret[-4:],
        scopes=chosen,
        created_at=moment,
        expires_at=None if days is None else moment + timedelta(days=days),
    )
    with hub.database.write() as session:
        if len(_live_rows(session, actor)) >= _MOST_TOKENS:
            raise InvalidInput(
                f"You have {_MOST_TOKENS} tokens already. Revoke one that is not used.",
                field="name",
            )
        session.add(row)
        audit.record(
            session, actor, "token.created", row.id, name=row.name, scopes=" ".join(chosen)
        )
    return IssuedToken(_view(row), secret)


def list_tokens(hub: Hub, actor: Actor) -> list[Token]:
    """Return the user's own tokens that are not revoked, newest first."""
    with hub.database.read() as session:
        return [_view(row) for row in _live_rows(session, actor)]


def list_of_everybody(
    hub: Hub, actor: Actor, *, cursor: str | None = None, limit: int = 50
) -> Page[OwnedToken]:
    """Return the newest tokens of all users that are not revoked; staff only."""
    require_staff(actor)
    query = (
        select(ApiToken, User.email)
        .join(User, col(User.id) == col(ApiToken.user_id))
        .where(col(ApiToken.revoked_at).is_(None))
        .order_by(col(ApiToken.id).desc())
        .limit(check_limit(limit) + 1)
    )
    if cursor is not None:
        query = query.where(col(ApiToken.id) < cursor)
    with hub.database.read() as session:
        found = [OwnedToken(_view(row), owner) for row, owner in session.exec(query)]
    return Page(found[:limit], found[limit - 1].token.id if len(found) > limit else None)


def revoke(hub: Hub, actor: Actor, token_id: str) -> None:
    """End a token at once, one's own or, for staff, anybody's; raise NotFound for any other."""
    with hub.database.write() as session:
        row = session.get(ApiToken, token_id)
        reaches_all = actor.sees_all and not actor.sees_masked
        if row is None or row.revoked_at or not (reaches_all or row.user_id == actor.id):
            raise NotFound("There is no such token. Reload the page and look again.")
        row.revoked_at = now()
        owner = session.get_one(User, row.user_id).email
        audit.record(session, actor, "token.revoked", row.id, name=row.name, owner=owner)


def authenticate(hub: Hub, secret: str) -> Caller | None:
    """Return whom a token speaks for; None for one that is unknown, expired or revoked.

    A disabled user's tokens are worth nothing, and one without the scope for what belongs to
    others keeps even staff to their own. It only reads, so `note_use` is called apart.
    """
    query = (
        select(ApiToken, User)
        .join(User, col(User.id) == col(ApiToken.user_id))
        .where(col(ApiToken.token_digest) == _digest(secret))
        .where(col(ApiToken.revoked_at).is_(None), col(User.is_active))
    )
    with hub.database.read() as session:
        found = session.exec(query).first()
    if found is None:
        return None
    row, user = found
    token = _view(row)
    if token.is_expired:
        return None
    caller = Caller(actor_of_user(user), frozenset(row.scopes), token)
    return replace(caller, actor=replace(caller.actor, is_confined=not caller.may(ADMIN)))


def is_use_due(token: Token) -> bool:
    """Tell whether the last known use is old enough to be written anew."""
    return token.last_used_at is None or now() - token.last_used_at >= _USE_INTERVAL


def note_use(hub: Hub, token: Token) -> None:
    """Keep that a token was used now, once a minute at most whoever asks."""
    moment = now()
    is_due = or_(
        col(ApiToken.last_used_at).is_(None), col(ApiToken.last_used_at) <= moment - _USE_INTERVAL
    )
    with hub.database.write() as session:
        session.execute(
            update(ApiToken)
            .where(col(ApiToken.id) == token.id, is_due)
            .values(last_used_at=moment)
            .execution_options(synchronize_session=False)
        )


def _live_rows(session: Session, actor: Actor) -> Sequence[ApiToken]:
    query = (
        select(ApiToken)
        .where(col(ApiToken.user_id) == actor.id, col(ApiToken.revoked_at).is_(None))
        .order_by(col(ApiToken.id).desc())
    )
    return session.exec(query).all()


def _view(row: ApiToken) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        last4=row.last4,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _clean_scopes(scopes: Sequence[str]) -> list[str]:
    chosen = [scope for scope in SCOPES if scope in scopes]
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not chosen:
        what = f"There is no scope {unknown[0][:40]}." if unknown else "Choose at least one scope."
        raise InvalidInput(f"{what} Use: {', '.join(SCOPES)}.", field="scopes")
    return chosen


def _clean_name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= _NAME_LENGTH:
        raise InvalidInput(f"Give a name of 1 to {_NAME_LENGTH} characters.", field="name")
    return cleaned
