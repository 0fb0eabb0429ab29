"""How a connection stands with its vendor: the app, the age of its token, the calls left."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lib.access import Actor
from lib.connections.integrations import Integration
from lib.credentials.ages import Reminder, find_reminders
from lib.hub import Hub
from lib.providers.authorization import Authorization
from lib.providers.base import Provider
from lib.ui.errors import reporting_errors
from lib.ui.formats import absolute, ago, plain
from lib.ui.telling import tell
from lib.vendors import budgets, oauth
from lib.vendors.budgets import Gauge

_PAGE_URL = "integrations_app_page"


def draw_account(hub: Hub, user: Actor, item: Integration, provider: Provider) -> None:
    """Draw what there is of it; nothing for a vendor without apps, ages and limits."""
    for reminder in find_reminders(item):
        draw = st.error if reminder.is_due else st.warning
        draw(reminder_text(reminder), icon=":material/key:")
    with reporting_errors():
        if gauge := budgets.find_gauge(hub, user, item.id):
            draw_gauge(gauge)
    if provider.authorization is not None:
        with st.container(border=True), reporting_errors():
            _draw_app(hub, user, item, provider.authorization)


def draw_gauge(gauge: Gauge) -> None:
    """Draw how many calls the vendor still takes."""
    text = (
        f"Calls left: burst {gauge.burst_remaining:,}/{gauge.burst_limit:,}, "
        f"day {gauge.daily_remaining:,}/{gauge.daily_limit:,}"
    )
    st.progress(gauge.share_left, text=text)


def draw_found(found: Mapping[str, Any]) -> None:
    """Draw what a test found out: facts such as the account's name, and the token's scopes."""
    for name, value in found.get("facts", {}).items():
        _draw_chips(name.capitalize(), [value], "gray")
    _draw_chips("Scopes found", found.get("scopes_found", ()), "gray")
    _draw_chips("Scopes missing", found.get("scopes_missing", ()), "orange")


def _draw_chips(label: str, values: Sequence[str], colour: str) -> None:
    if values:
        chips = " ".join(f":{colour}-badge[{plain(each)}]" for each in values)
        st.markdown(f"{plain(label)}: {chips}")


def reminder_text(reminder: Reminder) -> str:
    """Return a sentence about a secret's age."""
    return (
        f"{reminder.label} is {reminder.days} days old. Replace it every {reminder.rotate_days} "
        "days: make a new one at the service and enter it under Settings."
    )


def _draw_app(hub: Hub, user: Actor, item: Integration, authorization: Authorization) -> None:
    connection = oauth.find_connection(hub, user, item.id)
    if connection is not None and connection.trouble:
        st.error(plain(connection.trouble), icon=":material/error:")
    elif connection is not None:
        st.badge("App connected", icon=":material/check_circle:", color="green")
        st.caption(
            f"Connected {ago(connection.connected_at)}; its tokens are renewed by themselves.",
            help=f"Connected {absolute(connection.connected_at)}. The present token ends "
            f"{absolute(connection.expires_at)}.",
        )
    if not authorization.is_ready({**item.config_data, **item.credentials}):
        st.caption(
            "To connect an app of yours, enter its client id and client secret under Settings. "
            "Give the app this redirect URL:"
        )
        st.code(oauth.redirect_uri(hub.settings), language=None, wrap_lines=True)
        return
    owner, url = st.session_state.get(_PAGE_URL, ("", ""))
    if owner == item.id:
        st.link_button(
            "Continue to the service", url, type="primary", icon=":material/open_in_new:"
        )
        st.caption("The link works once, for ten minutes. Reload this page when you are back.")
    with st.container(horizontal=True):
        label = authorization.label if connection is None else "Connect again"
        st.button(label, key="integrations_app", on_click=_begin, args=(hub, user, item))
        if connection is not None:
            st.button(
                "Disconnect", key="integrations_app_end", on_click=_end, args=(hub, user, item)
            )


def _begin(hub: Hub, user: Actor, item: Integration) -> None:
    def act() -> str:
        st.session_state[_PAGE_URL] = (item.id, oauth.begin_install(hub, user, item.id))
        return "Continue to the service to agree."

    tell(act)


def _end(hub: Hub, user: Actor, item: Integration) -> None:
    def act() -> str:
        oauth.disconnect(hub, user, item.id)
        return "The app is disconnected here. Uninstall it at the service too."

    tell(act)
