"""The channels of alerts: what each reaches, how it fares, and the form of one."""

from typing import Any

import streamlit as st

from lib.access import Actor, Role
from lib.alerts import channels
from lib.alerts.channels import CHANNEL_KINDS, ChannelDraft, ChannelView
from lib.alerts.kinds import EVERYTHING, KINDS
from lib.errors import HubError
from lib.hub import Hub
from lib.ui.form_problems import draw_other_problem, draw_problem, forget_problem, keep_problem
from lib.ui.formats import absolute, ago, email, plain
from lib.ui.telling import do_and_tell, tell

_PAGE = "alerts_channel"
_FIELDS = ("name", "address", "url", "integration_id", "number", "alert_kinds", "quiet")
_HOURS: list[int | None] = [None, *range(24)]


def draw_channels(hub: Hub, user: Actor) -> None:
    """Draw the channels and the form of a new one."""
    found = channels.list_channels(hub, user)
    if not found:
        st.info(
            "No channel yet: alerts show here alone. Add one to hear of them elsewhere.",
            icon=":material/notifications_off:",
        )
    for row in found:
        with st.container(border=True, gap="small", key=f"alerts_channel_row_{row.id}"):
            _draw_channel(hub, user, row)
    with st.expander("Add a channel", icon=":material/add:", expanded=not found):
        kind = st.segmented_control(
            "Kind",
            list(CHANNEL_KINDS),
            default="email",
            required=True,
            format_func=lambda each: CHANNEL_KINDS[each],
            key="alerts_channel_kind",
        )
        _draw_form(hub, user, str(kind), row=None)


def _draw_channel(hub: Hub, user: Actor, row: ChannelView) -> None:
    state = ":green-badge[On]" if row.is_active else ":gray-badge[Paused]"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{state} **{plain(row.name)}** · {plain(row.reaches)}", width="stretch")
        key = f"alerts_channel_{row.id}"
        st.button("Test", key=f"{key}_test", on_click=_test, args=(hub, user, row.id))
        st.button(
            "Pause" if row.is_active else "Resume",
            key=f"{key}_switch",
            on_click=_switch,
            args=(hub, user, row),
        )
        if st.button("Remove", key=f"{key}_remove", icon=":material/delete:"):
            _confirm_removal(hub, user, row)
    owner = f" · {email(row.owner)}" if user.sees_all else ""
    st.caption(
        f"{CHANNEL_KINDS[row.kind]} · last message {ago(row.last_sent_at)}{owner}",
        help=absolute(row.last_sent_at) if row.last_sent_at else None,
    )
    if row.last_error:
        st.error(f"Not told: {plain(row.last_error)}", icon=":material/error:")
    with st.expander("Edit"):
        _draw_form(hub, user, row.kind, row=row)


@st.dialog("Remove this channel?", icon=":material/delete:")
def _confirm_removal(hub: Hub, user: Actor, row: ChannelView) -> None:
    st.markdown(f"Nothing is told over **{plain(row.name)}** any more.")
    st.button(
        "Remove", type="primary", key="alerts_channel_removal", on_click=_remove,
        args=(hub, user, row.id),
    )  # fmt: skip


def _draw_form(hub: Hub, user: Actor, kind: str, *, row: ChannelView | None) -> None:
    at = row.id if row else f"new_{kind}"
    stored = row.shown if row else {}
    with st.form(f"alerts_channel_form_{at}", enter_to_submit=False):
        draw_other_problem(f"{_PAGE}_{at}", _FIELDS)
        st.text_input("Name", value=row.name if row else CHANNEL_KINDS[kind], key=_key(at, "name"))
        draw_problem(f"{_PAGE}_{at}", "name")
        _draw_reach(hub, user, kind, at=at, stored=stored)
        st.multiselect(
            "Kinds of alerts",
            list(KINDS),
            default=[each for each in (row.alert_kinds if row else ()) if each in KINDS],
            format_func=lambda each: KINDS[each].label,
            placeholder="Every kind",
            key=_key(at, "alert_kinds"),
        )
        _draw_quiet(at, stored)
        if user.role is Role.STAFF:
            st.checkbox(
                "Also hear of all members' alerts",
                value=bool(stored.get("hears_all")),
                key=_key(at, "hears_all"),
            )
        st.form_submit_button(
            "Save" if row else "Add channel",
            key=f"alerts_channel_save_{at}",
            on_click=_save,
            args=(hub, user, kind, row),
        )


