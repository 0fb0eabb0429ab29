"""How long each kind of content is kept: the hub's own ages and those of an integration."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from lib.clock import now
from lib.errors import InvalidInput
from lib.ids import first_id

LONGEST_DAYS = 3650


@dataclass(frozen=True)
class Ages:
    """Ages in days after which content is removed; the defaults are the product's.

    `payload_days` covers payload, headers and proof of an event; `attempt_days` delivery
    attempts and calls to vendors; `index_days` what events are found by; `rollup_days` the
    hourly counts; `event_days` whole events with their deliveries, refused requests, and the
    states of messages.
    """

    payload_days: int = 30
    attempt_days: int = 30
    index_days: int = 90
    rollup_days: int = 400
    event_days: int = 400


NAMES = tuple(asdict(Ages()))
LABELS: Mapping[str, str] = {
    "payload_days": "Payloads",
    "attempt_days": "Attempts",
    "index_days": "Search index",
    "rollup_days": "Hourly counts",
    "event_days": "Events",
}
HELP: Mapping[str, str] = {
    "payload_days": "What the service sent: payload, headers and proof.",
    "attempt_days": "Each request of a delivery with its answer, and calls to the service.",
    "index_days": "What events are found by: words, phones, e-mails and ids.",
    "rollup_days": "What the charts are drawn from.",
    "event_days": "Whole events with their deliveries, and refused requests.",
}
# These are parts of an event, and go with it at the latest.
_PARTS = ("payload_days", "attempt_days", "index_days")


def effective_ages(own: Mapping[str, int], base: Ages) -> Ages:
    """Return the ages that hold for an integration with these of its own over the hub's `base`.

    Parts of an event go with it at the latest, whichever of the two ages was changed last.
    """
    mixed = replace(base, **own)
    return replace(mixed, **{name: min(getattr(mixed, name), mixed.event_days) for name in _PARTS})


def clean_ages(entered: Mapping[str, int | None], base: Ages | None = None) -> dict[str, int]:
    """Return the ages that differ from those of `base`; None stands for an age of `base`.

    `base` is the hub's own for an integration, and the product's when it is not given. Raises
    InvalidInput for an unknown name, a number out of range, or a part of an event that would
    outlive it.
    """
    for name, days in entered.items():
        if name not in NAMES:
            raise InvalidInput(
                f"There is no age {name}. Choose from: {', '.join(NAMES)}.", field=name
            )
        if days is not None and (type(days) is not int or not 1 <= days <= LONGEST_DAYS):
            raise InvalidInput(
                f"{LABELS[name]}: enter whole days from 1 to {LONGEST_DAYS:,}, or leave it "
                "blank for the usual age.",
                field=name,
            )
    own = {name: days for name, days in entered.items() if days is not None}
    ages = replace(base or Ages(), **own)
    for name in _PARTS:
        if getattr(ages, name) > ages.event_days:
            raise InvalidInput(
                f"{LABELS[name]} cannot be kept for {getattr(ages, name)} days when whole events "
                f"go after {ages.event_days}. Enter at most {ages.event_days}, or keep events "
                "longer.",
                field=name,
            )
    return own


def oldest_kept(days: int) -> datetime:
    """Return the moment before which content of this age is removed."""
    return now() - timedelta(days=days)


def id_bound(prefix: str, days: int) -> str:
    """Return the id below which rows are older than `days`, for ids sort by their time."""
    return first_id(prefix, oldest_kept(days))
