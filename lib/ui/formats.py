"""How times, states and services are written on every screen."""

from datetime import datetime

from lib.clock import now
from lib.overview import State
from lib.providers.registry import find_provider

STATE_BADGES: dict[State, tuple[str, str, str]] = {
    "healthy": ("Healthy", "green", ":material/check_circle:"),
    "degraded": ("Degraded", "orange", ":material/warning:"),
    "failing": ("Failing", "red", ":material/error:"),
    "paused": ("Paused", "gray", ":material/pause_circle:"),
    "silent": ("Silent", "yellow", ":material/volume_off:"),
    "needs_setup": ("Needs setup", "blue", ":material/build:"),
}
STATUS_LABELS = {"pending": "Pending", "success": "Success", "failed": "Failed"}
_COLOURS = {"pending": "orange", "success": "green", "failed": "red"}
_STEPS = ((60, "s"), (60, "min"), (24, "h"), (365, "d"))
_MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]()#+-.!|<>~$:"})


def ago(moment: datetime | None) -> str:
    """Return how long ago something happened, such as "3 min ago"; "never" for None."""
    if moment is None:
        return "never"
    seconds = max(0, int((now() - moment).total_seconds()))
    return "just now" if seconds < 5 else f"{duration(seconds)} ago"


def duration(seconds: float) -> str:
    """Return a length of time in its largest whole unit, such as "4 h"."""
    amount = int(seconds)
    for size, unit in _STEPS:
        if amount < size or unit == "d":
            return f"{amount} {unit}"
        amount //= size
    return f"{amount} d"


def absolute(moment: datetime) -> str:
    """Return a moment in full, for tooltips and details."""
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, such as "1 event" or "1,204 events"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def size(count: int) -> str:
    """Return a number of bytes in the largest unit that fits, such as "12.3 MB"."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"


def plain(text: str) -> str:
    """Return text that Markdown shows as it is: payloads and names are not markup."""
    return " ".join(text.split()).translate(_MARKDOWN)


def service_label(slug: str) -> str:
    """Return a service's own spelling; a service that is gone keeps its slug."""
    provider = find_provider(slug)
    return provider.label if provider else slug


def status_chip(status: str) -> str:
    """Return an event's status as a coloured Markdown badge."""
    return f":{_COLOURS.get(status, 'gray')}-badge[{STATUS_LABELS.get(status, status)}]"


def service_chip(slug: str) -> str:
    """Return a service's name as a grey Markdown badge."""
    return f":gray-badge[{plain(service_label(slug))}]"
