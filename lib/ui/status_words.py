"""One word, one colour and one icon for each status, whatever it is the status of."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import streamlit as st


class Status(NamedTuple):
    """How a status is written: a label, one of Streamlit's colours, and an icon."""

    label: str
    colour: str
    icon: str


def _status(label: str, colour: str, icon: str) -> Status:
    return Status(label, colour, f":material/{icon}:")


_STATUSES = {
    # Events and deliveries.
    "success": _status("Received", "green", "check_circle"),
    "pending": _status("Pending", "orange", "hourglass_top"),
    "queued": _status("Queued", "orange", "hourglass_top"),
    "sending": _status("Sending", "blue", "send"),
    "delivering": _status("Sending", "blue", "send"),
    "retrying": _status("Retrying", "orange", "restart_alt"),
    "delivered": _status("Delivered", "green", "check_circle"),
    "accepted": _status("Accepted", "green", "check_circle"),
    "failed": _status("Failed", "red", "error"),
    "dead": _status("Dead", "red", "error"),
    "cancelled": _status("Cancelled", "gray", "cancel"),
    "paused": _status("Paused", "gray", "pause_circle"),
    "filtered": _status("No route took it", "gray", "filter_alt"),
    "rejected": _status("Rejected", "red", "gpp_bad"),
    "duplicate": _status("Sent twice", "gray", "content_copy"),
    # Integrations.
    "healthy": _status("Healthy", "green", "check_circle"),
    "degraded": _status("Degraded", "orange", "warning"),
    "failing": _status("Failing", "red", "error"),
    "silent": _status("Silent", "yellow", "volume_off"),
    "needs_setup": _status("Needs setup", "blue", "build"),
    # Destinations.
    "active": _status("Active", "green", "check_circle"),
    "disabled": _status("Disabled (410)", "red", "block"),
    "breaker_open": _status("Breaker open", "red", "power_off"),
    "waiting": _status("Waiting", "orange", "hourglass_top"),
    "half_open": _status("Trying again", "orange", "restart_alt"),
    # Issues and alerts.
    "open": _status("Open", "red", "error"),
    "acknowledged": _status("Acknowledged", "orange", "visibility"),
    "resolved": _status("Resolved", "green", "check_circle"),
    "ignored": _status("Ignored", "gray", "visibility_off"),
    "muted": _status("Muted", "gray", "notifications_off"),
    "high": _status("High", "red", "priority_high"),
    "medium": _status("Medium", "orange", "warning"),
    "low": _status("Low", "gray", "info"),
}


def status_of(name: str) -> Status:
    """Return how a status is written; an unknown one keeps its name, in grey."""
    return _STATUSES.get(name) or _status(name, "gray", "help")


def labels_of(names: Iterable[str]) -> dict[str, str]:
    """Return the label of each status, in their order."""
    return {name: status_of(name).label for name in names}


def chip(name: str) -> str:
    """Return a status as a coloured Markdown badge."""
    found = status_of(name)
    return f":{found.colour}-badge[{found.label}]"


def status_column(names: Iterable[str], *, width: int) -> Any:
    """Return the configuration of a column that holds lists of one label of these statuses."""
    # Two statuses of one label are one choice.
    found = {each.label: each.colour for each in map(status_of, names)}
    return st.column_config.MultiselectColumn(
        "Status", options=list(found), color=list(found.values()), width=width
    )
