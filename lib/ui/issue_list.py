"""Issues as a list: what went wrong where, how often, since when, and who looks after it."""

import streamlit as st

from lib.access import Actor
from lib.hub import Hub
from lib.outgoing.issues import STATES, IssueRow, list_issues
from lib.ui.address_choice import choose_named
from lib.ui.delivery_formats import error_words
from lib.ui.formats import absolute, ago, counted, plain
from lib.ui.page_keys import current_cursor
from lib.ui.pager import draw_pager

OPEN = "open"
STATE_LABELS: dict[str, str] = {state: state.title() for state in STATES}
_COLOURS = {"open": "red", "acknowledged": "orange", "resolved": "green", "ignored": "gray"}
_PAGE = 20


def state_chip(state: str) -> str:
    """Return an issue's state as a coloured Markdown badge."""
    return f":{_COLOURS.get(state, 'gray')}-badge[{STATE_LABELS.get(state, state)}]"


def draw_issue_list(hub: Hub, user: Actor) -> None:
    """Draw one page of issues, those that happened last first."""
    state = choose_named("State", STATE_LABELS, page="issues", parameter="state")
    cursor = current_cursor("issues", state or "")
    page = list_issues(hub, user, state=state, cursor=cursor, limit=_PAGE)
    if not page.rows:
        which = f" is {state}" if state else ""
        said = f"No issue{which}." if state else "No issues. Nothing that was sent has died."
        st.success(said, icon=":material/check_circle:")
        return
    for row in page.rows:
        with st.container(border=True, gap="small", key=f"issues_row_{row.id}"):
            _draw_row(row)
    draw_pager("issues", page.next_cursor, note=f"{counted(len(page.rows), 'issue')} on this page.")


def draw_head(row: IssueRow) -> None:
    """Draw what an issue is in two lines."""
    st.markdown(
        f"{state_chip(row.state)} :gray-badge[{plain(error_words(row.error_class))}] "
        f"**{plain(row.destination_name)}** · {_dead(row.count)}"
    )
    st.markdown(plain(row.message) or "No message was kept.")


def seen_line(row: IssueRow) -> str:
    """Return when an issue was first and last seen."""
    return f"Last seen {ago(row.last_seen_at)}, first {ago(row.first_seen_at)}"


def _draw_row(row: IssueRow) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(gap="small"):
            draw_head(row)
            note = f" · {plain(row.note)}" if row.note else ""
            st.caption(seen_line(row) + note, help=absolute(row.last_seen_at))
        st.button("Open", key=f"issues_open_{row.id}", on_click=_open, args=(row.id,))


def _open(issue_id: str) -> None:
    st.query_params[OPEN] = issue_id


def _dead(count: int) -> str:
    return f"{count:,} dead {'letter' if count == 1 else 'letters'}"
