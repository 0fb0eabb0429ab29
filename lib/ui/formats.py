"""How times, states and services are written on every screen."""

import math
from datetime import datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

import streamlit as st

from lib.analytics.periods import find_zone
from lib.clock import now
from lib.overview import State
from lib.providers.registry import find_provider
from lib.quantities import duration
from lib.ui.status_words import Status, chip, status_of

STATE_BADGES: dict[State, Status] = {state: status_of(state) for state in get_args(State)}
_MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]()#+-.!|<>~$:"})


def ago(moment: datetime | None) -> str:
    """Return how long ago something happened, such as "3 min ago"; "never" for None."""
    if moment is None:
        return "never"
    seconds = max(0, int((now() - moment).total_seconds()))
    return "just now" if seconds < 5 else f"{duration(seconds)} ago"


def absolute(moment: datetime) -> str:
    """Return a moment in full in the viewer's zone, for tooltips and details."""
    local = moment.astimezone(viewer_zone())
    zone = local.strftime("%Z")
    # Many zones have no name of their own but "+03".
    return f"{local:%Y-%m-%d %H:%M:%S} {zone if zone[:1].isalpha() else f'UTC{zone}'}"


def viewer_zone() -> ZoneInfo:
    """Return the zone that the viewer's browser states; UTC where it states none that is known."""
    return find_zone(st.context.timezone)


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, such as "1 event" or "1,204 events"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def share_text(share: float) -> str:
    """Return a share in percent, rounded down: 100% means all of them."""
    return f"{math.floor(share * 1_000 + 1e-9) / 10:g}%"


def plain(text: str) -> str:
    """Return text that Markdown shows as it is: payloads and names are not markup."""
    return " ".join(text.split()).translate(_MARKDOWN)


def email(address: str) -> str:
    """Return an e-mail address as Markdown; with its @ in one piece it would become a link."""
    return plain(address).replace("@", ":gray[@]")


def service_label(slug: str) -> str:
    """Return a service's own spelling; a service that is gone keeps its slug."""
    provider = find_provider(slug)
    return provider.label if provider else slug


def status_chip(status: str) -> str:
    """Return an event's status as a coloured Markdown badge."""
    return chip(status)


def service_chip(slug: str) -> str:
    """Return a service's name as a grey Markdown badge."""
    return f":gray-badge[{plain(service_label(slug))}]"


def exact_column() -> Any:
    """Return the column of exact times, in the viewer's zone."""
    return st.column_config.DatetimeColumn(
        "Exact time", format="YYYY-MM-DD HH:mm:ss", timezone=viewer_zone().key, width=160
    )
