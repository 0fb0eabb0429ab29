"""The menu: which screens there are, and which roles see them."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from lib.access import Role

_PAGES = Path(__file__).resolve().parents[2] / "pages"
_EVERYONE = frozenset(Role)
_WRITERS = frozenset({Role.MEMBER, Role.STAFF})
_STAFF = frozenset({Role.STAFF})


@dataclass(frozen=True)
class _Item:
    """A screen: `name` is its file, its address and its key."""

    name: str
    title: str
    icon: str
    roles: frozenset[Role]


_MENU: dict[str, tuple[_Item, ...]] = {
    "": (
        _Item("overview", "Overview", "space_dashboard", _EVERYONE),
        _Item("analytics", "Analytics", "monitoring", _EVERYONE),
    ),
    "Events": (
        _Item("activity", "Activity", "timeline", _EVERYONE),
        _Item("deliveries", "Deliveries", "outbox", _EVERYONE),
        _Item("issues", "Issues", "report", _WRITERS),
        _Item("alerts", "Alerts", "notifications", _WRITERS),
        _Item("rejected", "Rejected", "gpp_bad", _WRITERS),
    ),
    "Connections": (
        _Item("integrations", "Integrations", "cable", _WRITERS),
        _Item("webhooks", "Webhooks", "alt_route", _WRITERS),
        _Item("credentials", "Credentials", "key", _WRITERS),
        _Item("testing", "Testing tools", "science", _WRITERS),
    ),
    "Hub": (
        _Item("users", "Users", "group", _STAFF),
        _Item("audit", "Audit", "history_edu", _STAFF),
        _Item("settings", "Settings", "settings", _STAFF),
        _Item("account", "Account", "account_circle", _EVERYONE),
    ),
}
_FIRST = "overview"


def menu_of(roles: Collection[Role], *, open_issues: int = 0) -> dict[str, list[StreamlitPage]]:
    """Return the screens of these roles by section; each asks for the role again by itself."""
    menu = {
        section: [_page(item, open_issues) for item in items if item.roles & set(roles)]
        for section, items in _MENU.items()
    }
    return {section: pages for section, pages in menu.items() if pages}


def is_page(name: str) -> bool:
    """Tell whether there is a screen of this name."""
    return any(item.name == name for items in _MENU.values() for item in items)


def _page(item: _Item, open_issues: int) -> StreamlitPage:
    counted = f" ({open_issues:,})" if item.name == "issues" and open_issues else ""
    return st.Page(
        _PAGES / f"{item.name}.py",
        title=f"{item.title}{counted}",
        icon=f":material/{item.icon}:",
        url_path=item.name,
        default=item.name == _FIRST,
    )
