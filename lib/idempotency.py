"""Idempotency-Key: a creation that is asked for twice happens once and is answered the same.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/. Kept answers may
hold a secret that is shown once, so they are sealed.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from lib.access import Actor
from lib.clock import now
from lib.errors import HubError, InvalidInput, OutcomeUnknown, SecretUnreadable
from lib.hub import Hub
from lib.models import IdempotencyKey
from lib.vendors.action_runs import MAYBE_DONE

KEPT = timedelta(hours=24)
# Longer than any request runs: what is older was left by a process that died.
_ABANDONED = timedelta(minutes=2)
_KEY = re.compile(r"[!-~]{1,255}")
_FIELD = "Idempotency-Key"


class StillUnderWay(HubError):
    """The first request under this key has not been answered yet."""


@dataclass(frozen=True)
class Attempt:
    """A key as one request uses it; `digest` tells whether another request is the same.

    `may_repeat` says whether it may be done once more when nobody knows how it ended.
    """

    user_id: str
    key: str
    digest: str
    may_repeat: bool = True


@dataclass(frozen=True, repr=False)
class KeptAnswer:
    """What the first request was answered."""

    status: int
    headers: dict[str, str]
    body: bytes


def begin(
    hub: Hub, actor: Actor, *, key: str, digest: str, may_repeat: bool = True
) -> Attempt | KeptAnswer:
    """Claim a key for a request, or return what the same request was answered before.

    Raises InvalidInput when the key is bad or stands for another request, StillUnderWay, and
    OutcomeUnknown when the first request was cut off and may not be repeated.
    """
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            f"Give an {_FIELD} of 1 to 255 visible ASCII characters, such as a UUID.", field=_FIELD
        )
    attempt = Attempt(actor.id, key, digest, may_repeat)
    with hub.database.write() as session:
        _prune(session)
        if _claim(session, attempt, is_sqlite=hub.database.is_sqlite):
            return attempt
        row = session.get_one(
            IdempotencyKey, (actor.id, key), with_for_update=True, populate_existing=True
        )
        return _look(hub, row, attempt)


def finish(hub: Hub, attempt: Attempt, answer: KeptAnswer) -> None:
    """Keep the answer that every request under this key gets from now on."""
    with hub.database.write() as session:
        row = session.get(IdempotencyKey, (attempt.user_id, attempt.key), with_for_update=True)
        if row is not None:
            row.status, row.headers = answer.status, dict(answer.headers)
            row.body = hub.vault.seal(answer.body.decode(), place=_place(row)).encode()


def release(hub: Hub, attempt: Attempt) -> None:
    """Free the key of a request that did nothing, so that it can be tried again."""
    with hub.database.write() as session:
        session.execute(
            delete(IdempotencyKey).where(
                col(IdempotencyKey.user_id) == attempt.user_id,
                col(IdempotencyKey.key) == attempt.key,
                col(IdempotencyKey.status).is_(None),
            )
        )


def prune(hub: Hub) -> None:
    """Forget every key whose day is over, with the answer that was kept under it."""
    with hub.database.write() as session:
        _prune(session)


def _prune(session: Session) -> None:
    session.execute(delete(IdempotencyKey).where(col(IdempotencyKey.created_at) < now() - KEPT))


def _claim(session: Session, attempt: Attempt, *, is_sqlite: bool) -> bool:
    insert = sqlite.insert if is_sqlite else postgresql.insert
    statement = (
        insert(IdempotencyKey)
        .values(
            user_id=attempt.user_id,
            key=attempt.key,
            request_digest=attempt.digest,
            status=None,
            headers={},
            body=b"",
            created_at=now(),
        )
        .on_conflict_do_nothing()
        .returning(col(IdempotencyKey.key))
    )
    return session.execute(statement).first() is not None


def _look(hub: Hub, row: IdempotencyKey, attempt: Attempt) -> Attempt | KeptAnswer:
    if row.request_digest != attempt.digest:
        raise InvalidInput(
            f"This {_FIELD} stands for another request. Use a new key for a new request.",
            field=_FIELD,
        )
    if row.status is not None:
        return KeptAnswer(row.status, dict(row.headers), _open_body(hub, row))
    if row.created_at > now() - _ABANDONED:
        raise StillUnderWay(
            f"The first request with this {_FIELD} is still under way. Ask again in a moment."
        )
    if not attempt.may_repeat:
        raise OutcomeUnknown(f"The first request with this {_FIELD} was cut off. {MAYBE_DONE}")
    row.created_at = now()
    return attempt


def _open_body(hub: Hub, row: IdempotencyKey) -> bytes:
    try:
        return hub.vault.open(row.body.decode(), place=_place(row)).encode()
    except SecretUnreadable as error:
        raise InvalidInput(
            f"The request under this {_FIELD} was carried out, but its answer does not open any "
            "more: the hub's master key has changed. Use a new key for a new request.",
            field=_FIELD,
        ) from error


def _place(row: IdempotencyKey) -> tuple[str, str, str]:
    return str(row.__tablename__), f"{row.user_id}/{row.key}", "body"
