"""What was kept of a refused request: facts, headers and the beginning of its body."""

import streamlit as st

from lib.intake.rejections import Rejection
from lib.ui.facts_table import draw_facts
from lib.ui.formats import plain
from lib.ui.links import draw_link

_PREVIEW = 2_000
_NOTHING = "Nothing was kept."


def draw_evidence(row: Rejection) -> None:
    """Draw the reason in words, the parts behind tabs, and the way to the integration."""
    st.markdown(plain(row.message))
    facts, headers, body = st.tabs(["Facts", "Headers", "Body"])
    with facts:
        draw_facts(row.facts, key=f"rejected_facts_{row.id}", empty=_NOTHING)
    with headers:
        draw_facts(row.headers, key=f"rejected_headers_{row.id}", empty=_NOTHING)
    with body:
        st.code(row.body[:_PREVIEW] or "(empty)", language=None, wrap_lines=True)
        kept = min(len(row.body), _PREVIEW)
        st.caption(f"{kept:,} of {row.body_bytes:,} bytes, {row.method}, {row.content_type}")
    if row.not_kept:
        st.caption(f"{row.not_kept:,} more like it were not kept.")
    draw_link("integrations", "Open the integration", query={"open": row.integration_id})
    st.code(row.id, language=None)
