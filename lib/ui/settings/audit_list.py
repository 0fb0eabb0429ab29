"""The audit log as a table with its filters, its export and the check of its chain."""

import streamlit as st

from lib.access import Actor
from lib.audit_chain import verify_chain
from lib.audit_reading import AuditFilters, AuditRow, list_entries
from lib.hub import Hub
from lib.lists.addressed_filters import audit_filters
from lib.people.users import list_users
from lib.ui.address_choice import choose_named, labels_by_id
from lib.ui.address_fields import kept, one_of, text
from lib.ui.audit_words import SUBJECTS, say_action, say_details
from lib.ui.errors import reporting_errors
from lib.ui.export_links import draw_exports
from lib.ui.formats import counted, exact_column
from lib.ui.page_keys import current_cursor
from lib.ui.pager import draw_pager

_RANGES = ("1h", "24h", "7d", "30d")
_PAGE = 50
_COLUMNS = {
    "actor": st.column_config.TextColumn("Who"),
    "role": st.column_config.TextColumn("Role", width="small"),
    "action": st.column_config.TextColumn("What"),
    "object_id": st.column_config.TextColumn("Object"),
    "details": st.column_config.TextColumn("Details", width="medium"),
    "ip": st.column_config.TextColumn("Address", width="small"),
    "session_id": st.column_config.TextColumn("Session", width="small"),
    "sequence": st.column_config.NumberColumn(
        "No.", width="small", help="Its place in the chain; blank until a worker has chained it."
    ),
}


def draw_filters(hub: Hub, user: Actor) -> AuditFilters:
    """Draw the filters and return what they ask for; raise InvalidInput for a bad address."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control("Time", list(_RANGES), **kept("audit", "range", one_of(_RANGES)))
        people = labels_by_id((item.id, item.email) for item in list_users(hub, user))
        choose_named("Who", people, page="audit", parameter="who")
        choose_named("About", SUBJECTS, page="audit", parameter="about")
        st.text_input("Object", placeholder="An id, such as int_…", **kept("audit", "object", text))
    return audit_filters(st.query_params)


def draw_entries(hub: Hub, user: Actor, filters: AuditFilters) -> None:
    """Draw one page of entries."""
    period = st.query_params.get("range")
    signature = f"{filters.user_id} {filters.subject} {filters.object_id} {period}"
    cursor = current_cursor("audit", signature)
    page = list_entries(hub, user, filters, cursor=cursor, limit=_PAGE)
    if not page.rows:
        st.info("No entry matches. Clear a filter.", icon=":material/filter_alt_off:")
        return
    st.dataframe(
        [_table_row(row) for row in page.rows],
        hide_index=True,
        height=560,
        alt=f"Table of {counted(len(page.rows), 'audit entry')}, newest first.",
        column_config={**_COLUMNS, "created_at": exact_column()},
    )
    draw_pager("audit", page.next_cursor, note=f"{len(page.rows)} entries on this page.")


def draw_tools(hub: Hub, user: Actor) -> None:
    """Draw the export of what the address asks for, and the check of the chain."""
    with st.container(horizontal=True):
        draw_exports("audit", st.query_params)
        is_asked = st.button("Verify the chain", icon=":material/link:", key="audit_verify")
    if is_asked:
        with reporting_errors():
            _draw_report(hub, user)


def _draw_report(hub: Hub, user: Actor) -> None:
    with st.spinner("Going through the whole log …"):
        report = verify_chain(hub, user)
    if report.trouble:
        st.error(
            f"{report.trouble} Compare with a backup from before, and find out who can write to "
            "the database.",
            icon=":material/link_off:",
        )
        return
    st.success(
        f"All {report.checked:,} chained entries are as they were written; "
        f"{report.unchained:,} wait for a worker.",
        icon=":material/verified:",
    )
    st.caption(
        "Keep this line elsewhere, to prove later that nobody with the database in hand made the "
        "log anew: its number and digest must still be in it."
    )
    st.code(f"{report.head.sequence} {report.head.digest}", language=None)


def _table_row(row: AuditRow) -> dict[str, object]:
    return {
        "created_at": row.created_at,
        "action": say_action(row.action),
        "actor": row.actor,
        "role": row.role or "",
        "details": say_details(row.details),
        "object_id": row.object_id,
        "ip": row.ip or "",
        "session_id": row.session_id or "",
        "sequence": row.sequence,
    }
