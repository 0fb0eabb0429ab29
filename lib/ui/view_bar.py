"""The views of a list: choose one, keep the present filters as one, rename and remove."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from lib.access import Actor
from lib.hub import Hub
from lib.lists.saved_views import View, list_views, remove_view, rename_view, save_view
from lib.ui.formats import plain
from lib.ui.telling import tell

SetQuery = Callable[[Mapping[str, str]], None]


def draw_views(
    hub: Hub, user: Actor, page: str, *, query: Mapping[str, str], set_query: SetQuery
) -> None:
    """Draw the button with everything about views behind it."""
    with st.popover("Views", icon=":material/bookmarks:", type="tertiary"):
        for place, view in enumerate(list_views(hub, user, page)):
            _draw_view(hub, user, page, view, place=place, set_query=set_query)
        st.divider()
        _draw_keeping(hub, user, page, query)


def _draw_view(
    hub: Hub, user: Actor, page: str, view: View, *, place: int, set_query: SetQuery
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            plain(view.name),
            key=f"{page}_view_{place}",
            type="tertiary",
            width="stretch",
            on_click=lambda: set_query(dict(parse_qsl(view.query))),
        )
        if view.id is None:
            return
        with st.popover("", icon=":material/more_vert:"):
            _draw_own(hub, user, page, view)


def _draw_own(hub: Hub, user: Actor, page: str, view: View) -> None:
    key = f"{page}_view_name_{view.id}"
    with st.form(f"{page}_view_form_{view.id}", border=False):
        st.text_input("Name", value=view.name, key=key)
        st.form_submit_button("Rename", on_click=_rename, args=(hub, user, view, key))
    st.button(
        "Remove",
        key=f"{page}_view_remove_{view.id}",
        icon=":material/delete:",
        on_click=_remove,
        args=(hub, user, view),
    )


def _draw_keeping(hub: Hub, user: Actor, page: str, query: Mapping[str, str]) -> None:
    if not query:
        st.caption("Set filters to keep them as a view of your own.")
        return
    key = f"{page}_view_new"
    with st.form(f"{page}_view_keep", border=False):
        st.text_input("Keep the filters as", key=key, placeholder="Name of the view")
        st.form_submit_button("Save view", on_click=_save, args=(hub, user, page, query, key))


def _save(hub: Hub, user: Actor, page: str, query: Mapping[str, str], key: str) -> None:
    name = str(st.session_state[key])

    def act() -> str:
        view = save_view(hub, user, page=page, name=name, query=urlencode(dict(query)))
        st.session_state[key] = ""
        return f"The view {plain(view.name)} is kept."

    tell(act)


def _rename(hub: Hub, user: Actor, view: View, key: str) -> None:
    def act() -> str:
        rename_view(hub, user, view.id or "", name=str(st.session_state[key]))
        return "The view has its new name."

    tell(act)


def _remove(hub: Hub, user: Actor, view: View) -> None:
    def act() -> str:
        remove_view(hub, user, view.id or "")
        return f"The view {plain(view.name)} is gone."

    tell(act)
