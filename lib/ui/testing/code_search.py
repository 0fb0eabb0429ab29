"""The dictionary of error codes as a searchable table."""

from collections.abc import Sequence

import streamlit as st

from lib.codes import Entry, search_codes, who_must_act
from lib.providers.registry import all_providers
from lib.ui.address_choice import choose_named
from lib.ui.address_fields import kept, text
from lib.ui.code_words import draw_explanation
from lib.ui.formats import counted

_MOST_ROWS = 200
_MOST_READ = 3


def draw_code_search() -> None:
    """Draw the search and what it finds; a few entries are written out in full."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "What does this code mean?",
            type="search",
            placeholder="30007, 410, opted out",
            **kept("testing", "code", text),
        )
        services = {each.slug: each.label for each in all_providers() if each.codes}
        service = choose_named("Service", services, page="testing", parameter="of")
    found = search_codes(words or "", service_name=service)
    if not found:
        st.info(
            "No such code is in the dictionary. Look at the vendor's own page, or search for a "
            "word of the message.",
            icon=":material/search_off:",
        )
        return
    if words and len(found) <= _MOST_READ:
        for entry in found:
            draw_explanation(entry.explanation)
    _draw_table(found)


def _draw_table(found: Sequence[Entry]) -> None:
    st.dataframe(
        [
            {
                "of": entry.label,
                "code": entry.explanation.code,
                "title": entry.explanation.title,
                "cause": entry.explanation.cause,
                "who": who_must_act(entry.explanation),
                "step": entry.explanation.step,
                "link": entry.explanation.link,
            }
            for entry in found[:_MOST_ROWS]
        ],
        key="testing_codes",
        hide_index=True,
        alt=f"Dictionary with {counted(len(found), 'code')}.",
        column_config={
            "of": "Of",
            "code": "Code",
            "title": "Meaning",
            "cause": st.column_config.TextColumn("Cause", width="large"),
            "who": "Who acts",
            "step": st.column_config.TextColumn("What to do", width="large"),
            "link": st.column_config.LinkColumn("Vendor's page", display_text="Open"),
        },
    )
