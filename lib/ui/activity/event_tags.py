"""The tags of an event: shown, added, taken off."""

import streamlit as st

from lib.access import Actor
from lib.events.reading import EventDetail
from lib.events.tags import KIND, add_tag, remove_tag
from lib.hub import Hub
from lib.ui.formats import counted
from lib.ui.telling import tell

_NEW = "activity_new_tag"


def draw_tags(hub: Hub, user: Actor, event: EventDetail) -> None:
    """Draw the tags; whoever may change them adds one or clicks one off."""
    tags = [value for kind, value in event.keys if kind == KIND]
    if user.sees_masked:
        if tags:
            st.caption(f"{counted(len(tags), 'tag')}, hidden from analysts")
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for number, tag in enumerate(tags):
            st.button(
                tag,
                key=f"activity_tag_{number}",
                icon=":material/close:",
                help="Takes the tag off.",
                on_click=_remove,
                args=(hub, user, event.row.id, tag),
            )
        with st.popover("Add a tag", icon=":material/sell:"), st.form("activity_tag_form"):
            st.text_input("Tag", key=_NEW, placeholder="case=4711")
            st.form_submit_button("Add", on_click=_add, args=(hub, user, event.row.id))


def _add(hub: Hub, user: Actor, event_id: str) -> None:
    def add() -> str:
        tag = st.session_state.get(_NEW) or ""
        is_new = add_tag(hub, user, [event_id], tag)
        return "Tagged." if is_new else "It has this tag already."

    tell(add)


def _remove(hub: Hub, user: Actor, event_id: str, tag: str) -> None:
    def remove() -> str:
        remove_tag(hub, user, [event_id], tag)
        return f"{tag} is taken off."

    tell(remove)
