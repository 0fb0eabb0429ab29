"""Settings that staff make by forms: rows by name, for the use cases that own their meaning.

What a value holds is the business of its own module; only names and who wrote it are known here.
"""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from lib.access import Actor
from lib.clock import now
from lib.models import HubSetting


def find_value(session: Session, name: str) -> dict[str, Any] | None:
    """Return a setting's value, or None while nobody has made one."""
    row = session.get(HubSetting, name)
    return dict(row.value) if row else None


def lock_value(session: Session, name: str) -> dict[str, Any] | None:
    """Return a setting's value, which nobody else changes before this transaction ends."""
    row = session.get(HubSetting, name, with_for_update=True, populate_existing=True)
    return dict(row.value) if row else None


def keep_value(
    session: Session, name: str, value: Mapping[str, Any], *, actor: Actor | None
) -> None:
    """Store a setting's value; `actor` is None for what the hub notes by itself."""
    row = session.get(HubSetting, name, with_for_update=True)
    if row is None:
        row = HubSetting(name=name, value={}, updated_at=now())
        session.add(row)
    row.value, row.updated_at = dict(value), now()
    row.updated_by = actor.id if actor else None
