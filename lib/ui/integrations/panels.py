"""Parts of one connection's screen: its routes, its public page, its record, its end."""

import streamlit as st

from lib.access import Actor
from lib.connections import integrations, status_pages
from lib.connections.history import list_history
from lib.connections.integrations import Integration
from lib.hub import Hub
from lib.outgoing import integration_queue
from lib.outgoing.routes import list_all as list_routes
from lib.ui.audit_words import say_action, say_details
from lib.ui.formats import counted, exact_column
from lib.ui.links import draw_link
from lib.ui.page_keys import current_cursor
from lib.ui.pager import draw_pager
from lib.ui.removal_dialog import confirm_removal

_ROWS = 50
_ROUTES = 200


def draw_integration_routes(hub: Hub, user: Actor, item: Integration) -> None:
    """Draw where the events of a connection go, or that they go nowhere yet."""
    rows = list_routes(hub, user, integration_id=item.id, limit=_ROUTES).rows
    if not rows:
        st.info(
            "Events are received and kept, and go nowhere yet. Add a destination and a route to "
            "it, or leave that for later.",
            icon=":material/alt_route:",
        )
    else:
        chosen = st.dataframe(
            [
                {
                    "name": row.name,
                    "events": ", ".join(row.event_types),
                    "destination": row.destination_name,
                    "active": row.is_active,
                }
                for row in rows
            ],
            key="integrations_routes",
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            alt=f"Table of {counted(len(rows), 'route')}.",
            column_config={
                "name": "Route",
                "events": "Event types",
                "destination": "Destination",
                "active": st.column_config.CheckboxColumn("Active"),
            },
        )
        if chosen.selection.rows:
            query = {"route": rows[chosen.selection.rows[0]].id}
            draw_link("webhooks", "Open it", query=query, icon=":material/open_in_new:")
    with st.container(horizontal=True):
        query = {"route": "new", "from": item.id}
        draw_link("webhooks", "Add a route", query=query, icon=":material/add:")
        draw_link("webhooks", "Add a destination", query={"add": ""}, icon=":material/outbound:")


def draw_status_page(hub: Hub, user: Actor, item: Integration) -> None:
    """Draw the switch of the public page, and its addresses while it is on."""
    url = status_pages.status_url(hub, user, item.id)
    st.markdown(
        "A public page for clients: the name of this integration, whether it works, and how many "
        "requests came in by day. No contacts, no contents, no credentials. Whoever has the "
        "address can read it."
    )
    if url is None:
        st.button(
            "Turn the page on",
            key="integrations_status_on",
            icon=":material/public:",
            on_click=_share,
            args=(hub, user, item.id),
        )
        return
    st.caption("Page")
    st.code(url, language=None, wrap_lines=True)
    st.caption("Badge, as an image for a website")
    st.code(f"{url}/badge.svg", language=None, wrap_lines=True)
    st.button(
        "Turn the page off",
        key="integrations_status_off",
        icon=":material/public_off:",
        help="The address ends within a minute and never works again.",
        on_click=status_pages.close_page,
        args=(hub, user, item.id),
    )


def _share(hub: Hub, user: Actor, integration_id: str) -> None:
    status_pages.open_page(hub, user, integration_id)


def draw_history(hub: Hub, user: Actor, item: Integration) -> None:
    """Draw who did what to the connection, the last first."""
    name = f"integrations_history_{item.id}"
    cursor = current_cursor(name, item.id)
    page = list_history(hub, user, item.id, cursor=cursor, limit=_ROWS)
    st.dataframe(
        [
            {
                "when": row.created_at,
                "who": row.actor,
                "what": say_action(row.action),
                "details": say_details(row.details),
            }
            for row in page.rows
        ],
        key="integrations_history",
        hide_index=True,
        alt=f"Table of {counted(len(page.rows), 'action')} on this integration.",
        column_config={
            "when": exact_column(),
            "who": st.column_config.TextColumn("Who", width=200),
            "what": st.column_config.TextColumn("What", width=200),
            "details": st.column_config.TextColumn("Details", width=360),
        },
    )
    draw_pager(name, page.next_cursor, note="What people and programs did to this integration.")


def confirm_integration_removal(hub: Hub, user: Actor, item: Integration) -> None:
    """Ask for the name before a connection is removed, and say what dies with it."""
    confirm_removal(
        "integration",
        item.name,
        open_count=integration_queue.count_open(hub, user, item.id),
        page="integrations",
        remove=lambda typed: integrations.remove(hub, user, item.id, typed_name=typed),
    )
