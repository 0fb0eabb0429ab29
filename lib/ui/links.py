"""Links between screens, by the absolute paths under which the main script registers them."""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

_PAGES = Path(__file__).parents[2] / "pages"


def draw_link(
    page: str, label: str, *, query: Mapping[str, str] | None = None, icon: str | None = None
) -> None:
    """Draw a link to a screen, such as "activity", with its filters in the address."""
    st.page_link(_PAGES / f"{page}.py", label=label, icon=icon, query_params=dict(query or {}))


def turn_to(page: str, query: Mapping[str, str]) -> None:
    """Go to a screen with its filters in the address."""
    st.switch_page(_PAGES / f"{page}.py", query_params=dict(query))
