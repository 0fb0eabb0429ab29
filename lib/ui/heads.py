"""The head of a screen: what it is, what it is for, and its actions on the right."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def draw_head(title: str, purpose: str) -> DeltaGenerator:
    """Draw title and purpose and return the place for actions, which wraps below on a phone."""
    row = st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"
    )
    # As wide as its words: a title that may shrink is broken within a word before the row wraps.
    with row.container(gap=None, width="content"):
        st.title(title, anchor=False)
        st.caption(purpose)
    return row.container(horizontal=True, vertical_alignment="bottom", width="content")
