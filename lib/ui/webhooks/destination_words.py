"""How destinations, their states, limits and filters are written on the screens."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from lib.outgoing.destination_figures import QUEUE_CAP, DestinationFigures, State
from lib.outgoing.destination_views import DestinationView
from lib.outgoing.limits import Limits
from lib.providers.registry import get_target
from lib.ui.formats import plain, share_text
from lib.ui.status_words import Status, status_of
from lib.vault.row_secrets import MASK

# An issue can be open too, which is another thing.
STATE_NAMES: dict[State, str] = {
    state: "breaker_open" if state == "open" else state for state in get_args(State)
}
STATES: dict[State, Status] = {state: status_of(name) for state, name in STATE_NAMES.items()}
OPERATOR_WORDS = {
    "equals": "is",
    "not_equals": "is not",
    "contains": "contains",
    "not_contains": "does not contain",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "greater_than": "is greater than",
    "less_than": "is less than",
    "in": "is one of",
    "not_in": "is none of",
    "exists": "exists",
    "not_exists": "does not exist",
}


def kind_label(kind: str) -> str:
    """Return what a kind of destination is called."""
    return get_target(kind).label


def masked_address(item: DestinationView) -> str:
    """Return the host and the last characters of an address, which itself is a secret.

    An action has none: what it does stands in its place.
    """
    if item.action is not None:
        return item.url_host
    return f"{item.url_host}/{item.credentials.get('url', MASK)}"


def rate_words(limits: Limits) -> str:
    """Return a rate limit in short, such as "25/s, 9,000 per 5 min"."""
    if limits.rate is None:
        return "none"
    text = f"{limits.rate.per_second:g}/s"
    window = limits.rate.per_five_minutes
    return f"{text}, {window:,} per 5 min" if window else text


def queue_words(queued: int) -> str:
    """Return how many wait; a long queue is not counted to its end."""
    return f"{QUEUE_CAP:,}+" if queued > QUEUE_CAP else f"{queued:,}"


def speed_words(milliseconds: float | None) -> str:
    """Return a duration such as "340 ms" or "2.1 s"."""
    if milliseconds is None:
        return "–"
    return f"{milliseconds:.0f} ms" if milliseconds < 1_000 else f"{milliseconds / 1_000:.1f} s"


def share_words(figures: DestinationFigures) -> str:
    """Return the success of 24 hours in percent, rounded down: 100% means all of them."""
    share = figures.success_share
    return "–" if share is None else share_text(share)


def filter_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return filter rows as one sentence of Markdown; empty for none."""
    return " and ".join(_row_words(row) for row in rows)


def value_text(value: Any) -> str:
    """Return a filter's value as it is typed."""
    if isinstance(value, list | tuple):
        return ", ".join(value_text(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _row_words(row: Mapping[str, Any]) -> str:
    words = f"{plain(row['path'])} {OPERATOR_WORDS.get(row['operator'], row['operator'])}"
    return f"{words} **{plain(value_text(row['value']))}**" if "value" in row else words
