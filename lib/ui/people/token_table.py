"""The API tokens of all users as staff see them: whose, how far, how used; and their end."""

import streamlit as st

from lib.access import Actor
from lib.hub import Hub
from lib.people import api_tokens
from lib.people.api_tokens import OwnedToken
from lib.ui.formats import counted, email, plain
from lib.ui.page_keys import current_cursor
from lib.ui.pager import draw_pager
from lib.ui.telling import act_and_toast

_PAGE = 50
_COLUMNS = {
    "name": st.column_config.TextColumn("Name", width=160),
    "owner": st.column_config.TextColumn("Speaks for", width=190),
    "last4": st.column_config.TextColumn("Ends in", width=72),
    "scopes": st.column_config.TextColumn("Scopes", width=220),
    "used": st.column_config.DatetimeColumn("Last used", format="distance", width=120),
    "expires": st.column_config.DatetimeColumn("Expires", format="YYYY-MM-DD HH:mm", width=140),
    "made": st.column_config.DatetimeColumn("Made", format="YYYY-MM-DD HH:mm", width=140),
}


def draw_token_table(hub: Hub, user: Actor) -> None:
    """Draw one page of tokens; the chosen one can be revoked."""
    page = api_tokens.list_of_everybody(
        hub, user, cursor=current_cursor("users_tokens", ""), limit=_PAGE
    )
    if not page.rows:
        st.info(
            "No tokens yet. Everybody makes their own under Account.", icon=":material/key_off:"
        )
        return
    chosen = st.dataframe(
        [_row(item) for item in page.rows],
        key="users_tokens",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="never",
        alt=f"Table of {counted(len(page.rows), 'API token')}, the newest first.",
        column_config=_COLUMNS,
    )
    draw_pager("users_tokens", page.next_cursor, note="Choose a token to revoke it.")
    if rows := chosen.selection.rows:
        _draw_chosen(hub, user, page.rows[rows[0]])


def _draw_chosen(hub: Hub, user: Actor, item: OwnedToken) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(item.token.name)}** `…{item.token.last4}` of {email(item.owner)}")
        if st.button("Revoke", icon=":material/block:", key="users_token_revoke"):
            _confirm(hub, user, item)


@st.dialog("Revoke this token?")
def _confirm(hub: Hub, user: Actor, item: OwnedToken) -> None:
    st.write(
        f"Programs that call the hub with **{plain(item.token.name)}** of {email(item.owner)} are "
        "refused at once. A revoked token cannot be brought back."
    )
    st.button(
        "Revoke",
        type="primary",
        icon=":material/block:",
        key="users_token_confirm",
        on_click=_revoke,
        args=(hub, user, item),
    )


def _revoke(hub: Hub, user: Actor, item: OwnedToken) -> None:
    said = f"The token {plain(item.token.name)} is revoked."
    act_and_toast(lambda: api_tokens.revoke(hub, user, item.token.id), said)
    # Closes the dialog, whose own part of the page alone would run otherwise.
    st.rerun()


def _row(item: OwnedToken) -> dict[str, object]:
    token = item.token
    return {
        "name": token.name,
        "owner": item.owner,
        "last4": f"…{token.last4}",
        "scopes": ", ".join(token.scopes),
        "used": token.last_used_at,
        "expires": token.expires_at,
        "made": token.created_at,
    }
