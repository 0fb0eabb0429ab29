"""The filter rows of a route that is being built: field, operator, value."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lib.outgoing.filters import MOST_ROWS
from lib.ui.webhooks.destination_words import OPERATOR_WORDS, value_text

_PRESENCE = ("exists", "not_exists")


def begin_rows(page: str, stored: Sequence[dict[str, Any]]) -> None:
    """Fill the rows of a draft that was just opened with what is stored."""
    st.session_state[f"{page}_rows"] = list(range(len(stored)))
    st.session_state[f"{page}_next_row"] = len(stored)
    for number, row in enumerate(stored):
        st.session_state[_key(page, "path", number)] = row["path"]
        st.session_state[_key(page, "operator", number)] = row["operator"]
        st.session_state[_key(page, "value", number)] = value_text(row.get("value"))


def draw_rows(page: str, paths: Sequence[str]) -> None:
    """Draw the rows with `paths` as choices of fields, and the button for one more."""
    rows: list[int] = st.session_state[f"{page}_rows"]
    for number in rows:
        _draw_row(page, number, paths)
    st.button(
        "Add a condition",
        key=f"{page}_add_row",
        icon=":material/add:",
        disabled=len(rows) >= MOST_ROWS,
        on_click=_add_row,
        args=(page,),
    )


def entered_rows(page: str) -> list[dict[str, Any]]:
    """Return the rows as they stand; one without field and value is not begun yet."""
    rows = []
    for number in st.session_state[f"{page}_rows"]:
        path, operator, value = (
            st.session_state.get(_key(page, name, number)) or ""
            for name in ("path", "operator", "value")
        )
        if not path and not value:
            continue
        row = {"path": path, "operator": operator or "equals"}
        rows.append(row if operator in _PRESENCE else {**row, "value": value})
    return rows


def _draw_row(page: str, number: int, paths: Sequence[str]) -> None:
    field, operator, value, remove = st.columns([4, 3, 4, 2], vertical_alignment="bottom")
    chosen = st.session_state.get(_key(page, "path", number))
    known = [*paths, chosen] if chosen and chosen not in paths else list(paths)
    with field:
        st.selectbox(
            "Field",
            known,
            index=None,
            key=_key(page, "path", number),
            accept_new_options=True,
            placeholder="data.From",
            help="Choose a field of the newest event, or type a path such as data.tags[*].",
        )
    with operator:
        asked = st.selectbox(
            "Condition",
            list(OPERATOR_WORDS),
            key=_key(page, "operator", number),
            format_func=lambda name: OPERATOR_WORDS[name],
        )
    with value:
        st.text_input(
            "Value",
            key=_key(page, "value", number),
            disabled=asked in _PRESENCE,
            help="Upper and lower case count. Several values have commas between.",
        )
    with remove:
        st.button(
            "Remove",
            key=_key(page, "remove", number),
            icon=":material/close:",
            type="tertiary",
            help="Remove this condition",
            on_click=_remove_row,
            args=(page, number),
        )


def _add_row(page: str) -> None:
    number = st.session_state[f"{page}_next_row"]
    st.session_state[f"{page}_next_row"] = number + 1
    st.session_state[f"{page}_rows"] = [*st.session_state[f"{page}_rows"], number]


def _remove_row(page: str, number: int) -> None:
    st.session_state[f"{page}_rows"] = [
        each for each in st.session_state[f"{page}_rows"] if each != number
    ]


def _key(page: str, name: str, number: int) -> str:
    return f"{page}_{name}_{number}"
