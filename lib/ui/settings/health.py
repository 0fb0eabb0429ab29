"""The health of the hub: what is wrong first, then every reading by its part."""

from collections import Counter
from itertools import groupby

import streamlit as st

from lib.access import Actor
from lib.health.readings import Reading, State
from lib.health.report import examine_health
from lib.hub import Hub
from lib.ui.formats import plain

_BADGES: dict[State, str] = {
    "ok": ":green-badge[:material/check_circle: OK]",
    "warn": ":orange-badge[:material/warning: Look]",
    "bad": ":red-badge[:material/error: Wrong]",
}


def draw_health(hub: Hub, user: Actor) -> None:
    """Draw the verdict and the readings, with the next step under each that needs one."""
    with st.spinner("Looking at every part…"):
        readings = examine_health(hub, user)
    counts = Counter(each.state for each in readings)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{_verdict(counts)}**", width="stretch")
        st.button("Look again", icon=":material/refresh:", key="settings_health_again")
    for group, found in groupby(readings, key=lambda each: each.group):
        with st.container(border=True, gap="small"):
            st.subheader(group, anchor=False)
            for each in found:
                _draw_reading(each)
    st.caption("`python -m lib.cli check` says what the database tells in a terminal.")


def _verdict(counts: Counter[State]) -> str:
    if counts["bad"]:
        return f"{counts['bad']} wrong, {counts['warn']} to look at, {counts['ok']} fine."
    if counts["warn"]:
        return f"Nothing is broken; {counts['warn']} to look at, {counts['ok']} fine."
    return f"All {counts['ok']} readings are fine."


def _draw_reading(reading: Reading) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(_BADGES[reading.state], width=90)
        with st.container(gap=None, width="stretch"):
            st.markdown(f"**{reading.subject}** · {plain(reading.text)}")
            if reading.next_step:
                st.caption(reading.next_step)
