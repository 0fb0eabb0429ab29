"""The two buttons that turn the pages of a keyset list."""

import streamlit as st

from lib.ui.page_keys import go_newer, go_older, is_first_page


def draw_pager(page: str, next_cursor: str | None, *, note: str = "") -> None:
    """Draw them with a note beside them; where the only page is in view, the note alone."""
    if next_cursor is None and is_first_page(page):
        if note:
            st.caption(note)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Newer",
            key=f"{page}_newer",
            icon=":material/chevron_left:",
            disabled=is_first_page(page),
            on_click=go_newer,
            args=(page,),
        )
        st.button(
            "Older",
            key=f"{page}_older",
            icon=":material/chevron_right:",
            icon_position="right",
            disabled=next_cursor is None,
            on_click=go_older,
            args=(page, next_cursor),
        )
        if note:
            st.caption(note)
