"""Building a route step by step on real events: from where, which ones, what shape, to where."""

from collections.abc import Sequence

import streamlit as st

from lib.access import Actor
from lib.connections.choices import list_choices
from lib.connections.integrations import Integration
from lib.errors import HubError, InvalidInput
from lib.hub import Hub
from lib.outgoing import destinations, routes
from lib.outgoing.destination_views import DestinationView
from lib.outgoing.field_paths import field_paths
from lib.outgoing.rehearsals import Preview, count_matches, preview
from lib.outgoing.routes import RouteDraft, RouteView
from lib.providers.registry import get_provider, get_target
from lib.ui.address_choice import labels_by_id, limit_words
from lib.ui.errors import show_refusal
from lib.ui.form_problems import draw_other_problem, forget_problem, keep_problem
from lib.ui.formats import ago, counted
from lib.ui.links import draw_link
from lib.ui.webhooks.action_choice import draw_action_fields
from lib.ui.webhooks.event_choice import event_choices
from lib.ui.webhooks.route_filters import begin_rows, draw_rows, entered_rows
from lib.ui.webhooks.route_list import ROUTE, TO, automatic_name, turn_to_routes

_PAGE = "webhooks_draft"
_OWN = "An expression of my own"
_AS_IT_IS = "The event as it is"
_PREVIEW_HEIGHT = 340

Ends = tuple[Integration, DestinationView]


def draw_builder(
    hub: Hub, user: Actor, stored: RouteView | None, *, begin: str | None, to: str | None
) -> None:
    """Draw the steps; saving turns back to the list. `begin` and `to` fill in the ends."""
    sources = list_choices(hub, user, also=stored.integration_id if stored else begin)
    targets = destinations.list_all(hub, user)
    if not sources or not targets:
        _draw_missing(has_sources=bool(sources))
        return
    starts, ends = {item.id for item in sources}, {item.id for item in targets}
    _begin(stored, begin if begin in starts else None, to if to in ends else None)
    draw_other_problem(_PAGE, ())
    item, destination = _draw_ends(hub, user, sources, targets)
    if not (item and destination):
        st.caption("Choose where events come from and where they go, then the rest is tried live.")
        return
    draft = _draft(item, destination)
    _draw_filters(hub, user, draft)
    _draw_mapping(hub, user, destination, draft)
    _draw_save(hub, user, stored, (item, destination))


def forget_draft() -> None:
    """Forget what was entered; a callback of whatever leaves the builder."""
    forget_problem(_PAGE)
    for key in [key for key in st.session_state if str(key).startswith(_PAGE)]:
        del st.session_state[key]


def _begin(stored: RouteView | None, begin: str | None, to: str | None) -> None:
    """Fill the widgets once for each route that is opened."""
    opened = stored.id if stored else "new"
    # Streamlit drops what widgets hold once another screen is drawn; then it begins anew.
    is_held = f"{_PAGE}_from" in st.session_state
    if is_held and st.session_state.get(f"{_PAGE}_opened") == opened:
        return
    forget_draft()
    st.session_state[f"{_PAGE}_opened"] = opened
    begin_rows(_PAGE, stored.filters if stored else [])
    mapping = stored.mapping if stored else None
    types = stored.event_types if stored else ("*",)
    name = stored.name if stored and stored.name != automatic_name(stored) else ""
    for field, value in (
        ("from", stored.integration_id if stored else begin),
        ("to", stored.destination_id if stored else to),
        ("types", [] if "*" in types else list(types)),
        ("shape", _OWN if mapping else _AS_IT_IS),
        ("mapping", mapping or ""),
        ("name", name),
    ):
        st.session_state[f"{_PAGE}_{field}"] = value


def _draw_missing(*, has_sources: bool) -> None:
    if not has_sources:
        st.info("A route starts at an integration, and there is none yet.")
        draw_link("integrations", "Add an integration", icon=":material/cable:")
    else:
        st.info("A route ends at a destination, and there is none yet. Add one first.")


