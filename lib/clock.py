"""The one clock: aware UTC, replaced as a whole by tests and by the demo."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)
