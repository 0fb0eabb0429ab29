"""The hub's own ages: what holds wherever an integration has no age of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from lib import audit, hub_settings
from lib.access import Actor, require_staff
from lib.hub import Hub
from lib.models import RetentionRun
from lib.retention.ages import NAMES, Ages, clean_ages

NAME = "retention"
_ROUNDS = 20


@dataclass(frozen=True)
class HubAges:
    """The ages that hold, and those among them that staff have set."""

    ages: Ages
    own: Mapping[str, int]


@dataclass(frozen=True)
class PastRound:
    """One round of removal: how many rows of each kind went, and how many bytes came back."""

    started_at: datetime
    finished_at: datetime
    removed: Mapping[str, int]
    bytes_freed: int


def hub_ages(session: Session) -> Ages:
    """Return the ages of the hub, in the caller's transaction."""
    return Ages(**_stored(session))


def get_hub_ages(hub: Hub, actor: Actor) -> HubAges:
    """Return the ages of the hub; staff only."""
    require_staff(actor)
    with hub.database.read() as session:
        return HubAges(hub_ages(session), _stored(session))


def set_hub_ages(hub: Hub, actor: Actor, ages: Mapping[str, int | None]) -> HubAges:
    """Replace the ages of the hub, in days; None and absent mean the product's own.

    Raises InvalidInput naming the first bad age. An integration's own ages stay; its parts of
    an event go with the event at the latest. Staff only.
    """
    require_staff(actor)
    own = clean_ages(ages)
    with hub.database.write() as session:
        before = hub_ages(session)
        hub_settings.keep_value(session, NAME, own, actor=actor)
        after = Ages(**own)
        if after != before:
            changes = audit.difference(asdict(before), asdict(after))
            audit.record(session, actor, "retention.hub_ages_set", NAME, changes=changes)
    return HubAges(after, own)


def list_rounds(hub: Hub, actor: Actor) -> Sequence[PastRound]:
    """Return the last rounds, the newest first; staff only."""
    require_staff(actor)
    query = select(RetentionRun).order_by(col(RetentionRun.finished_at).desc()).limit(_ROUNDS)
    with hub.database.read() as session:
        return [
            PastRound(row.started_at, row.finished_at, dict(row.removed), row.bytes_freed)
            for row in session.exec(query)
        ]


def _stored(session: Session) -> dict[str, int]:
    value = hub_settings.find_value(session, NAME) or {}
    return {name: int(value[name]) for name in NAMES if name in value}
