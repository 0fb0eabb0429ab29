"""One issue: when it happened, examples, what people say of it, and the replay of all."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import altair as alt
import streamlit as st

from lib.access import Actor
from lib.codes import explain_delivery
from lib.hub import Hub
from lib.outgoing import issues
from lib.outgoing.delivery_views import DeliveryRow
from lib.outgoing.issues import LOOKED_AT, IssueDetail, IssueRow
from lib.ui.code_words import draw_explanation
from lib.ui.deliveries.delivery_formats import DELIVERY_LABELS
from lib.ui.deliveries.issue_handling import draw_handling
from lib.ui.deliveries.issue_list import STATE_LABELS, draw_head, handled_line, seen_line
from lib.ui.deliveries.replay_dialog import draw_replay_dialog
from lib.ui.formats import absolute, counted, plain
from lib.ui.links import draw_link
from lib.ui.telling import tell

_HEIGHT = 200
_BAR = timedelta(minutes=54)
_NOTE = "issues_note"
_Act = Callable[..., IssueRow]
# What a state can be turned into: the label, the use case, the icon.
_TURNS: dict[str, tuple[str, _Act, str]] = {
    "acknowledged": ("Acknowledge", issues.acknowledge, ":material/visibility:"),
    "resolved": ("Resolve", issues.resolve, ":material/check:"),
    "ignored": ("Ignore", issues.ignore, ":material/notifications_off:"),
    "open": ("Reopen", issues.reopen, ":material/undo:"),
}


def draw_issue(hub: Hub, user: Actor, found: IssueDetail) -> None:
    """Draw everything about one issue."""
    row = found.row
    draw_head(row)
    st.caption(seen_line(row) + handled_line(row), help=absolute(row.last_seen_at))
    st.code(row.id, language=None)
    newest = found.sample[0].response_status if found.sample else None
    explained = explain_delivery(row.kind, error_class=row.error_class, response_status=newest)
    if explained:
        draw_explanation(explained)
    grid = st.grid(2, min_column_width=160)
    with grid:
        st.metric("Dead letters", f"{row.count:,}", border=True)
        st.metric(
            "Contacts, about",
            f"{found.contacts:,}",
            border=True,
            help=f"People whose events are among the newest {LOOKED_AT:,} dead letters.",
        )
    if found.contact_sample:
        more = found.contacts - len(found.contact_sample)
        names = ", ".join(plain(each) for each in found.contact_sample)
        st.caption(f"Concerns {names}" + (f" and {more:,} more" if more > 0 else ""))
    _draw_actions(hub, user, found)
    draw_handling(hub, user, row)
    _draw_note(hub, user, row)
    st.subheader("When", anchor=False)
    _draw_chart(found.hourly)
    st.subheader("The newest of them", anchor=False)
    _draw_sample(found.sample)


def _draw_actions(hub: Hub, user: Actor, found: IssueDetail) -> None:
    with st.container(horizontal=True):
        if st.button(
            "Replay all affected…",
            key="issues_replay",
            icon=":material/replay:",
            type="primary",
            help="Counts them first; nothing is sent before you confirm.",
        ):
            draw_replay_dialog(hub, user, found.affected)
        for state, (label, act, icon) in _TURNS.items():
            if state != found.row.state:
                st.button(
                    label,
                    key=f"issues_turn_{state}",
                    icon=icon,
                    on_click=_turn,
                    args=(hub, user, found.row.id, act),
                )


def _draw_note(hub: Hub, user: Actor, row: IssueRow) -> None:
    with st.form("issues_note_form", border=False):
        st.text_area("Note", value=row.note, key=_NOTE, height=80, max_chars=1_000)
        st.form_submit_button("Save the note", on_click=_save, args=(hub, user, row.id))


def _draw_chart(hourly: Sequence[tuple[datetime, int]]) -> None:
    if not hourly:
        st.caption("The deliveries themselves were removed by retention.")
        return
    rows = [
        {"start": hour.isoformat(), "end": (hour + _BAR).isoformat(), "dead": count}
        for hour, count in hourly
    ]
    data = alt.Data(values=rows)  # type: ignore[no-untyped-call]  # Altair gives it no types
    chart = (
        alt.Chart(data)
        .mark_bar()
        .encode(
            x=alt.X("start:T", title=None, axis=alt.Axis(grid=False, format="%d %b %H:%M")),
            x2="end:T",
            # A sum is stacked from zero; a bare value of ranged bars floats.
            y=alt.Y("sum(dead):Q", title="Dead letters", axis=alt.Axis(tickMinStep=1, tickCount=4)),
            tooltip=[
                alt.Tooltip("start:T", title="From", format="%d %b %H:%M"),
                alt.Tooltip("sum(dead):Q", title="Dead letters"),
            ],
        )
    )
    total = sum(count for _, count in hourly)
    st.altair_chart(
        chart.properties(height=_HEIGHT),
        key="issues_chart",
        alt=f"Bars by hour: the newest {counted(total, 'dead letter')} of this issue.",
    )


def _draw_sample(sample: Sequence[DeliveryRow]) -> None:
    if not sample:
        st.caption("None is kept any more.")
        return
    chosen = st.dataframe(
        [
            {
                "finished_at": row.finished_at,
                "event_type": row.event_type,
                "attempts": row.attempts,
                "answer": row.response_status,
                "error": row.last_error,
                "status": DELIVERY_LABELS.get(row.status, row.status),
                "id": row.id,
            }
            for row in sample
        ],
        key="issues_sample",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="",
        alt=f"The newest {counted(len(sample), 'dead letter')}.",
        column_config={
            "finished_at": st.column_config.DatetimeColumn("Died", format="distance"),
            "event_type": "Type",
            "attempts": "Attempts",
            "answer": st.column_config.NumberColumn("Answer", format="%d"),
            "error": st.column_config.TextColumn("Error", width="large"),
            "status": "Status",
            "id": "Id",
        },
    )
    if chosen.selection.rows:
        query = {"event": sample[chosen.selection.rows[0]].event_id}
        draw_link("activity", "Open its event", query=query, icon=":material/open_in_new:")


def _turn(hub: Hub, user: Actor, issue_id: str, act: _Act) -> None:
    tell(lambda: f"{STATE_LABELS[act(hub, user, issue_id).state]}.")


def _save(hub: Hub, user: Actor, issue_id: str) -> None:
    def save() -> str:
        issues.write_note(hub, user, issue_id, st.session_state[_NOTE])
        return "The note is saved."

    tell(save)
