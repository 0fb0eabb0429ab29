"""The filters of a list as its address holds them, so that reload, back and links keep them."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

TIMES = ("since", "until")
_TEXTS = ("q", "http", "answer", "tag", "expr")


@dataclass(frozen=True)
class ListAddress:
    """The filters of one screen, by the way in which a widget keeps each of them.

    `bound` are kept by `bind`, as text or number, the range first; `named` by an id whose name
    is shown. A range goes before the two times.
    """

    page: str
    bound: tuple[str, ...]
    named: tuple[str, ...]

    def current(self) -> dict[str, str]:
        """Return the filters in force."""
        names = (*self.bound, *self.named, *TIMES)
        given = {name: st.query_params.get(name, "") for name in names}
        if given.get(self.bound[0]):
            given = {name: value for name, value in given.items() if name not in TIMES}
        return {name: value for name, value in given.items() if value}

    def holds(self, name: str) -> bool:
        """Say whether a filter is in force, before its widget is drawn in this run."""
        key = name if name in self.bound else f"{self.page}_{name}"
        return st.session_state.get(key, st.query_params.get(name)) not in (None, "")

    def set(self, query: Mapping[str, str]) -> None:
        """Make these the filters, and no others; a callback, for drawn widgets cannot change."""
        for name in self.bound:
            value = query.get(name)
            empty = "" if name in _TEXTS else None
            st.session_state[name] = _typed(name, value) if value else empty
        for name in (*self.named, *TIMES):
            self.put(name, query.get(name))

    def put(self, name: str, value: str | None) -> None:
        """Put a named filter or a time into the address, or take it out."""
        if name in self.named:
            st.session_state[f"{self.page}_{name}"] = value
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)

    def clear(self) -> None:
        """Empty every filter; a callback."""
        self.set({})
        # A button of a list stands in its fragment, whose rerun leaves the filters out.
        st.rerun()

    def clear_one(self, name: str) -> None:
        """Empty one filter; a callback."""
        query = self.current()
        query.pop(name, None)
        self.set(query)
        st.rerun()


def _typed(name: str, value: str) -> object:
    if name == "attempts":
        return int(float(value))
    return float(value) if name == "slower" else value
