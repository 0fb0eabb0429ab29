"""How long the hub keeps things, what that leads to, and what the last rounds removed."""

from collections.abc import Sequence

import streamlit as st

from lib.access import Actor
from lib.errors import HubError
from lib.health.report import database_size
from lib.hub import Hub
from lib.quantities import byte_size
from lib.retention.ages import HELP, LABELS, LONGEST_DAYS, Ages
from lib.retention.hub_ages import HubAges, PastRound, get_hub_ages, list_rounds, set_hub_ages
from lib.retention.plans import Holding, project
from lib.ui.form_problems import draw_other_problem, draw_problem, forget_problem, keep_problem
from lib.ui.formats import ago, counted, service_label
from lib.ui.telling import do_and_tell

_PAGE = "settings_retention"


def draw_retention_settings(hub: Hub, user: Actor) -> None:
    """Draw the tiles, the form of the ages, the holdings and the rounds."""
    holdings = project(hub, user).holdings
    rounds = list_rounds(hub, user)
    _draw_tiles(hub, user, holdings, rounds)
    _draw_form(hub, user, get_hub_ages(hub, user))
    _draw_holdings(holdings)
    _draw_rounds(rounds)


def _draw_tiles(
    hub: Hub, user: Actor, holdings: Sequence[Holding], rounds: Sequence[PastRound]
) -> None:
    room = database_size(hub, user)
    held = sum(each.held_bytes for each in holdings)
    projected = sum(each.projected_bytes for each in holdings)
    with st.container(horizontal=True):
        st.metric(
            "Database now",
            byte_size(room.total_bytes),
            border=True,
            help=f"On disk, with {byte_size(room.wal_bytes)} of log; "
            f"{byte_size(room.free_bytes)} of it are free for new rows.",
        )
        st.metric("Payloads now", f"about {byte_size(held)}", border=True)
        st.metric(
            "Payloads at these ages",
            f"about {byte_size(projected)}",
            border=True,
            help="What the present rate of events leads to once the ages are reached.",
        )
        st.metric(
            "Last round",
            ago(rounds[0].finished_at) if rounds else "none yet",
            border=True,
            help="A worker removes every hour what is past its age.",
        )


def _draw_form(hub: Hub, user: Actor, stored: HubAges) -> None:
    with st.form("settings_retention_form", enter_to_submit=False):
        st.markdown("**How long things are kept, in days**")
        st.caption(
            "They hold wherever an integration has no age of its own. A shorter age removes what "
            "is older with the next round, and nothing brings that back."
        )
        draw_other_problem(_PAGE, tuple(LABELS))
        grid = st.grid(len(LABELS), min_column_width=150)
        for name in LABELS:
            with grid.container():
                _draw_age(name, stored)
        st.form_submit_button(
            "Save ages", key="settings_retention_save", on_click=_save, args=(hub, user)
        )


def _draw_age(name: str, stored: HubAges) -> None:
    usual = getattr(Ages(), name)
    st.number_input(
        LABELS[name],
        value=stored.own.get(name),
        min_value=1,
        max_value=LONGEST_DAYS,
        step=1,
        placeholder=str(usual),
        key=_key(name),
        help=f"{HELP[name]} Leave blank for {usual} days.",
    )
    draw_problem(_PAGE, name)


def _save(hub: Hub, user: Actor) -> None:
    ages = {name: st.session_state.get(_key(name)) for name in LABELS}
    try:
        set_hub_ages(hub, user, ages)
    except HubError as error:
        keep_problem(_PAGE, error)
        return
    forget_problem(_PAGE)
    do_and_tell(lambda: "Saved. The next round goes by these ages.")


def _draw_holdings(holdings: Sequence[Holding]) -> None:
    st.subheader("What is held", anchor=False)
    if not holdings:
        st.caption("No integration yet, so nothing is held.")
        return
    st.dataframe(
        [
            {
                "service": service_label(each.service_name),
                "name": each.name,
                "days": each.payload_days,
                "ages": "Its own" if each.has_own_ages else "The hub's",
                "held": byte_size(each.held_bytes),
                "projected": byte_size(each.projected_bytes),
            }
            for each in holdings
        ],
        key="settings_holdings",
        hide_index=True,
        alt=f"{counted(len(holdings), 'integration')} with the size of their payloads.",
        column_config={
            "service": "Service",
            "name": st.column_config.TextColumn("Integration", width="medium"),
            "days": st.column_config.NumberColumn("Payload age", format="%d days"),
            "ages": "Ages",
            "held": st.column_config.TextColumn("Held now", alignment="right"),
            "projected": st.column_config.TextColumn(
                "At this age", alignment="right", help="What the present rate of events leads to."
            ),
        },
    )
    st.caption("An integration's own ages are set under Integrations, in its settings.")


def _draw_rounds(rounds: Sequence[PastRound]) -> None:
    st.subheader("Last rounds", anchor=False)
    if not rounds:
        st.caption("No round has ended yet. A worker does one every hour: look at Health.")
        return
    st.dataframe(
        [
            {
                "finished": each.finished_at,
                "took": (each.finished_at - each.started_at).total_seconds(),
                "freed": byte_size(each.bytes_freed),
                "removed": _removed(each),
            }
            for each in rounds
        ],
        key="settings_rounds",
        hide_index=True,
        alt=f"The last {counted(len(rounds), 'round')} of removal.",
        column_config={
            "finished": st.column_config.DatetimeColumn("Ended", format="distance"),
            "took": st.column_config.NumberColumn("Took", format="%.1f s"),
            "freed": st.column_config.TextColumn("Freed", alignment="right"),
            "removed": st.column_config.TextColumn("Removed", width="large"),
        },
    )


def _removed(past: PastRound) -> str:
    parts = (f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(past.removed.items()))
    return ", ".join(parts) or "Nothing was past its age"


def _key(name: str) -> str:
    return f"settings_retention_{name}"
