"""The filters in force as chips that are put away one by one, or all at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from lib.ui.formats import plain


@dataclass(frozen=True)
class Chip:
    """A filter in force, in words, and what puts it away by its name."""

    name: str
    words: str
    clear: Callable[[str], None]


def draw_chips(page: str, chips: Sequence[Chip], *, clear_all: Callable[[], None]) -> None:
    """Draw one small button for each, and one for all of them."""
    if not chips:
        return
    with st.container(horizontal=True, gap="small"):
        for chip in chips:
            st.button(
                plain(chip.words),
                key=f"{page}_chip_{chip.name}",
                icon=":material/close:",
                help="Take this filter away",
                on_click=chip.clear,
                args=(chip.name,),
            )
        if len(chips) > 1:
            st.button("Clear all", key=f"{page}_chips_all", type="tertiary", on_click=clear_all)