def _draw_reach(hub: Hub, user: Actor, kind: str, *, at: str, stored: dict[str, Any]) -> None:
    page = f"{_PAGE}_{at}"
    if kind == "email":
        value = stored.get("address", user.email)
        st.text_input("E-mail address", value=value, key=_key(at, "address"))
        draw_problem(page, "address")
    elif kind == "slack":
        st.text_input(
            "Hook address",
            type="password",
            placeholder="Leave blank to keep the stored one" if stored else "https://",
            help="An incoming webhook of Slack, Mattermost or Rocket.Chat, or Discord's with "
            "/slack at its end.",
            key=_key(at, "url"),
        )
        draw_problem(page, "url")
    else:
        texters = {each.id: each.name for each in channels.list_texters(hub, user)}
        ids, chosen = list(texters), stored.get("integration_id")
        st.selectbox(
            "Sent by",
            ids,
            index=ids.index(chosen) if chosen in texters else None,
            format_func=lambda each: texters[each],
            placeholder="Choose an integration" if texters else "No integration sends messages",
            key=_key(at, "integration_id"),
        )
        draw_problem(page, "integration_id")
        number = stored.get("number", "")
        st.text_input("To", value=number, placeholder="+14155550123", key=_key(at, "number"))
        draw_problem(page, "number")
        st.caption("Each message costs money at your provider: at most 10 an hour, with tests.")


def _draw_quiet(at: str, stored: dict[str, Any]) -> None:
    left, right = st.columns(2)
    for column, name, label in ((left, "quiet_from", "Quiet from"), (right, "quiet_to", "until")):
        column.selectbox(
            label,
            _HOURS,
            index=_HOURS.index(stored.get(name)),
            format_func=lambda hour: "Never" if hour is None else f"{hour:02}:00",
            key=_key(at, name),
        )
    draw_problem(f"{_PAGE}_{at}", "quiet")


def _draft(kind: str, at: str, *, stored: dict[str, Any]) -> ChannelDraft:
    given = {name: st.session_state.get(_key(at, name)) for name in (*_FIELDS, "hears_all")}
    zone = st.context.timezone or stored.get("zone") or "UTC"
    return ChannelDraft(
        kind,
        given["name"] or "",
        address=given["address"] or "",
        url=given["url"] or "",
        integration_id=given["integration_id"] or "",
        number=given["number"] or "",
        alert_kinds=tuple(given["alert_kinds"] or (EVERYTHING,)),
        hears_all=bool(given["hears_all"]),
        quiet_from=st.session_state.get(_key(at, "quiet_from")),
        quiet_to=st.session_state.get(_key(at, "quiet_to")),
        zone=zone,
    )


def _save(hub: Hub, user: Actor, kind: str, row: ChannelView | None) -> None:
    at = row.id if row else f"new_{kind}"
    draft = _draft(kind, at, stored=row.shown if row else {})
    try:
        if row is None:
            channels.add(hub, user, draft)
        else:
            channels.update(hub, user, row.id, draft)
    except HubError as error:
        keep_problem(f"{_PAGE}_{at}", error)
        return
    forget_problem(f"{_PAGE}_{at}")
    do_and_tell(lambda: "Saved. Send a test to see that it arrives.")


def _test(hub: Hub, user: Actor, channel_id: str) -> None:
    def act() -> str:
        failure = channels.send_test(hub, user, channel_id)
        if failure is not None:
            raise HubError(failure.message)
        return "Sent. Look whether it arrived."

    do_and_tell(act)


def _switch(hub: Hub, user: Actor, row: ChannelView) -> None:
    def act() -> str:
        (channels.pause if row.is_active else channels.resume)(hub, user, row.id)
        return "Paused." if row.is_active else "Resumed."

    do_and_tell(act)


def _remove(hub: Hub, user: Actor, channel_id: str) -> None:
    def act() -> str:
        channels.remove(hub, user, channel_id)
        return "Removed."

    tell(act)
    st.rerun()


def _key(at: str, name: str) -> str:
    return f"alerts_channel_{at}_{name}"
