"""The dialog before something is removed for good: type its name, read what is lost."""

from collections.abc import Callable

import streamlit as st

from lib.errors import HubError
from lib.ui.errors import toast_refusal
from lib.ui.formats import plain

Remove = Callable[[str], int]


def confirm_removal(kind: str, name: str, *, open_count: int, page: str, remove: Remove) -> None:
    """Open the dialog; `remove` gets what was typed and returns how many were cancelled."""

    @st.dialog(f"Delete this {kind}?", icon=":material/delete:")
    def ask() -> None:
        noun = "delivery" if open_count == 1 else "deliveries"
        lost = f" **{open_count:,} open {noun}** will be cancelled." if open_count else ""
        st.markdown(f"Type **{plain(name)}** to delete it.{lost} This cannot be undone.")
        st.text_input("Name", key=f"{page}_typed_name")
        st.button(
            "Delete for good",
            key=f"{page}_delete_confirm",
            type="primary",
            on_click=_remove,
            args=(name, page, remove),
        )

    ask()


def _remove(name: str, page: str, remove: Remove) -> None:
    try:
        count = remove(st.session_state[f"{page}_typed_name"])
    except HubError as error:
        toast_refusal(error.message)
        return
    st.query_params.pop("open", None)
    cancelled = f" Cancelled deliveries: {count:,}." if count else ""
    st.toast(f"{plain(name)} is removed.{cancelled}", icon=":material/check_circle:")
    st.rerun()
