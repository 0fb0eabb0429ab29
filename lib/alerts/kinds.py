"""The kinds of conditions that people are alerted to; the list is data."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Severity = Literal["high", "medium", "low"]
EVERYTHING = "*"
# An alert that is muted until it is resolved carries this moment.
UNTIL_RESOLVED = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Kind:
    """One kind: how it is written and how much it matters."""

    name: str
    label: str
    severity: Severity


@dataclass(frozen=True)
class Condition:
    """Something that is wrong now with one object of one user.

    `path` is the filtered screen that shows more, without the dashboard's address.
    """

    user_id: str
    kind: str
    object_id: str
    title: str
    message: str
    path: str


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("issue_open", "New issue", "high"),
        Kind("breaker_open", "Circuit breaker open", "high"),
        Kind("destination_disabled", "Destination disabled", "high"),
        Kind("integration_silent", "Integration silent", "medium"),
        Kind("credential_expiring", "Credential expires or is due", "medium"),
        Kind("queue_old", "Queue does not move", "high"),
        Kind("check_failed", "Connection check failed", "medium"),
        Kind("backup_failed", "Backup failed", "high"),
        Kind("budget_low", "Vendor's limit nearly spent", "low"),
    )
}


def label_of(kind: str) -> str:
    """Return how a kind is written; a kind that is gone keeps its name."""
    known = KINDS.get(kind)
    return known.label if known else kind


def severity_of(kind: str) -> Severity:
    """Return how much a kind matters."""
    known = KINDS.get(kind)
    return known.severity if known else "medium"
