"""The head of a screen: what it is, what it is for, and its actions on the right."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def draw_head(title: str, purpose: str) -> DeltaGenerator:
    """Draw title and purpose and return the place for actions, which wraps below on a phone."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row.container(gap=None, width="stretch"):
        st.title(title, anchor=False)
        st.caption(purpose)
    return row.container(horizontal=True, vertical_alignment="bottom", width="content")
