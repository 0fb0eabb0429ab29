"""The list of connections, page by page, as cards with menus or as rows with an action bar."""

import streamlit as st

from lib.access import Actor
from lib.card_pages import CardFilters, card_page
from lib.hub import Hub
from lib.ui.formats import counted
from lib.ui.integrations.cards import draw_cards, draw_table
from lib.ui.integrations.menu import draw_action_bar, draw_card_menu, draw_list_filters
from lib.ui.page_keys import current_cursor, is_first_page
from lib.ui.pager import draw_pager

_CARDS, _ROWS = 24, 100
_WORDS = ("Previous", "Next")


def draw_list(hub: Hub, actor: Actor, *, as_table: bool) -> None:
    """Draw the filters, one page of what they leave, and the way to the next."""
    filters = draw_list_filters()
    cursor = current_cursor("integrations", f"{filters} {as_table}")
    limit = _ROWS if as_table else _CARDS
    page = card_page(hub, actor, filters, cursor=cursor, limit=limit)
    if not page.rows and filters != CardFilters():
        st.info("No integration matches. Clear the search or a filter.")
    elif not page.rows and is_first_page("integrations"):
        st.info("No integrations yet. Add the first one; it takes two minutes.")
        return
    elif as_table:
        if chosen := draw_table(page.rows, page="integrations", user=actor):
            draw_action_bar(hub, actor, chosen)
    else:
        draw_cards(
            page.rows,
            page="integrations",
            user=actor,
            draw_menu=lambda card, place: draw_card_menu(hub, actor, card, place=place),
        )
    shown = counted(len(page.rows), "integration")
    draw_pager("integrations", page.next_cursor, note=f"{shown} by name.", words=_WORDS)
