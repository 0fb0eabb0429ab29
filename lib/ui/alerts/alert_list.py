"""Alerts on screens: the open ones and the history, muting, and the bell in the sidebar."""

from urllib.parse import parse_qsl

import streamlit as st

from lib.access import Actor
from lib.alerts import kind_mutes, reading
from lib.alerts.kinds import KINDS, label_of
from lib.alerts.reading import AlertFilters, AlertView, Mute
from lib.clock import now
from lib.hub import Hub
from lib.quantities import duration
from lib.ui.address_choice import choose_named
from lib.ui.address_fields import kept, one_of
from lib.ui.formats import absolute, ago, counted, email, plain
from lib.ui.links import draw_link
from lib.ui.menu import is_page
from lib.ui.page_keys import current_cursor
from lib.ui.pager import draw_pager
from lib.ui.status_words import chip, labels_of
from lib.ui.telling import do_and_tell

_STATES = {**labels_of(("open", "resolved")), "all": "All"}
_MUTES: dict[Mute, str] = {"hour": "1 hour", "day": "1 day", "resolved": "Until resolved"}
_PAGE = 20
_IN_BELL = 5


def draw_alerts(hub: Hub, user: Actor) -> None:
    """Draw one page of alerts under filters that stand in the address, the open ones first."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        state = _choose_state()
        labels = {kind.name: kind.label for kind in KINDS.values()}
        kind = choose_named("Kind", labels, page="alerts", parameter="kind")
    _draw_muted_kinds(hub, user)
    cursor = current_cursor("alerts", f"{state}/{kind}")
    filters = AlertFilters(None if state == "all" else state, kind)
    page = reading.list_alerts(hub, user, filters, cursor=cursor, limit=_PAGE)
    if not page.rows:
        _draw_nothing(state, kind)
        return
    for row in page.rows:
        with st.container(border=True, gap="small", key=f"alerts_row_{row.id}"):
            _draw_row(hub, user, row)
    draw_pager("alerts", page.next_cursor, note=f"{counted(len(page.rows), 'alert')} here.")


def draw_bell(hub: Hub, user: Actor) -> None:
    """Draw how many alerts are open; a click shows the newest."""
    count = reading.count_open(hub, user)
    label = counted(count, "alert") if count else "No alerts"
    icon = ":material/notifications_active:" if count else ":material/notifications:"
    with st.popover(label, icon=icon, width="stretch", key="main_bell"):
        newest = reading.list_alerts(hub, user, AlertFilters("open"), limit=_IN_BELL).rows
        for row in newest:
            st.markdown(f"{_chip(row)} **{plain(row.title)}**")
            st.caption(f"Since {ago(row.first_seen_at)}", help=absolute(row.first_seen_at))
        if not newest:
            st.caption("Nothing is wrong.")
        draw_link("alerts", "All alerts", icon=":material/arrow_forward:")


def _choose_state() -> str:
    chosen = st.segmented_control(
        "State",
        list(_STATES),
        required=True,
        format_func=lambda each: _STATES[each],
        **kept("alerts", "state", one_of(_STATES), empty="open"),
    )
    return str(chosen)


def _draw_nothing(state: str, kind: str | None) -> None:
    if state == "open" and kind is None:
        st.success("Nothing is wrong.", icon=":material/check_circle:")
        st.caption("What was wrong before stands under Resolved for 90 days.")
    else:
        st.info("No alert matches. Choose another state or kind.", icon=":material/filter_list:")


def _draw_muted_kinds(hub: Hub, user: Actor) -> None:
    for kind, until in kind_mutes.muted_kinds(hub, user).items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                f":material/notifications_off: You hear nothing of **{plain(label_of(kind))}** "
                f"for {duration((until - now()).total_seconds())}.",
                help=f"Until {absolute(until)}",
                width="stretch",
            )
            st.button(
                "Unmute",
                key=f"alerts_unmute_kind_{kind}",
                on_click=_unmute_kind,
                args=(hub, user, kind),
            )


def _draw_row(hub: Hub, user: Actor, row: AlertView) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{_chip(row)} **{plain(row.title)}**", width="stretch")
        _draw_link(row)
        if row.state == "open":
            _draw_mute(hub, user, row)
    st.markdown(plain(row.message))
    owner = f" · {email(row.owner)}" if user.sees_all else ""
    times = "" if row.count == 1 else f" · occurrence {row.count:,}"
    st.caption(f"{row.label}{times} · {_when(row)}{owner}", help=_in_full(row))


def _draw_link(row: AlertView) -> None:
    page, _, query = row.path.partition("?")
    if is_page(page):
        draw_link(page, "Open", query=dict(parse_qsl(query)), icon=":material/arrow_forward:")


def _draw_mute(hub: Hub, user: Actor, row: AlertView) -> None:
    if row.is_muted:
        st.button(
            "Unmute",
            icon=":material/notifications:",
            key=f"alerts_unmute_{row.id}",
            on_click=_unmute,
            args=(hub, user, row.id),
        )
        return
    with st.popover("Mute", icon=":material/notifications_off:", key=f"alerts_mute_{row.id}"):
        for until, label in _MUTES.items():
            st.button(
                label,
                key=f"alerts_mute_{until}_{row.id}",
                width="stretch",
                on_click=_mute,
                args=(hub, user, row.id, until),
            )
        st.button(
            "This kind for me, 1 day",
            key=f"alerts_mute_kind_{row.id}",
            help=f"Over your channels you hear nothing of any “{row.label}” for a day. The list "
            "still shows them.",
            width="stretch",
            on_click=_mute_kind,
            args=(hub, user, row.kind),
        )


def _mute(hub: Hub, user: Actor, alert_id: str, until: Mute) -> None:
    def act() -> str:
        reading.mute(hub, user, alert_id, until=until)
        return "Muted. The alert stays in the list and is not told."

    do_and_tell(act)


def _mute_kind(hub: Hub, user: Actor, kind: str) -> None:
    def act() -> str:
        kind_mutes.mute_kind(hub, user, kind)
        return f"You hear nothing of “{label_of(kind)}” for a day."

    do_and_tell(act)


def _unmute_kind(hub: Hub, user: Actor, kind: str) -> None:
    def act() -> str:
        kind_mutes.unmute_kind(hub, user, kind)
        return "Not muted any more. You hear of what is still open within a minute."

    do_and_tell(act)


def _unmute(hub: Hub, user: Actor, alert_id: str) -> None:
    def act() -> str:
        reading.unmute(hub, user, alert_id)
        return "Not muted any more."

    do_and_tell(act)


def _chip(row: AlertView) -> str:
    if row.state == "resolved":
        return chip(row.state)
    return chip("muted" if row.is_muted else row.severity)


def _when(row: AlertView) -> str:
    if row.resolved_at is not None:
        return f"resolved {ago(row.resolved_at)}"
    muted = ""
    if row.is_muted_until_resolved:
        muted = ", muted until resolved"
    elif row.is_muted and row.muted_until is not None:
        muted = f", muted until {absolute(row.muted_until)}"
    return f"since {ago(row.first_seen_at)}{muted}"


def _in_full(row: AlertView) -> str:
    since = f"Since {absolute(row.first_seen_at)}"
    return since if row.resolved_at is None else f"{since}, resolved {absolute(row.resolved_at)}"
