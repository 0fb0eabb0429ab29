"""How deliveries, attempts and their troubles are written on every screen."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from lib.clock import now
from lib.outgoing.delivery_views import AttemptLine
from lib.ui.formats import plain
from lib.ui.status_words import chip, labels_of, status_of

_STATUSES = (
    "pending",
    "sending",
    "retrying",
    "paused",
    "delivered",
    "accepted",
    "dead",
    "cancelled",
)
DELIVERY_LABELS = labels_of(_STATUSES)
DELIVERY_COLOURS = {name: status_of(name).colour for name in _STATUSES}
ERROR_WORDS = {
    "dns": "Name not found",
    "connect": "No connection",
    "tls": "TLS failed",
    "timeout": "Timed out",
    "http_3xx": "Redirected",
    "http_4xx": "Refused (4xx)",
    "http_408": "Timed out there (408)",
    "http_425": "Too early (425)",
    "http_429": "Too many (429)",
    "http_5xx": "Failed there (5xx)",
    "gone": "Given up (410)",
    "invalid_target": "Address not allowed",
    "config": "Cannot be sent as configured",
}


def told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """Return a label by id; the end of the id tells two of one name apart."""
    seen = Counter(names.values())
    return {
        each: name if seen[name] == 1 else f"{name} ({each[-6:]})" for each, name in names.items()
    }


def delivery_chip(status: str) -> str:
    """Return a delivery's status as a coloured Markdown badge."""
    return chip(status)


def error_words(error_class: str | None) -> str:
    """Return an error class in words; an unknown one stays as it is, None is empty."""
    return ERROR_WORDS.get(error_class, error_class) if error_class else ""


def countdown(moment: datetime) -> str:
    """Return how long until a moment, such as "in 4 m 12 s"; "now" once it has come."""
    seconds = int((moment - now()).total_seconds())
    if seconds <= 0:
        return "now"
    hours, minutes = seconds // 3600, seconds // 60 % 60
    parts = [(hours, "h"), (minutes, "m"), (seconds % 60 if not hours else 0, "s")]
    return "in " + " ".join(f"{count} {unit}" for count, unit in parts if count)


def attempt_line(attempt: AttemptLine) -> str:
    """Return one attempt as Markdown, such as "attempt 2: 500 in 202 ms"."""
    answer = str(attempt.response_status) if attempt.response_status else "no answer"
    text = f"attempt {attempt.number}: **{answer}** in {attempt.total_ms:,.0f} ms"
    if attempt.error_class is None:
        return text
    return f"{text}, :red[{plain(error_words(attempt.error_class))}]"
