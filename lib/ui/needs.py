"""What waits for a person, each with the way to where it is mended."""

from collections.abc import Sequence

import streamlit as st

from lib.access import Actor
from lib.hub import Hub
from lib.outgoing.issues import IssueRow, list_issues
from lib.overview import Card, Need, needs
from lib.ui.delivery_formats import error_words
from lib.ui.formats import counted, plain
from lib.ui.links import draw_link

_MOST_ISSUES = 5


def draw_needs(hub: Hub, user: Actor, shown: Sequence[Card]) -> None:
    """Draw what is wrong with connections, then the open issues that happened last."""
    st.subheader("What needs you", anchor=False)
    found = needs(shown)
    issues = list_issues(hub, user, state="open", limit=_MOST_ISSUES).rows
    if not found and not issues:
        st.caption(":green[:material/check_circle:] Nothing. Every connection is in order.")
    for need in found:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            _draw_need(need)
    for issue in issues:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            _draw_issue(issue)


def _draw_need(need: Need) -> None:
    item = need.card.integration
    name = f"**{plain(item.name)}**"
    if need.kind == "check":
        st.markdown(f"{name}: {plain(item.status_message)}", width="stretch")
        draw_link("integrations", "Mend it", query={"open": item.id})
    elif need.kind == "failed":
        st.markdown(f"{name}: {counted(need.count, 'failed event')}", width="stretch")
        query = {"integration": item.id, "status": "failed"}
        draw_link("activity", "See them", query=query)
    else:
        count = counted(need.count, "rejected request")
        st.markdown(f"{name}: {count} in 24 h", width="stretch")
        draw_link("rejected", "See why", query={"integration": item.id})


def _draw_issue(issue: IssueRow) -> None:
    dead = counted(issue.count, "dead letter")
    cause = plain(error_words(issue.error_class))
    st.markdown(f"**{plain(issue.destination_name)}**: {dead}, {cause}", width="stretch")
    draw_link("issues", "Mend it", query={"open": issue.id})
