"""Slows down guessing: counts failed sign-ins per name and per address, and locks for a time.

Unknown names lock like known ones, so a lock tells nothing about who exists.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from lib.clock import now
from lib.errors import RateLimited
from lib.hub import Hub
from lib.models import LoginThrottle

NAME_FAILURES = 5

# A whole office shares one address, and every visitor does behind an unnamed proxy.
ADDRESS_FAILURES = 20

FIRST_LOCK_SECONDS = 60
LONGEST_LOCK_SECONDS = 3600
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Attempt:
    """One try to sign in, counted as failed until it is forgiven."""

    name_key: str
    address_key: str

    @property
    def limits(self) -> list[tuple[str, int]]:
        """Each key with the failures it may have.

        Always in one order: two attempts on PostgreSQL then cannot wait for each other.
        """
        return sorted([(self.name_key, NAME_FAILURES), (self.address_key, ADDRESS_FAILURES)])


def count_attempt(hub: Hub, name: str, *, ip: str) -> Attempt:
    """Count one failure before the password is looked at; raise RateLimited while locked.

    Counting first means that a hundred guesses sent at once get five answers, not a hundred.
    An attempt that meets a lock is not counted, so a lock ends in time.
    """
    attempt = Attempt(_digest("name", name), _digest("address", ip))
    with hub.database.write() as session:
        _prune(session)
        rows = [(_locked_row(hub, session, key), limit) for key, limit in attempt.limits]
        for row, _ in rows:
            _refuse_while_locked(row)
        for row, limit in rows:
            _set_failures(row, row.failures + 1, limit=limit)
    return attempt


def forgive(session: Session, attempt: Attempt) -> None:
    """Take a successful attempt back: the name starts anew, the address loses this one.

    An address is not cleared: whoever has one account could otherwise guess without end.
    """
    rows = {key: session.get(LoginThrottle, key, with_for_update=True) for key, _ in attempt.limits}
    if (name := rows[attempt.name_key]) is not None:
        session.delete(name)
    if (address := rows[attempt.address_key]) is not None:
        address.failures = max(0, address.failures - 1)
        address.locked_until = None


def _digest(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}:{value}".encode()).hexdigest()


def _prune(session: Session) -> None:
    """Drop what is forgotten: names are chosen by attackers, so rows must not pile up."""
    session.execute(
        delete(LoginThrottle).where(col(LoginThrottle.updated_at) < now() - FORGOTTEN_AFTER)
    )


def _locked_row(hub: Hub, session: Session, key: str) -> LoginThrottle:
    insert = sqlite.insert if hub.database.is_sqlite else postgresql.insert
    session.execute(
        insert(LoginThrottle)
        .values(key=key, failures=0, locked_until=None, updated_at=now())
        # An update locks the row; one that is merely found could be forgiven before it is read.
        .on_conflict_do_update(index_elements=["key"], set_={"key": key})
    )
    return session.exec(
        select(LoginThrottle).where(LoginThrottle.key == key).with_for_update()
    ).one()


def _refuse_while_locked(row: LoginThrottle) -> None:
    if row.locked_until is None or row.locked_until <= now():
        return
    seconds = int((row.locked_until - now()).total_seconds()) + 1
    raise RateLimited(
        f"Too many failed attempts. Try again in {_in_words(seconds)}.",
        retry_after_seconds=seconds,
    )


def _set_failures(row: LoginThrottle, failures: int, *, limit: int) -> None:
    moment = now()
    row.failures = failures
    row.updated_at = moment
    row.locked_until = _lock_end(moment, failures - limit)


def _lock_end(moment: datetime, excess: int) -> datetime | None:
    if excess < 0:
        return None
    # The exponent is capped before the power: failures have no upper bound.
    seconds = FIRST_LOCK_SECONDS * 2 ** min(excess, 10)
    return moment + timedelta(seconds=min(seconds, LONGEST_LOCK_SECONDS))


def _in_words(seconds: int) -> str:
    if seconds <= 90:
        return f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes"
