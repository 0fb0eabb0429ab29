"""A choice that shows names and keeps ids in the address."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import streamlit as st

from lib.lists.paging import LARGEST_PAGE
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
        help=limit_words(names),
        format_func=lambda option: names[option],
        **kept(page, parameter, one_of(names)),
    )


def labels_by_id(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a label by id; the end of the id tells two of one name apart."""
    pairs = list(named)
    seen = Counter(name for _, name in pairs)
    return {each: name if seen[name] == 1 else f"{name} ({each[-6:]})" for each, name in pairs}


def limit_words(offered: Collection[object]) -> str | None:
    """Return what to say beside a box that does not offer all there is, None where it does."""
    if len(offered) < LARGEST_PAGE:
        return None
    return (
        f"Only the first {LARGEST_PAGE} by name are offered. Any other is reached from its own "
        "page, which the search at the top finds."
    )
