"""The two buttons under a keyset list."""

import streamlit as st

from lib.ui.page_keys import go_newer, go_older, is_first_page


def draw_pager(
    page: str,
    next_cursor: str | None,
    *,
    note: str,
    words: tuple[str, str] = ("Newer", "Older"),
) -> None:
    """Draw the ways back and on through a list, and a note beside them; `page` names the list."""
    if next_cursor is None and is_first_page(page):
        st.caption(note)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            words[0],
            key=f"{page}_newer",
            icon=":material/chevron_left:",
            disabled=is_first_page(page),
            on_click=go_newer,
            args=(page,),
        )
        st.button(
            words[1],
            key=f"{page}_older",
            icon=":material/chevron_right:",
            icon_position="right",
            disabled=next_cursor is None,
            on_click=go_older,
            args=(page, next_cursor),
        )
        st.caption(note)
