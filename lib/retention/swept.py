"""What the sweeps of retention are handed and what they tell: values alone, no queries."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlmodel import Session

from lib.retention.ages import Ages


@dataclass(frozen=True)
class Owner:
    """The integration whose content is swept, and how long it keeps it."""

    id: str
    user_id: str
    ages: Ages


@dataclass(frozen=True)
class Swept:
    """What one batch removed, and where the next one goes on: None when nothing is left."""

    removed: Mapping[str, int] = field(default_factory=dict)
    bytes: int = 0
    after: str | None = None

    @property
    def rows(self) -> int:
        """How many rows were written."""
        return sum(self.removed.values())


# (session, owner, after, limit): `after` is what the batch before returned, "" at first.
Sweep = Callable[[Session, Owner, str, int], Swept]
