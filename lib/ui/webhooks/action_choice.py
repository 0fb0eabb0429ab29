"""Which integration does what: the choice of a destination that is an action."""

import streamlit as st

from lib.access import Actor
from lib.connections import integrations
from lib.connections.choices import list_choices
from lib.connections.integrations import Integration
from lib.errors import HubError
from lib.hub import Hub
from lib.outgoing.destination_views import DestinationView
from lib.providers.actions import Action
from lib.providers.registry import get_provider
from lib.ui.address_choice import labels_by_id, limit_words
from lib.ui.form_problems import draw_problem
from lib.ui.formats import plain
from lib.vendors.action_runs import find_action


def draw_choice(
    hub: Hub, user: Actor, stored: DestinationView | None, *, page: str, keys: tuple[str, str]
) -> None:
    """Draw the two boxes; `keys` are their widgets', of the integration and of the action."""
    integration_key, action_key = keys
    owner_id = stored.user_id if stored else None
    found = [
        each
        for each in list_choices(hub, user, also=stored.integration_id if stored else None)
        if get_provider(each.service_name).actions and owner_id in (None, each.user_id)
    ]
    if not found:
        st.info("No integration can do anything yet. Add one first.", icon=":material/cable:")
        draw_problem(page, "integration_id")
        return
    by_id = {each.id: each for each in found}
    names = labels_by_id((each.id, each.name) for each in found)
    _begin(integration_key, stored.integration_id if stored else None, list(names))
    chosen = st.selectbox(
        "Integration",
        list(names),
        index=None,
        key=integration_key,
        format_func=names.__getitem__,
        placeholder="Choose",
        help=limit_words(names),
    )
    draw_problem(page, "integration_id")
    if chosen is None:
        return
    _draw_actions(by_id[chosen], stored, page=page, key=action_key)


def draw_action_fields(hub: Hub, user: Actor, destination: DestinationView) -> None:
    """Say which fields a mapping to an action must yield; nothing for other destinations."""
    if destination.action is None or destination.integration_id is None:
        return
    try:
        item = integrations.get(hub, user, destination.integration_id)
        action = find_action(item.service_name, destination.action)
    except HubError as error:
        st.warning(error.message, icon=":material/warning:")
        return
    st.caption(f"{plain(action.label)}: {_field_words(action)}")


def _draw_actions(
    item: Integration, stored: DestinationView | None, *, page: str, key: str
) -> None:
    actions = {each.name: each for each in get_provider(item.service_name).actions}
    _begin(key, stored.action if stored else None, list(actions))
    name = st.selectbox(
        "Action",
        list(actions),
        index=None,
        key=key,
        format_func=lambda option: actions[option].label,
        placeholder="Choose",
    )
    draw_problem(page, "action")
    if name is not None:
        st.caption(f"{actions[name].help} {_field_words(actions[name])}")


def _begin(key: str, stored: str | None, options: list[str]) -> None:
    """Start with what is stored, and forget a choice that is no longer offered."""
    if key not in st.session_state:
        st.session_state[key] = stored
    if st.session_state[key] not in options:
        st.session_state[key] = None


def _field_words(action: Action) -> str:
    fields = action.input.model_fields.items()
    needed = [plain(name) for name, info in fields if info.is_required()]
    others = [plain(name) for name, info in fields if not info.is_required()]
    words = f"A route's mapping yields its fields: **{', '.join(needed)}**" if needed else ""
    if not others:
        return f"{words}."
    may = f"may yield {', '.join(others)}"
    return f"{words}; it {may}." if words else f"A route's mapping {may}."
