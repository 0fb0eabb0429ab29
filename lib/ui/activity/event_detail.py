"""One event in a drawer: its way through the hub and onwards, its payload and its proof."""

from typing import Any

import streamlit as st

from lib.access import Actor, Role
from lib.errors import HubError
from lib.events.figures import figures_of, shown_status
from lib.events.reading import EventDetail, get_event, retry_event
from lib.events.revisions import SCHEME, draft_of_payload
from lib.hub import Hub
from lib.laboratory.simulator import is_simulated
from lib.masking import HIDDEN
from lib.outgoing.deliveries import deliveries_of_event
from lib.ui.activity.event_buttons import draw_buttons
from lib.ui.activity.event_deliveries import draw_deliveries, draw_send_to, is_moving
from lib.ui.activity.event_relations import draw_related, route_lines
from lib.ui.activity.event_tags import draw_tags
from lib.ui.code_words import draw_explanation
from lib.ui.errors import reporting_errors, toast_refusal
from lib.ui.facts_table import draw_facts
from lib.ui.formats import absolute, ago, counted, plain, service_chip, status_chip
from lib.ui.links import draw_link
from lib.ui.telling import show_told

PARAMETER = "event"
_MOST_FIELDS = 200
_REFRESH_SECONDS = 2


def opened_event() -> str | None:
    """Return the id of the event that the address asks for."""
    return st.query_params.get(PARAMETER)


def close_event() -> None:
    """Forget the open event; a callback."""
    st.query_params.pop(PARAMETER, None)


@st.dialog("Event", width="medium", position="right", on_dismiss=close_event)
def draw_event(hub: Hub, user: Actor, event_id: str) -> None:
    """Draw the drawer of one event; an unknown id is said in words."""
    try:
        event = get_event(hub, user, event_id)
    except HubError as error:
        st.warning(error.message)
        return
    figures = figures_of(hub, user, [event_id]).get(event_id)
    _draw_head(event, shown_status(event.row.status, figures))
    _draw_address(hub, event_id)
    for found in event.explanations:
        draw_explanation(found)
    draw_tags(hub, user, event)
    is_open = event.row.status == "pending" or is_moving(deliveries_of_event(hub, user, event_id))
    refresh = _REFRESH_SECONDS if is_open else None
    st.fragment(_draw_way, run_every=refresh)(hub, user, event_id, is_live=is_open)
    if user.role is not Role.ANALYST:
        if event.row.status == "failed":
            _draw_retry(hub, user, event_id)
        draw_send_to(hub, user, event_id)
        draw_buttons(hub, user, event)
    payload, headers, proof, related, keys = st.tabs(
        ["Payload", "Headers", "Verification", "Related", "Keys"]
    )
    with payload:
        _draw_payload(event)
    with headers:
        draw_facts(event.headers, key="activity_headers", empty="No headers were kept.")
    with proof:
        known = {**event.verification, "source address": event.source_ip}
        draw_facts(known, key="activity_proof", empty="Nothing was kept.")
    with related:
        draw_related(hub, user, event_id)
    with keys:
        _draw_keys(event)


def _draw_way(hub: Hub, user: Actor, event_id: str, *, is_live: bool) -> None:
    show_told()
    with reporting_errors():
        event = get_event(hub, user, event_id)
        found = deliveries_of_event(hub, user, event_id)
        if is_live and event.row.status != "pending" and not is_moving(found):
            # Drawn anew as a whole, so that the timer ends.
            st.rerun()
        _draw_timeline(event, routed=len({each.row.destination_id for each in found}))
        if user.role is not Role.ANALYST and event.row.status == "success":
            _draw_routes(hub, user, event_id, is_routed=bool(found))
        draw_deliveries(hub, user, found)


def _draw_routes(hub: Hub, user: Actor, event_id: str, *, is_routed: bool) -> None:
    lines = route_lines(hub, user, event_id)
    if not lines and not is_routed:
        st.caption("The integration has no route, so nothing is sent onwards.")
        draw_link("webhooks", "Add a route", icon=":material/alt_route:")
    elif lines:
        title = "Why these routes" if is_routed else "Why no route took it"
        with st.expander(title, key="activity_routes"):
            st.markdown("\n".join(f"- {line}" for line in lines))
            st.caption("By the routes as they stand now.")


def _draw_head(event: EventDetail, status: str) -> None:
    row = event.row
    edited = " :orange-badge[Edited]" if event.verification.get("scheme") == SCHEME else ""
    simulated = " :orange-badge[Simulated]" if is_simulated(event.headers) else ""
    st.markdown(f"{status_chip(status)} {service_chip(row.service_name)}{edited}{simulated}")
    st.markdown(f"**{plain(row.event_type)}** · {plain(row.summary)}")
    if found := event.progress:
        code = f" (error {plain(found.error_code)})" if found.error_code else ""
        said = f"{found.kind.title()} {plain(found.sid)} is **{plain(found.state)}**{code}"
        st.markdown(f"{said}, reported {ago(found.updated_at)}.", help=absolute(found.updated_at))
    st.caption(
        f"{plain(row.integration_name)} · {ago(row.created_at)}", help=absolute(row.created_at)
    )


