"""A choice that shows names and keeps ids in the address; `bind` would keep the names."""

from collections import Counter
from collections.abc import Iterable, Mapping

import streamlit as st

# Four side by side in a window of 1280 px.
_WIDEST = 196


def choose_named(
    label: str, names: Mapping[str, str], *, page: str, parameter: str, width: int = _WIDEST
) -> str | None:
    """Draw the choice and return the chosen id, None for all."""
    key = f"{page}_{parameter}"
    ids = list(names)
    given = st.query_params.get(parameter)
    return st.selectbox(
        label,
        ids,
        index=ids.index(given) if given and given in names else None,
        key=key,
        placeholder="All",
        width=width,
        format_func=lambda option: names[option],
        on_change=_keep_in_address,
        args=(parameter, key),
    )


def labels_by_id(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a label by id; the end of the id tells two of one name apart."""
    pairs = list(named)
    seen = Counter(name for _, name in pairs)
    return {each: name if seen[name] == 1 else f"{name} ({each[-6:]})" for each, name in pairs}


def _keep_in_address(parameter: str, key: str) -> None:
    if chosen := st.session_state[key]:
        st.query_params[parameter] = chosen
    else:
        st.query_params.pop(parameter, None)
