"""What waits for a person, the worst first, each with the way to where it is mended."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from lib.access import Actor
from lib.clock import now
from lib.hub import Hub
from lib.outgoing.issues import IssueRow, list_issues
from lib.overview import Card, Need, needs
from lib.ui.deliveries.delivery_formats import error_words
from lib.ui.formats import absolute, ago, counted, plain
from lib.ui.links import draw_link

_LOOKED_AT = 50
# Of issues and failed checks each before the rest has its turn, and of all together.
_SHOWN = 5
_MOST = 10
_HOUR = 3_600


def draw_needs(hub: Hub, user: Actor, shown: Sequence[Card]) -> None:
    """Draw what is wrong with connections and the open issues that weigh most."""
    st.subheader("What needs you", anchor=False)
    found = needs(shown)
    issues = list_issues(hub, user, state="open", limit=_LOOKED_AT)
    worst = sorted(issues.rows, key=impact, reverse=True)
    if not found and not worst:
        st.caption(":green[:material/check_circle:] Nothing. Every connection is in order.")
        return
    lines = _lines(found, worst)
    with st.container(border=True, gap="small"):
        for draw in lines[:_MOST]:
            draw()
    more = len(lines) - _MOST
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        query = {"status": "failing"}
        draw_link("activity", "All that fails now", query=query, icon=":material/timeline:")
        if more <= 0:
            return
        st.caption(f"and {more:,}{'+' if issues.next_cursor else ''} more", width="content")
        if found:
            draw_link("integrations", "Integrations", icon=":material/hub:")
        if worst:
            draw_link("issues", "Open issues", icon=":material/report:")


def _lines(found: Sequence[Need], worst: Sequence[IssueRow]) -> list[Callable[[], None]]:
    """Return what draws each line, in the order of what comes first."""
    checks = [partial(_draw_need, need) for need in found if need.kind == "check"]
    issues = [partial(_draw_issue, issue) for issue in worst]
    others = [partial(_draw_need, need) for need in found if need.kind != "check"]
    return [
        *checks[:_SHOWN],
        *issues[:_SHOWN],
        *others[:_SHOWN],
        *checks[_SHOWN:],
        *issues[_SHOWN:],
        *others[_SHOWN:],
    ]


def impact(issue: IssueRow) -> float:
    """Return how much an issue weighs: its count over the hours since it last happened."""
    hours = max(0.0, (now() - issue.last_seen_at).total_seconds()) / _HOUR
    return issue.count / (1 + hours)


def _draw_need(need: Need) -> None:
    item = need.card.integration
    page, label, icon, query = _way(need)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        text = f":orange[:material/{icon}:] **{plain(item.name)}**: {_words(need)}"
        st.markdown(text, width="stretch")
        draw_link(page, label, query=query, icon=":material/arrow_forward:")


def _words(need: Need) -> str:
    if need.reminder is not None:
        return f"{plain(need.reminder.label)} is {need.reminder.days} days old"
    if need.kind == "failed":
        return counted(need.count, "failed event")
    if need.kind == "rejected":
        return f"{counted(need.count, 'rejected request')} in 24 h"
    return plain(need.card.integration.status_message)


def _way(need: Need) -> tuple[str, str, str, dict[str, str]]:
    """Return screen, label, icon and filters of the one button."""
    item = need.card.integration
    if need.kind == "failed":
        return "activity", "See them", "timeline", {"integration": item.id, "status": "failed"}
    if need.kind == "rejected":
        return "rejected", "See why", "gpp_bad", {"integration": item.id}
    label = "Replace it" if need.kind == "credential" else "Mend it"
    return "integrations", label, "build", {"open": item.id}


def _draw_issue(issue: IssueRow) -> None:
    dead = counted(issue.count, "dead letter")
    cause = plain(error_words(issue.error_class))
    when = ago(issue.last_seen_at)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        name = f":red[:material/report:] **{plain(issue.destination_name)}**"
        st.markdown(
            f"{name}: {dead}, {cause}, last {when}",
            width="stretch",
            help=absolute(issue.last_seen_at),
        )
        query = {"open": issue.id}
        draw_link("issues", "Mend it", query=query, icon=":material/arrow_forward:")
