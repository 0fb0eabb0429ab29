"""The record of who did what; entries are written in the transaction of the deed itself."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import takewhile
from typing import Any

from sqlmodel import Session

from lib.access import Actor
from lib.clock import now
from lib.ids import new_id
from lib.models import AuditEntry

Changes = Mapping[str, Mapping[str, str]]
Detail = str | Changes
_LONGEST_VALUE, _KEPT_BEFORE = 200, 40
_TOKEN_ID: ContextVar[str | None] = ContextVar("audit_token_id", default=None)


@contextmanager
def acting_through(token_id: str) -> Iterator[None]:
    """Note with every entry of this block that a program made it, by which of a user's tokens."""
    before = _TOKEN_ID.set(token_id)
    try:
        yield
    finally:
        _TOKEN_ID.reset(before)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Return by name how two sets of facts differ, as the texts "before" and "after".

    The facts must be such as may be shown; nothing is masked here. Of long texts the part is
    kept in which they begin to differ.
    """
    names = [*before, *(name for name in after if name not in before)]
    texts = {name: (_text(before.get(name)), _text(after.get(name))) for name in names}
    return {name: _cut(was, new) for name, (was, new) in texts.items() if was != new}


def record(
    session: Session, actor: Actor | None, action: str, object_id: str, **details: Detail
) -> None:
    """Add one entry; `details` hold names and states, never secrets or payloads.

    Among them `changes` is what `difference` returns. `actor` is None for what nobody signed in
    for, such as a failed login.
    """
    token_id = _TOKEN_ID.get()
    session.add(
        AuditEntry(
            id=new_id("aud"),
            user_id=actor.id if actor else None,
            actor=actor.email if actor else "nobody",
            role=actor.role.value if actor else None,
            ip=actor.ip if actor else None,
            session_id=actor.session_id if actor else None,
            action=action,
            object_id=object_id,
            details=details if token_id is None else {**details, "token_id": token_id},
            created_at=now(),
        )
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _cut(was: str, new: str) -> Mapping[str, str]:
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(was, new, strict=False)))
    start = max(0, same - _KEPT_BEFORE) if max(len(was), len(new)) > _LONGEST_VALUE else 0
    parts = {"before": was, "after": new}
    return {name: _part(text, start) for name, text in parts.items()}


def _part(text: str, start: int) -> str:
    end = start + _LONGEST_VALUE
    return f"{'…' * (start > 0)}{text[start:end]}{'…' * (len(text) > end)}"
