"""The filters of the activity list, kept in the address so that reload and links keep them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from lib.access import Actor
from lib.addressed_filters import RANGES, VERIFIED, event_filters
from lib.event_conditions import DERIVED, STORED
from lib.events import EventFilters
from lib.integrations import Integration
from lib.providers.registry import all_providers
from lib.ui.address_choice import choose_named, labels_by_id
from lib.ui.delivery_formats import ERROR_WORDS, told_apart
from lib.ui.filter_chips import Chip, draw_chips
from lib.ui.status_words import labels_of

STATUS_WORDS = labels_of((*STORED, *DERIVED))
# What stands in the address, by how the widget keeps it there: by `bind`, as text or number, or
# by an id whose name is shown.
BOUND = ("range", "type", "q", "http", "attempts", "slower", "verified", "tag", "expr")
NAMED = ("status", "service", "integration", "destination", "error")
TIMES = ("since", "until")
_LABELS = {
    "range": "last",
    "status": "status",
    "service": "service",
    "integration": "integration",
    "type": "type",
    "q": "search",
    "destination": "destination",
    "http": "answer",
    "error": "error",
    "attempts": "tries from",
    "slower": "slower than",
    "verified": "signed",
    "tag": "tag",
    "expr": "payload",
    "since": "from",
    "until": "to",
}


@dataclass(frozen=True)
class Choices:
    """What the filters offer."""

    integrations: Sequence[Integration]
    types: Sequence[str]
    destinations: Mapping[str, str]


def draw_filters(user: Actor, choices: Choices) -> EventFilters:
    """Draw the filters and return what they ask for; raise InvalidInput for a bad address."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control("Time", list(RANGES), key="range", bind="query-params")
        _choose("Status", STATUS_WORDS, "status")
        services = {provider.slug: provider.label for provider in all_providers()}
        _choose("Service", services, "service")
        st.selectbox(
            "Type",
            choices.types,
            index=None,
            key="type",
            bind="query-params",
            placeholder="All",
            width=220,
        )
        if not user.sees_masked:
            st.text_input(
                "Search",
                key="q",
                type="search",
                bind="query-params",
                placeholder="Phone, e-mail, id, words",
                width=240,
            )
        with st.popover("More filters", icon=":material/filter_list:"):
            _draw_more(user, choices)
    query = current_query()
    draw_chips("activity", _chips(query, choices), clear_all=clear_filters)
    return event_filters(query)


def current_query() -> dict[str, str]:
    """Return the filters that stand in the address."""
    given = {name: st.query_params.get(name, "") for name in (*BOUND, *NAMED, *TIMES)}
    return {name: value for name, value in given.items() if value}


def set_query(query: Mapping[str, str]) -> None:
    """Make these the filters, and no others; a callback, for drawn widgets cannot change."""
    for name in BOUND:
        value = query.get(name)
        st.session_state[name] = _typed(name, value) if value else _EMPTY.get(name)
    for name in (*NAMED, *TIMES):
        _put(name, query.get(name))


def clear_filters() -> None:
    """Empty every filter; a callback."""
    set_query({})
    # A button of the list stands in its fragment, and a fragment's rerun leaves the filters out.
    st.rerun()


def clear_one(name: str) -> None:
    """Empty one filter; a callback."""
    query = current_query()
    query.pop(name, None)
    set_query(query)
    st.rerun()


def describe(query: Mapping[str, str]) -> str:
    """Return the filters in force in short, such as "status=failed, service=make"."""
    return ", ".join(f"{name}={value}" for name, value in query.items())


def _draw_more(user: Actor, choices: Choices) -> None:
    names = labels_by_id((item.id, item.name) for item in choices.integrations)
    _choose("Integration", names, "integration")
    _choose("Destination", told_apart(choices.destinations), "destination")
    left, right = st.columns(2)
    with left:
        st.text_input("Answer", key="http", bind="query-params", placeholder="404 or 5xx")
        st.number_input(
            "Tries, at least", 1, 20, value=None, step=1, key="attempts", bind="query-params"
        )
    with right:
        _choose("Error", ERROR_WORDS, "error")
        st.number_input(
            "Slower than, s", 0.0, 1e6, value=None, step=1.0, key="slower", bind="query-params"
        )
    st.segmented_control(
        "Signature proven",
        list(VERIFIED),
        key="verified",
        bind="query-params",
        help="No: proven by a shared secret or a token, which does not cover the content.",
    )
    if user.sees_masked:
        return
    st.text_input("Tag", key="tag", bind="query-params", placeholder="case=4711")
    st.text_input(
        "Payload matches",
        key="expr",
        bind="query-params",
        placeholder="contact.tags[?@ == 'vip']",
        help="A JMESPath expression; what it finds true matches. It looks at the newest events "
        "first, some thousand at a time.",
    )


def _chips(query: Mapping[str, str], choices: Choices) -> list[Chip]:
    names: dict[str, Mapping[str, str]] = {
        "status": STATUS_WORDS,
        "service": {provider.slug: provider.label for provider in all_providers()},
        "integration": labels_by_id((item.id, item.name) for item in choices.integrations),
        "destination": choices.destinations,
        "error": ERROR_WORDS,
    }
    return [
        Chip(name, f"{_LABELS[name]}: {names.get(name, {}).get(value, value)}", clear_one)
        for name, value in query.items()
    ]


def _choose(label: str, names: Mapping[str, str], parameter: str) -> None:
    choose_named(label, names, page="activity", parameter=parameter)


def _put(name: str, value: str | None) -> None:
    if name in NAMED:
        st.session_state[f"activity_{name}"] = value
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)


def _typed(name: str, value: str) -> object:
    if name == "attempts":
        return int(float(value))
    return float(value) if name == "slower" else value


_EMPTY = {"q": "", "http": "", "tag": "", "expr": ""}
