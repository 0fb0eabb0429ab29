"""The links to a list as a file, with the filters in force."""

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

_FORMATS = {"csv": "CSV", "jsonl": "JSON lines"}


def draw_exports(name: str, query: Mapping[str, str]) -> None:
    """Draw the menu of the export of `name`: events, deliveries, rejections or audit."""
    with st.popover("Export", icon=":material/download:", type="tertiary"):
        st.caption("All that match, newest first, up to a million rows.")
        for format_, label in _FORMATS.items():
            st.link_button(
                label, f"/export/{name}.{format_}?{urlencode(dict(query))}", width="stretch"
            )
