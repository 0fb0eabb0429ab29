"""The provider simulator: a sample, edited, sent signed, and followed to its event."""

import streamlit as st

from lib.access import Actor
from lib.connections.choices import list_choices
from lib.connections.integrations import Integration
from lib.events.reading import get_event
from lib.events.samples import Sample, list_saved, remove_saved
from lib.hub import Hub
from lib.laboratory import simulator
from lib.laboratory.simulator import Simulated
from lib.providers.registry import get_provider
from lib.providers.sending import FORM_TYPE
from lib.ui.address_choice import labels_by_id, limit_words
from lib.ui.errors import reporting_errors
from lib.ui.formats import plain, status_chip
from lib.ui.links import draw_link
from lib.ui.telling import do_and_tell, show_told

_SOURCE = "testing_source"
_SAMPLE = "testing_sample"
_BODY = "testing_body"
_FILLED = "testing_filled"
_SENT = "testing_sent"
_REFRESH_SECONDS = 2
_GOOD = range(200, 300)


def draw_simulator(hub: Hub, user: Actor) -> None:
    """Draw the choice, the editor, and what came of the last sending."""
    show_told()
    items = {item.id: item for item in list_choices(hub, user)}
    if not items:
        st.info("There is no integration to play for yet.", icon=":material/cable:")
        draw_link("integrations", "Add an integration", icon=":material/add:")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        item = _choose(items)
        content_type = _choose_sample(hub, user, item)
        _draw_editor(hub, user, item, content_type)
    with right:
        st.markdown("**What came of it**")
        sent: Simulated | None = st.session_state.get(_SENT)
        if sent is None:
            st.caption("Nothing is sent yet. The request goes through the hub's own receiver.")
        else:
            st.fragment(_follow, run_every=_REFRESH_SECONDS)(hub, user, sent)


def _choose(items: dict[str, Integration]) -> Integration:
    labels = labels_by_id((item.id, item.name) for item in items.values())
    if st.session_state.get(_SOURCE) not in items:
        st.session_state[_SOURCE] = next(iter(items))
    chosen = st.selectbox(
        "Integration",
        list(items),
        key=_SOURCE,
        format_func=lambda each: labels[each],
        help=limit_words(items),
    )
    return items[chosen]


def _choose_sample(hub: Hub, user: Actor, item: Integration) -> str:
    provider = get_provider(item.service_name)
    kept = {each.id: each for each in list_saved(hub, user, service_name=item.service_name)}
    labels = [*provider.samples(), *kept]
    if st.session_state.get(_SAMPLE) not in labels:
        st.session_state[_SAMPLE] = labels[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            "Sample",
            labels,
            key=_SAMPLE,
            format_func=lambda each: f"Saved: {kept[each].name}" if each in kept else each,
        )
        st.button(
            "Fresh ids",
            key="testing_fresh",
            icon=":material/refresh:",
            help="Begins the sample again with new ids, so that it is a new event.",
            on_click=_forget_body,
        )
    if st.session_state.get(_FILLED) != (item.id, label):
        st.session_state[_FILLED] = (item.id, label)
        st.session_state[_BODY] = (
            kept[label].text
            if label in kept
            else simulator.fill_in(hub, user, item.id, label=label)
        )
    if label in kept:
        _draw_kept(hub, user, kept[label])
        return kept[label].content_type
    st.caption(provider.sample_note or provider.signature_note)
    return provider.samples()[label].content_type


def _draw_kept(hub: Hub, user: Actor, sample: Sample) -> None:
    def remove() -> str:
        remove_saved(hub, user, sample.id)
        return f"{sample.name} is removed."

    st.caption("It keeps the ids of its event: change one, or the hub takes it for a repetition.")
    st.button(
        "Remove this sample", key="testing_remove_sample", on_click=do_and_tell, args=(remove,)
    )


def _forget_body() -> None:
    st.session_state.pop(_FILLED, None)


def _draw_editor(hub: Hub, user: Actor, item: Integration, content_type: str) -> None:
    is_form = content_type == FORM_TYPE
    st.text_area(
        "Form fields, one a line" if is_form else "JSON",
        key=_BODY,
        height=320,
        help="It is signed as it stands here." if not is_form else "Name=value, not encoded.",
    )

    def send() -> str:
        st.session_state.pop(_SENT, None)
        text = st.session_state.get(_BODY) or ""
        sent = simulator.send(hub, user, item.id, content_type=content_type, text=text)
        st.session_state[_SENT] = sent
        return f"Answered with {sent.status}."

    st.button(
        "Send as the provider",
        key="testing_send",
        type="primary",
        icon=":material/send:",
        on_click=do_and_tell,
        args=(send,),
    )


def _follow(hub: Hub, user: Actor, sent: Simulated) -> None:
    kind = "green" if sent.status in _GOOD else "red"
    st.markdown(f":{kind}-badge[{sent.status}] answered after {sent.milliseconds:,} ms")
    if sent.answer:
        language = "json" if "json" in sent.content_type else None
        st.code(sent.answer, language=language, wrap_lines=True)
    else:
        st.caption("The answer has no body.")
    with reporting_errors():
        event_id = simulator.find_event(hub, user, sent)
        if event_id is not None:
            event = get_event(hub, user, event_id).row
            st.markdown(f"{status_chip(event.status)} **{plain(event.event_type)}**")
            st.markdown(plain(event.summary))
            draw_link(
                "activity",
                "Open the event",
                query={"event": event_id},
                icon=":material/open_in_new:",
            )
        elif sent.status in _GOOD:
            st.info(
                "The hub had this event already, so no second one was stored. Choose Fresh ids for "
                "a new one.",
                icon=":material/content_copy:",
            )
        else:
            draw_link("rejected", "See why it was refused", icon=":material/gpp_bad:")
