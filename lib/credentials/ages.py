"""Secrets that their vendor advises to replace now and then, and how old they are."""

from dataclasses import dataclass

from lib.clock import now
from lib.connections.views import Integration
from lib.providers.registry import get_provider

_WARNED_DAYS = 10


@dataclass(frozen=True)
class Reminder:
    """A secret that is due, or will be within ten days."""

    label: str
    days: int
    rotate_days: int

    @property
    def is_due(self) -> bool:
        """Whether its time is over."""
        return self.days >= self.rotate_days


def find_reminders(item: Integration) -> list[Reminder]:
    """Return the secrets of a connection that should be replaced."""
    found = []
    for field in get_provider(item.service_name).fields:
        set_at = item.credentials_set_at.get(field.name)
        if field.rotate_days is None or set_at is None:
            continue
        days = (now() - set_at).days
        if days >= field.rotate_days - _WARNED_DAYS:
            found.append(Reminder(field.label, days, field.rotate_days))
    return found