def _draw_address(hub: Hub, event_id: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.code(event_id, language=None, width="stretch")
        with st.popover("Link", icon=":material/link:"):
            address = f"{hub.settings.dashboard_address}/activity?{PARAMETER}={event_id}"
            st.code(address, language=None, wrap_lines=True)


def _draw_timeline(event: EventDetail, *, routed: int) -> None:
    row = event.row
    scheme, key = event.verification.get("scheme", "unknown"), event.verification.get("key", "")
    by = f"{plain(scheme)}, key {plain(key)}" if key else plain(scheme)
    length = f"{event.payload_bytes:,} bytes"
    tried = event.verification.get("address")
    by += f", address {plain(tried)}" if tried and tried != HIDDEN else ""
    if event.payload_removed_after_days is not None:
        by, length = "a proof that went with the payload", "its bytes no longer kept"
    steps = [
        f"1. **Received** {absolute(row.created_at)}, {length}",
        f"2. **Verified** by {by}",
        f"3. **Checked for duplicates**: {_repeats(row.duplicates)}; stored and answered with "
        f"{row.response_code}",
        f"4. {_last_step(event)}",
    ]
    if event.row.status == "success":
        to = f"to {counted(routed, 'destination')}" if routed else "to no destination"
        steps.append(f"5. **Routed**: {to}")
    st.markdown("\n".join(steps))


def _repeats(count: int) -> str:
    if not count:
        return "new, and not repeated since"
    return f"new, repeated {count:,} {'time' if count == 1 else 'times'} since and kept once"


def _last_step(event: EventDetail) -> str:
    if event.row.status == "success":
        return "**Processed**: findable and counted"
    if event.row.status == "failed":
        return f":red[**Failed**]: {plain(event.error or 'no reason was kept')}"
    return "**Waiting** for a worker" + (f": {plain(event.error)}" if event.error else "")


def _draw_retry(hub: Hub, user: Actor, event_id: str) -> None:
    def again() -> None:
        try:
            retry_event(hub, user, event_id)
        except HubError as error:
            toast_refusal(error.message)
        else:
            st.toast("Handed to the worker again.", icon=":material/check_circle:")
            close_event()
            st.rerun()

    st.button(
        "Process again",
        key="activity_retry",
        icon=":material/replay:",
        type="primary",
        on_click=again,
    )


def _draw_payload(event: EventDetail) -> None:
    if event.payload_removed_after_days is not None:
        days = counted(event.payload_removed_after_days, "day")
        st.info(f"Payload removed after {days}; what it was is kept.", icon=":material/info:")
        return
    pretty, table, raw = st.tabs(["Pretty", "Fields", "Raw"])
    with pretty:
        if isinstance(event.payload, dict | list):
            st.json(event.payload, expanded=2)
        else:
            st.code(str(event.payload), language=None, wrap_lines=True)
    with table:
        leaves = _flatten(event.payload)
        draw_facts(leaves, key="activity_fields", empty="The payload is empty.")
    with raw:
        _draw_raw(event)


def _draw_raw(event: EventDetail) -> None:
    st.code(draft_of_payload(event.content_type, event.payload), language=None, wrap_lines=True)
    st.caption(f"{plain(event.method)} · {plain(event.content_type)}")


def _draw_keys(event: EventDetail) -> None:
    if not event.keys:
        st.caption("No phone, e-mail, contact or SID was found in it (yet).")
        return
    st.dataframe(
        [{"kind": kind, "value": value} for kind, value in event.keys],
        hide_index=True,
        alt=f"{len(event.keys)} keys that this event is found by.",
        column_config={"kind": "Kind", "value": "Value"},
    )


def _flatten(payload: Any) -> dict[str, str]:
    """Return the leaves of a payload by path, as many as a person can read."""
    found: dict[str, str] = {}
    waiting: list[tuple[str, Any]] = [("", payload)]
    while waiting and len(found) < _MOST_FIELDS:
        path, value = waiting.pop(0)
        if isinstance(value, dict):
            waiting = [
                (f"{path}.{name}".lstrip("."), item) for name, item in value.items()
            ] + waiting
        elif isinstance(value, list):
            waiting = [(f"{path}[{index}]", item) for index, item in enumerate(value)] + waiting
        else:
            found[path or "value"] = "" if value is None else str(value)
    return found
