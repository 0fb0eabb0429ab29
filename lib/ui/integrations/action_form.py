"""What can be done through an integration: choose, fill in, confirm, and see what came of it."""

from typing import Any

import streamlit as st

from lib.access import Actor
from lib.connections.integrations import Integration
from lib.errors import HubError, InvalidInput
from lib.hub import Hub
from lib.providers.actions import Action
from lib.providers.registry import get_provider
from lib.ui.errors import show_refusal
from lib.ui.facts_table import draw_facts
from lib.ui.form_problems import (
    draw_other_problem,
    forget_problem,
    has_problem,
    keep_problem,
)
from lib.ui.formats import plain
from lib.ui.input_fields import InputField, draw_input, entered_values, fields_of
from lib.vendors.actions import run_action

_PAGE = "integrations_act"
_END = "integrations_act_end"
_MOST_SHOWN = 300
_MOST_ROWS = 200
_VERBS = {"read": "Look up", "write": "Do it", "send": "Send…"}


def draw_actions(hub: Hub, user: Actor, item: Integration) -> None:
    """Draw the choice of an action, its form, and the end of its last run."""
    actions = {each.name: each for each in get_provider(item.service_name).actions}
    name = st.selectbox(
        "What to do",
        list(actions),
        index=None,
        key=f"integrations_action_{item.id}",
        format_func=lambda option: actions[option].label,
        placeholder="Choose",
        on_change=_forget,
    )
    if name is None:
        return
    action = actions[name]
    st.caption(action.help)
    if not item.is_active and action.effect != "read":
        st.info("The integration is paused, so it changes and sends nothing. Resume it first.")
    fields = fields_of(action.input, prefix=f"{_PAGE}_{item.id}_{name}")
    draw_other_problem(_PAGE, {field.name for field in fields})
    _draw_fields(fields)
    _draw_remark(action, fields)
    _draw_button(hub, user, item, action=action, fields=fields)
    _draw_end(item, name)


def _draw_fields(fields: list[InputField]) -> None:
    """Draw what the action is about, and the rest out of the way; all of it if nothing is."""
    main = [field for field in fields if field.is_main] or fields
    others = [field for field in fields if field not in main]
    for field in main:
        draw_input(field, page=_PAGE)
    if not others:
        return
    is_open = has_problem(_PAGE, [field.name for field in others])
    with st.expander("More settings", expanded=is_open):
        for field in others:
            draw_input(field, page=_PAGE)


def _draw_remark(action: Action, fields: list[InputField]) -> None:
    """Say what is entered so far; a box with broken JSON is told of when it is sent."""
    try:
        remark = action.remark(entered_values(fields))
    except InvalidInput:
        return
    if remark:
        st.caption(f":material/info: {plain(remark)}")


def _draw_button(
    hub: Hub, user: Actor, item: Integration, *, action: Action, fields: list[InputField]
) -> None:
    is_clicked = st.button(
        _VERBS[action.effect], key="integrations_act_run", type="primary", on_click=_forget
    )
    if not is_clicked:
        return
    try:
        given = entered_values(fields)
    except InvalidInput as error:
        keep_problem(_PAGE, error)
        st.rerun()
    if action.effect == "send":
        shown = {field.title: given[field.name] for field in fields if field.name in given}
        _confirm(hub, user, item, action=action, given=given, shown=shown)
        return
    with st.spinner("Asking the service…"):
        _run(hub, user, item, action=action, given=given)
    st.rerun()


@st.dialog("Send this now?", icon=":material/send:")
def _confirm(
    hub: Hub,
    user: Actor,
    item: Integration,
    *,
    action: Action,
    given: dict[str, Any],
    shown: dict[str, Any],
) -> None:
    st.markdown(f"**{plain(action.label)}** through **{plain(item.name)}**. It cannot be undone.")
    lines = [f"- {plain(title)}: **{plain(_short(value))}**" for title, value in shown.items()]
    st.markdown("\n".join(lines) or "Nothing was entered.")
    st.button(
        "Send now",
        key="integrations_act_confirm",
        type="primary",
        on_click=_send,
        args=(hub, user, item, action, given),
    )


def _send(hub: Hub, user: Actor, item: Integration, action: Action, given: dict[str, Any]) -> None:
    _run(hub, user, item, action=action, given=given)
    st.rerun()


def _run(
    hub: Hub, user: Actor, item: Integration, *, action: Action, given: dict[str, Any]
) -> None:
    end: dict[str, Any] = {"of": (item.id, action.name)}
    try:
        outcome = run_action(hub, user, item.id, name=action.name, given=given)
    except InvalidInput as error:
        # A field of a list is told of at the list.
        name = error.field.partition(".")[0]
        keep_problem(_PAGE, InvalidInput(error.message, field=name))
        return
    except HubError as error:
        end["error"] = error.message
    else:
        end |= {"result": outcome.result, "milliseconds": outcome.milliseconds}
    st.session_state[_END] = end


def _forget() -> None:
    forget_problem(_PAGE)
    st.session_state.pop(_END, None)


def _draw_end(item: Integration, name: str) -> None:
    end = st.session_state.get(_END)
    if end is None or tuple(end["of"]) != (item.id, name):
        return
    if "error" in end:
        show_refusal(end["error"])
        return
    st.success(f"Done in {end['milliseconds']:,} ms.", icon=":material/check_circle:")
    _draw_result(end["result"])


def _draw_result(result: Any) -> None:
    if not isinstance(result, dict):
        st.json(result)
        return
    facts = {name: str(value) for name, value in result.items() if _is_fact(value)}
    if facts:
        draw_facts(facts, key="integrations_act_facts", empty="")
    for name, value in result.items():
        if isinstance(value, list):
            _draw_rows(name, value)
        elif isinstance(value, dict):
            st.markdown(f"**{plain(name)}**")
            st.json(value)


def _is_fact(value: Any) -> bool:
    return value is not None and not isinstance(value, list | dict)


def _draw_rows(name: str, rows: list[Any]) -> None:
    if not rows:
        st.caption(f"No {plain(name)}.")
    elif all(isinstance(row, dict) for row in rows):
        st.dataframe(
            rows[:_MOST_ROWS],
            key=f"integrations_act_{name}",
            hide_index=True,
            placeholder="–",
            alt=f"Table of {name}.",
        )
    else:
        st.json(rows[:_MOST_ROWS])


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
