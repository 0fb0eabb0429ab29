"""Refused requests: each with its reason in words and the facts that help to mend it."""

import streamlit as st

from lib.access import Actor
from lib.hub import Hub
from lib.rejections import Rejection, RejectionFilters, list_rejections
from lib.ui.doctor import open_examination
from lib.ui.facts_table import draw_facts
from lib.ui.formats import absolute, ago, plain, service_chip
from lib.ui.links import draw_link
from lib.ui.page_keys import current_cursor
from lib.ui.pager import draw_pager

_PAGE = 20
_PREVIEW = 2_000
_NOTHING = "Nothing was kept."


def draw_rejections(hub: Hub, user: Actor, filters: RejectionFilters, *, signature: str) -> None:
    """Draw one page of refused requests, newest first; `signature` tells the filters apart."""
    cursor = current_cursor("rejected", signature)
    page = list_rejections(hub, user, filters, cursor=cursor, limit=_PAGE)
    if not page.rows:
        said = "No request was refused."
        if filters != RejectionFilters():
            said = "No refused request matches. Empty a filter to see more."
        st.success(said, icon=":material/check_circle:")
        return
    for row in page.rows:
        _draw_rejection(row)
    draw_pager("rejected", page.next_cursor, note=f"{len(page.rows)} on this page.")


def _draw_rejection(row: Rejection) -> None:
    with st.container(border=True, key=f"rejected_row_{row.id}"):
        st.markdown(
            f"{service_chip(row.service_name)} :red-badge[{plain(row.reason.replace('_', ' '))}] "
            f"**{plain(row.integration_name)}**"
        )
        st.markdown(plain(row.message))
        more = f" · {row.not_kept:,} more like it not kept" if row.not_kept else ""
        st.caption(
            f"{ago(row.created_at)} · answered {row.response_code} · from {row.source_ip}{more}",
            help=absolute(row.created_at),
        )
        st.button(
            "Find out why",
            key=f"rejected_examine_{row.id}",
            icon=":material/stethoscope:",
            help="Works the proof out again in every way that is known to go wrong.",
            on_click=open_examination,
            args=(row.id,),
        )
        with st.expander("Facts, headers and body"):
            _draw_evidence(row)


def _draw_evidence(row: Rejection) -> None:
    facts, headers, body = st.tabs(["Facts", "Headers", "Body"])
    with facts:
        draw_facts(row.facts, key=f"rejected_facts_{row.id}", empty=_NOTHING)
    with headers:
        draw_facts(row.headers, key=f"rejected_headers_{row.id}", empty=_NOTHING)
    with body:
        st.code(row.body[:_PREVIEW] or "(empty)", language=None, wrap_lines=True)
        kept = min(len(row.body), _PREVIEW)
        st.caption(f"{kept:,} of {row.body_bytes:,} bytes, {row.method}, {row.content_type}")
    draw_link("integrations", "Open the integration", query={"open": row.integration_id})
    st.code(row.id, language=None)