def _draw_ends(
    hub: Hub, user: Actor, sources: Sequence[Integration], targets: Sequence[DestinationView]
) -> tuple[Integration | None, DestinationView | None]:
    st.subheader("1. From and to", anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        chosen = _choose("Events of", labels_by_id((e.id, e.name) for e in sources), "from")
        item = next((each for each in sources if each.id == chosen), None)
        if item is not None:
            _draw_types(item)
    with right:
        own = [each for each in targets if item is None or each.user_id == item.user_id]
        chosen = _choose("Go to", labels_by_id((e.id, e.name) for e in own), "to")
        destination = next((each for each in own if each.id == chosen), None)
        if not own:
            st.caption("The owner of this integration has no destination yet.")
    return item, destination


def _choose(label: str, names: dict[str, str], name: str) -> str:
    key = f"{_PAGE}_{name}"
    if st.session_state.get(key) not in names:
        st.session_state[key] = None
    chosen = st.selectbox(
        label,
        list(names),
        index=None,
        key=key,
        format_func=names.__getitem__,
        placeholder="Choose",
        help=limit_words(names),
    )
    return chosen or ""


def _draw_types(item: Integration) -> None:
    chosen: list[str] = st.session_state.get(f"{_PAGE}_types") or []
    known = dict.fromkeys([*get_provider(item.service_name).event_types, *chosen])
    st.multiselect(
        "Event types",
        list(known),
        key=f"{_PAGE}_types",
        accept_new_options=True,
        placeholder="All types",
        help="Leave it empty for all. You may type a name that is not in the list.",
    )


def _draft(item: Integration, destination: DestinationView) -> RouteDraft:
    state = st.session_state
    shape = state.get(f"{_PAGE}_shape")
    ready = get_target(destination.kind).mappings
    mapping = state.get(f"{_PAGE}_mapping") if shape == _OWN else ready.get(shape or "")
    return RouteDraft(
        integration_id=item.id,
        destination_id=destination.id,
        event_types=state.get(f"{_PAGE}_types") or ["*"],
        filters=entered_rows(_PAGE),
        mapping=mapping or None,
        name=state.get(f"{_PAGE}_name") or "",
    )


def _draw_filters(hub: Hub, user: Actor, draft: RouteDraft) -> None:
    st.subheader("2. Conditions", anchor=False)
    sample = preview(hub, user, RouteDraft(draft.integration_id, "", draft.event_types))
    draw_rows(_PAGE, field_paths(sample.envelope) if sample else [])
    try:
        found = count_matches(hub, user, draft)
    except InvalidInput as error:
        st.warning(error.message, icon=":material/filter_alt_off:")
        return
    if not found.looked_at:
        st.caption("No event has come in yet, so nothing can be tried.")
        return
    last = f"{found.matched:,}** of the last {counted(found.looked_at, 'event')}"
    st.markdown(f":material/filter_alt: **{last} would go this way.")


def _draw_mapping(hub: Hub, user: Actor, destination: DestinationView, draft: RouteDraft) -> None:
    st.subheader("3. Shape", anchor=False)
    target = get_target(destination.kind)
    choices = [*([_AS_IT_IS] if target.has_address else []), *target.mappings, _OWN]
    if st.session_state.get(f"{_PAGE}_shape") not in choices:
        st.session_state[f"{_PAGE}_shape"] = choices[0]
    draw_action_fields(hub, user, destination)
    shape, event = st.columns(2, gap="large")
    with shape:
        chosen = st.selectbox(
            "Send", choices, key=f"{_PAGE}_shape", on_change=_take_over, args=(destination,)
        )
    with event:
        event_id = _choose_event(hub, user, draft.integration_id)
    if chosen == _OWN:
        st.text_area(
            "Mapping",
            key=f"{_PAGE}_mapping",
            height=120,
            placeholder="{trigger: type, data: data, timestamp: timestamp}",
            help="One JMESPath expression over the event on the left. See jmespath.org.",
        )
    try:
        shown = preview(hub, user, draft, event_id=event_id)
    except HubError as error:
        show_refusal(error.message)
        return
    if shown is not None:
        _draw_preview(shown)


def _take_over(destination: DestinationView) -> None:
    """Keep a ready-made mapping at hand when an expression of one's own begins."""
    shape = st.session_state[f"{_PAGE}_shape"]
    ready = get_target(destination.kind).mappings
    if shape in ready:
        st.session_state[f"{_PAGE}_mapping"] = ready[shape]


def _choose_event(hub: Hub, user: Actor, integration_id: str) -> str | None:
    names = event_choices(hub, user, integration_id)
    key = f"{_PAGE}_event"
    if st.session_state.get(key) not in names:
        st.session_state[key] = None
    return st.selectbox(
        "Try it on",
        list(names),
        index=None,
        key=key,
        format_func=names.__getitem__,
        placeholder="The newest event that matches",
    )


def _draw_preview(shown: Preview) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**The event**, {ago(shown.created_at)}")
        with st.container(height=_PREVIEW_HEIGHT):
            st.json(shown.envelope, expanded=2)
    with right:
        st.markdown("**What is sent**")
        if shown.error is not None:
            st.error(shown.error, icon=":material/error:")
        elif isinstance(shown.result, dict | list):
            with st.container(height=_PREVIEW_HEIGHT):
                st.json(shown.result, expanded=2)
        else:
            st.code(str(shown.result), language=None, wrap_lines=True)
        if not shown.is_taken:
            st.caption("The conditions do not take this event; it stays here.")


def _draw_save(hub: Hub, user: Actor, stored: RouteView | None, ends: Ends) -> None:
    st.subheader("4. Save", anchor=False)
    st.text_input("Name (optional)", key=f"{_PAGE}_name", placeholder="From → to")
    with st.container(horizontal=True):
        st.button(
            "Save route",
            key="webhooks_save_route",
            type="primary",
            on_click=_save,
            args=(hub, user, stored, ends),
        )
        if stored is not None:
            st.button(
                "Delete route",
                key="webhooks_delete_route",
                icon=":material/delete:",
                on_click=_remove,
                args=(hub, user, stored),
            )


def _save(hub: Hub, user: Actor, stored: RouteView | None, ends: Ends) -> None:
    # Read anew: what was typed last and the click can arrive together.
    draft = _draft(*ends)
    try:
        if stored is None:
            routes.add(hub, user, draft)
        else:
            routes.update(hub, user, stored.id, draft)
    except HubError as error:
        keep_problem(_PAGE, error)
        return
    _leave("The route is saved.")


def _remove(hub: Hub, user: Actor, stored: RouteView) -> None:
    try:
        routes.remove(hub, user, stored.id)
    except HubError as error:
        keep_problem(_PAGE, error)
        return
    _leave("The route is removed.")


def _leave(said: str) -> None:
    forget_draft()
    st.query_params.pop(ROUTE, None)
    st.query_params.pop(TO, None)
    turn_to_routes()
    st.toast(said, icon=":material/check_circle:")
