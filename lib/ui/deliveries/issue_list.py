"""Issues as a list: what went wrong where, how often, since when, and who looks after it."""

import streamlit as st

from lib.access import Actor
from lib.clock import now
from lib.hub import Hub
from lib.outgoing.deliveries import destination_names
from lib.outgoing.issue_handling import known_assignees, set_state_of
from lib.outgoing.issues import STATES, IssueFilters, IssueRow, list_issues
from lib.providers.registry import all_providers
from lib.ui.address_choice import choose_named
from lib.ui.deliveries.delivery_formats import error_words, told_apart
from lib.ui.formats import absolute, ago, counted, plain
from lib.ui.page_keys import current_cursor
from lib.ui.pager import draw_pager
from lib.ui.status_words import chip, labels_of
from lib.ui.telling import do_and_tell

OPEN = "open"
STATE_LABELS = labels_of(STATES)
_PAGE = 20


def state_chip(state: str) -> str:
    """Return an issue's state as a coloured Markdown badge."""
    return chip(state)


def draw_issue_list(hub: Hub, user: Actor) -> None:
    """Draw the filters and one page of issues, those that happened last first."""
    filters = _draw_filters(hub, user)
    cursor = current_cursor("issues", repr(filters))
    page = list_issues(hub, user, filters=filters, cursor=cursor, limit=_PAGE)
    if not page.rows:
        said = "No issues. Nothing that was sent has died."
        if filters != IssueFilters():
            said = "No issue matches. Empty a filter to see more."
        st.success(said, icon=":material/check_circle:")
        return
    for row in page.rows:
        with st.container(border=True, gap="small", key=f"issues_row_{row.id}"):
            _draw_row(row)
    _draw_bulk(hub, user, [row.id for row in page.rows])
    draw_pager("issues", page.next_cursor, note=f"{counted(len(page.rows), 'issue')} on this page.")


def _draw_filters(hub: Hub, user: Actor) -> IssueFilters:
    services = {each.slug: each.label for each in all_providers()}
    places = told_apart(destination_names(hub, user))
    people = told_apart(known_assignees(hub, user))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        return IssueFilters(
            state=choose_named("State", STATE_LABELS, page="issues", parameter="state"),
            destination_id=choose_named(
                "Destination", places, page="issues", parameter="destination"
            ),
            service_name=choose_named("Service", services, page="issues", parameter="service"),
            assignee_id=choose_named("Assignee", people, page="issues", parameter="assignee"),
        )


def _draw_bulk(hub: Hub, user: Actor, shown: list[str]) -> None:
    chosen = [each for each in shown if st.session_state.get(f"issues_pick_{each}")]
    if not chosen:
        return

    def change() -> str:
        state = str(st.session_state["issues_bulk_state"])
        changed = set_state_of(hub, user, chosen, state)
        return f"{counted(changed, 'issue')} changed to {STATE_LABELS[state].lower()}."

    with st.form("issues_bulk_form"), st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            f"Change {counted(len(chosen), 'issue')} to",
            list(STATE_LABELS),
            index=list(STATE_LABELS).index("resolved"),
            key="issues_bulk_state",
            format_func=STATE_LABELS.__getitem__,
        )
        st.form_submit_button("Change", on_click=do_and_tell, args=(change,))


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


def handled_line(row: IssueRow) -> str:
    """Return who looks after an issue and until when it is muted, where either is so."""
    who = f" · {plain(row.assignee)} looks after it" if row.assignee else ""
    until = row.muted_until
    return who + (f" · muted until {absolute(until)}" if until and until > now() else "")


def _draw_row(row: IssueRow) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.checkbox(
            "Choose", key=f"issues_pick_{row.id}", label_visibility="collapsed", width="content"
        )
        with st.container(gap="small"):
            draw_head(row)
            note = f" · {plain(row.note)}" if row.note else ""
            st.caption(seen_line(row) + handled_line(row) + note, help=absolute(row.last_seen_at))
        st.button("Open", key=f"issues_open_{row.id}", on_click=_open, args=(row.id,))


def _open(issue_id: str) -> None:
    st.query_params[OPEN] = issue_id


def _dead(count: int) -> str:
    return f"{count:,} dead {'letter' if count == 1 else 'letters'}"
