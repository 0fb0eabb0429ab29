"""A choice that shows names and keeps ids in the address."""

from collections import Counter
from collections.abc import Iterable, Mapping

import streamlit as st

from lib.ui.address_fields import kept, one_of

# Four side by side in a window of 1280 px.
_WIDEST = 196


def choose_named(
    label: str, names: Mapping[str, str], *, page: str, parameter: str, width: int = _WIDEST
) -> str | None:
    """Draw the choice and return the chosen id, None for all."""
    return st.selectbox(
        label,
        list(names),
        index=None,
        placeholder="All",
        width=width,
        format_func=lambda option: names[option],
        **kept(page, parameter, one_of(names)),
    )


def labels_by_id(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a label by id; the end of the id tells two of one name apart."""
    pairs = list(named)
    seen = Counter(name for _, name in pairs)
    return {each: name if seen[name] == 1 else f"{name} ({each[-6:]})" for each, name in pairs}
