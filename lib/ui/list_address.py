"""The filters of a list as its address holds them, so that reload, back and links keep them."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from lib.ui.address_fields import write_address

TIMES = ("since", "until")


@dataclass(frozen=True)
class ListAddress:
    """The filters of one screen by their names in the address.

    `span` is the range up to now, which goes before the two times.
    """

    page: str
    span: str
    others: tuple[str, ...]

    def current(self) -> dict[str, str]:
        """Return the filters in force."""
        given = {name: st.query_params.get(name, "") for name in self._names}
        if given[self.span]:
            given = {name: value for name, value in given.items() if name not in TIMES}
        return {name: value for name, value in given.items() if value}

    def set(self, query: Mapping[str, str]) -> None:
        """Make these the filters, and no others; a callback, for drawn widgets cannot change."""
        write_address(self.page, {name: query.get(name) for name in self._names})

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

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.span, *self.others, *TIMES)
