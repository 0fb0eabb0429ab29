"""Who was written to and has not answered yet, and how long answers took.

Contacts are known by their keyed digests alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import case, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from lib.models import Conversation
from lib.processing.durations import REPLY, Took, count_durations


@dataclass(frozen=True)
class OwnedTurn:
    """One message of a conversation: whose integration, which contact, who wrote, and when."""

    integration_id: str
    user_id: str
    contact_digest: str
    is_ours: bool
    at: datetime


class _Place(NamedTuple):
    integration_id: str
    contact_digest: str


def follow(session: Session, turns: Iterable[OwnedTurn]) -> None:
    """Note what we wrote, and count how long the next message of the contact took.

    It is part of the transaction that finishes the events, so each answer counts once.
    """
    by_place: defaultdict[_Place, list[OwnedTurn]] = defaultdict(list)
    for turn in turns:
        by_place[_Place(turn.integration_id, turn.contact_digest)].append(turn)
    if not by_place:
        return
    waiting = _lock(session, sorted(by_place))
    replies: list[Took] = []
    open_since: dict[_Place, datetime] = {}
    for place in sorted(by_place):
        since = _go_through(by_place[place], waiting.get(place), replies)
        if since is not None:
            open_since[place] = since
    _keep(session, waiting, open_since)
    count_durations(session, replies)


def _go_through(
    turns: Sequence[OwnedTurn], sent_at: datetime | None, replies: list[Took]
) -> datetime | None:
    """Add the replies among `turns`; return since when the contact now owes an answer."""
    for turn in sorted(turns, key=lambda item: item.at):
        if turn.is_ours:
            sent_at = turn.at if sent_at is None else max(sent_at, turn.at)
        elif sent_at is not None and turn.at >= sent_at:
            replies.append(Took(turn.integration_id, turn.user_id, REPLY, sent_at, turn.at))
            sent_at = None
    return sent_at


def _lock(session: Session, places: Sequence[_Place]) -> dict[_Place, datetime]:
    query = (
        select(Conversation)
        .where(_place().in_(places))
        .order_by(col(Conversation.integration_id), col(Conversation.contact_digest))
        .with_for_update()
    )
    rows = session.execute(query).scalars()
    return {_Place(row.integration_id, row.contact_digest): row.sent_at for row in rows}


def _keep(session: Session, before: dict[_Place, datetime], after: dict[_Place, datetime]) -> None:
    ended = [place for place in before if place not in after]
    if ended:
        session.execute(
            delete(Conversation)
            .where(_place().in_(ended))
            .execution_options(synchronize_session=False)
        )
    rows = [
        {**place._asdict(), "sent_at": sent_at}
        for place, sent_at in sorted(after.items())
        if before.get(place) != sent_at
    ]
    if not rows:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(Conversation)
    known, new = col(Conversation.sent_at), statement.excluded.sent_at
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["integration_id", "contact_digest"],
            set_={"sent_at": case((new > known, new), else_=known)},
        ),
        rows,
    )


def _place() -> Any:
    return tuple_(col(Conversation.integration_id), col(Conversation.contact_digest))
