"""The filters of the activity list, kept in the address so that reload and links keep them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lib.access import Actor
from lib.connections.integrations import Integration
from lib.events.conditions import DERIVED, STORED
from lib.events.reading import EventFilters
from lib.lists.addressed_filters import VERIFIED, event_filters
from lib.providers.registry import all_providers
from lib.ui.address_choice import choose_named, labels_by_id
from lib.ui.address_fields import Read, kept, number, one_of, text
from lib.ui.deliveries.delivery_formats import ERROR_WORDS, told_apart
from lib.ui.filter_chips import Chip, draw_chips
from lib.ui.links import turn_to
from lib.ui.list_address import TIMES, ListAddress
from lib.ui.status_words import labels_of
from lib.ui.time_filter import draw_time_filter, say_moment

STATUS_WORDS = labels_of((*STORED, *DERIVED, "rejected"))
ADDRESS = ListAddress(
    "activity",
    span="range",
    others=(
        "type", "q", "http", "attempts", "slower", "verified", "tag", "expr", "status", "service",
        "integration", "destination", "error",
    ),
)  # fmt: skip
_BEHIND = (
    "integration", "destination", "http", "error", "attempts", "slower", "verified", "tag", "expr",
)  # fmt: skip
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


def lead_to_rejected(user: Actor) -> None:
    """Go to the refused requests if they are asked for: they are no events."""
    query = ADDRESS.current()
    if user.sees_masked or query.get("status") != "rejected":
        return
    shared = ("service", "integration", "range", *TIMES)
    asked: dict[str, str] = {name: query[name] for name in shared if name in query}
    # Without it the way back leads to the list, and not here again.
    ADDRESS.set({name: value for name, value in query.items() if name != "status"})
    turn_to("rejected", asked)


def draw_filters(user: Actor, choices: Choices) -> EventFilters:
    """Draw the filters and return what they ask for; raise InvalidInput for a bad address."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        draw_time_filter(ADDRESS)
        if not user.sees_masked:
            st.text_input(
                "Search",
                type="search",
                placeholder="Phone, e-mail, id, words",
                width="stretch",
                **_kept("q", text),
            )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        statuses = (*STORED, *DERIVED) if user.sees_masked else (*STORED, *DERIVED, "rejected")
        _choose("Status", {name: STATUS_WORDS[name] for name in statuses}, "status", width=190)
        services = {provider.slug: provider.label for provider in all_providers()}
        _choose("Service", services, "service", width=150)
        st.selectbox(
            "Type",
            choices.types,
            index=None,
            placeholder="All",
            width=190,
            **_kept("type", one_of(choices.types)),
        )
        count = len(set(_BEHIND) & set(ADDRESS.current()))
        label = f"More filters ({count})" if count else "More filters"
        with st.popover(label, icon=":material/filter_list:", key="activity_more"):
            _draw_more(user, choices)
    said = say_filters(choices)
    chips = [Chip(name, words, ADDRESS.clear_one) for name, words in said.items()]
    draw_chips("activity", chips, clear_all=ADDRESS.clear)
    return event_filters(ADDRESS.current())


def say_filters(choices: Choices) -> dict[str, str]:
    """Return the filters in force by their names, in words such as "status: Failed"."""
    names: dict[str, Mapping[str, str]] = {
        "status": STATUS_WORDS,
        "service": {provider.slug: provider.label for provider in all_providers()},
        "integration": labels_by_id((item.id, item.name) for item in choices.integrations),
        "destination": told_apart(choices.destinations),
        "error": ERROR_WORDS,
    }
    return {
        name: f"{_LABELS[name]}: {_say(names, name, value)}"
        for name, value in ADDRESS.current().items()
    }


def _draw_more(user: Actor, choices: Choices) -> None:
    names = labels_by_id((item.id, item.name) for item in choices.integrations)
    _choose("Integration", names, "integration")
    _choose("Destination", told_apart(choices.destinations), "destination")
    left, right = st.columns(2)
    with left:
        st.text_input("Answer", placeholder="404 or 5xx", **_kept("http", text))
        st.number_input(
            "Tries, at least", 1, 20, value=None, step=1, **_kept("attempts", number(1, 20))
        )
    with right:
        _choose("Error", ERROR_WORDS, "error")
        st.number_input(
            "Slower than, s", 0.0, 1e6, value=None, step=1.0, **_kept("slower", number(0.0, 1e6))
        )
    st.segmented_control(
        "Signature proven",
        list(VERIFIED),
        help="No: proven by a shared secret or a token, which does not cover the content.",
        **_kept("verified", one_of(VERIFIED)),
    )
    if user.sees_masked:
        return
    st.text_input("Tag", placeholder="case=4711", **_kept("tag", text))
    st.text_input(
        "Payload matches",
        placeholder="contact.tags[?@ == 'vip']",
        help="A JMESPath expression; what it finds true matches. It looks at the newest events "
        "first, some thousand at a time.",
        **_kept("expr", text),
    )


def _say(names: Mapping[str, Mapping[str, str]], name: str, value: str) -> str:
    return say_moment(name, value) if name in TIMES else names.get(name, {}).get(value, value)


def _kept(parameter: str, read: Read) -> dict[str, Any]:
    return kept("activity", parameter, read)


def _choose(label: str, names: Mapping[str, str], parameter: str, *, width: int = 320) -> None:
    choose_named(label, names, page="activity", parameter=parameter, width=width)
