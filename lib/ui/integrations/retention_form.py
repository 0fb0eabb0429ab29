"""How long an integration keeps what it received: the ages, and what they lead to."""

import streamlit as st

from lib.access import Actor
from lib.connections.integrations import Integration
from lib.errors import HubError
from lib.hub import Hub
from lib.quantities import byte_size
from lib.retention.ages import HELP, LABELS, LONGEST_DAYS
from lib.retention.plans import RetentionPlan, get_retention, set_retention
from lib.ui.errors import reporting_errors
from lib.ui.formats import ago, counted

_PROBLEM = "integrations_retention_problem"


def draw_retention(hub: Hub, user: Actor, item: Integration) -> None:
    """Draw the form of the ages with their consequences."""
    with reporting_errors():
        plan = get_retention(hub, user, item.id)
        with st.form(f"integrations_retention_{item.id}", enter_to_submit=False):
            st.markdown("**How long things are kept, in days**")
            st.caption(_consequences(plan))
            _draw_ages(item, plan)
            st.form_submit_button(
                "Save ages",
                key=f"integrations_retention_save_{item.id}",
                on_click=_save,
                args=(hub, user, item),
            )


def _consequences(plan: RetentionPlan) -> str:
    holding = plan.holding
    sentences = [
        f"Payloads take about {byte_size(holding.held_bytes)} now; at the present rate and "
        f"{counted(holding.payload_days, 'day')} they lead to about "
        f"{byte_size(holding.projected_bytes)}."
    ]
    if plan.still_needed:
        sentences.append(
            f"Of {counted(plan.still_needed, 'older event')} the payload is still kept, because "
            "a delivery is not finished."
        )
    if plan.last_round is None:
        sentences.append("No round of removal has run yet.")
    else:
        last = plan.last_round
        sentences.append(
            f"The last round, over all integrations, freed {byte_size(last.bytes_freed)} "
            f"{ago(last.finished_at)}."
        )
    return " ".join(sentences)


def _draw_ages(item: Integration, plan: RetentionPlan) -> None:
    problem = st.session_state.get(_PROBLEM, {})
    for column, (name, label) in zip(st.columns(len(LABELS)), LABELS.items(), strict=True):
        column.number_input(
            label,
            value=plan.own.get(name),
            min_value=1,
            max_value=LONGEST_DAYS,
            step=1,
            placeholder=str(getattr(plan.hub, name)),
            key=_key(item, name),
            help=f"{HELP[name]} Leave blank for the hub's own age.",
        )
    if problem.get("integration") == item.id:
        st.error(problem["message"], icon=":material/error:")


def _save(hub: Hub, user: Actor, item: Integration) -> None:
    ages = {name: st.session_state.get(_key(item, name)) for name in LABELS}
    try:
        set_retention(hub, user, item.id, ages)
    except HubError as error:
        st.session_state[_PROBLEM] = {"integration": item.id, "message": error.message}
        return
    st.session_state.pop(_PROBLEM, None)
    st.toast("Saved. The next round goes by these ages.", icon=":material/check_circle:")


def _key(item: Integration, name: str) -> str:
    return f"integrations_{name}_{item.id}"
