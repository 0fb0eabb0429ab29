"""The search box of every page: an id opens its place, anything else is looked for in events.

What has the words in its name stands below the box, as long as the list of events shows them.
"""

import streamlit as st

from lib.access import Actor
from lib.hub import Hub
from lib.lists import places
from lib.ui.activity.event_filters import ADDRESS
from lib.ui.errors import show_refusal
from lib.ui.formats import plain
from lib.ui.links import draw_link, turn_to

_KEY = "main_search"
_FOUND = "main_search_found"
_NAMED = "main_search_named"
_LIST = "activity"
_ICONS = {
    "integration": ":material/cable:",
    "destination": ":material/outbox:",
    "route": ":material/alt_route:",
    "user": ":material/person:",
}


def draw_global_search(hub: Hub, user: Actor, *, here: str) -> None:
    """Draw the box; what was asked for in the run before is gone to now.

    `here` is the screen in view, such as "deliveries".
    """
    st.text_input(
        "Search everything",
        key=_KEY,
        type="search",
        placeholder="An event's id" if user.sees_masked else "Id, phone, e-mail, words",
        label_visibility="collapsed",
        on_change=_look,
        args=(hub, user, here),
    )
    found: tuple[str, dict[str, str]] | str | None = st.session_state.pop(_FOUND, None)
    if isinstance(found, str):
        show_refusal(found)
    elif found is not None:
        page, query = found
        turn_to(page, query)
    _draw_named()


def _draw_named() -> None:
    asked, named = st.session_state.get(_NAMED, ("", []))
    if not named or st.query_params.get("q") != asked:
        return
    with st.container(gap=None, key="main_search_names"):
        st.caption("Named like it")
        for item in named:
            draw_link(
                item.place.page, plain(item.name), query=item.place.query, icon=_ICONS[item.kind]
            )


def _look(hub: Hub, user: Actor, here: str) -> None:
    asked = str(st.session_state[_KEY]).strip()
    st.session_state[_KEY] = ""
    if not asked:
        return
    st.session_state[_NAMED] = (asked, places.find_named(hub, user, asked))
    place = places.find_place(hub, user, asked)
    if place is not None:
        st.session_state[_FOUND] = (place.page, dict(place.query))
    elif user.sees_masked:
        st.session_state[_FOUND] = "There is no such event. Analysts search by an event's id."
    elif here == _LIST:
        ADDRESS.set({"q": asked})
    else:
        st.session_state[_FOUND] = (_LIST, {"q": asked})
