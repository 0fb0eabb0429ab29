"""Secrets that their vendor advises to replace now and then, and how old they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lib.clock import now
from lib.connections.views import Integration
from lib.providers.base import Provider
from lib.providers.registry import find_provider

WARNED_DAYS = 10


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
    return reminders_of(item.service_name, item.credentials_set_at, now())


def reminders_of(
    service_name: str, set_at: Mapping[str, datetime | None], moment: datetime
) -> list[Reminder]:
    """Return what should be replaced at `moment` of secrets that were entered at these times."""
    provider = find_provider(service_name)
    found = []
    for field in provider.fields if provider else ():
        entered_at = set_at.get(field.name)
        if field.rotate_days is None or entered_at is None:
            continue
        days = (moment - entered_at).days
        if days >= field.rotate_days - WARNED_DAYS:
            found.append(Reminder(field.label, days, field.rotate_days))
    return found


def least_age(provider: Provider) -> timedelta | None:
    """Return from which age on a secret of this provider is due, None where none ever is."""
    days = [field.rotate_days for field in provider.fields if field.rotate_days is not None]
    return timedelta(days=min(days) - WARNED_DAYS) if days else None
