"""Names with their values as a small table."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

_COLUMNS: dict[str, Any] = {
    "name": "Name",
    "value": st.column_config.TextColumn("Value", width="large"),
}


def draw_facts(facts: Mapping[str, str], *, key: str, empty: str) -> None:
    """Draw the pairs in their order, or `empty` when there is none."""
    if not facts:
        st.caption(empty)
        return
    st.dataframe(
        [{"name": name, "value": str(value)} for name, value in facts.items()],
        key=key,
        hide_index=True,
        alt=f"{len(facts)} names with their values.",
        column_config=_COLUMNS,
    )
