"""What can be done with an event as a whole: keep it, edit it, test with it, look at the vendor."""

import streamlit as st

from lib.access import Actor, Role
from lib.connections import integrations
from lib.errors import HubError
from lib.events.reading import EventDetail
from lib.events.revisions import begin_edit, draft_of_payload, resend_edited
from lib.events.samples import save_sample
from lib.hub import Hub
from lib.outgoing.curl import as_curl, as_pytest
from lib.outgoing.manual_sends import send_choices
from lib.ui.deliveries.delivery_formats import told_apart
from lib.ui.formats import service_label
from lib.ui.telling import do_and_tell, tell

_NAME = "activity_sample_name"
_TEXT = "activity_edit_text"
_WHERE = "activity_edit_where"
_EDITED = "activity_edited"


def draw_buttons(hub: Hub, user: Actor, event: EventDetail) -> None:
    """Draw the row of buttons; what needs the payload is left out when it is removed."""
    has_payload = event.payload_removed_after_days is None
    with st.container(horizontal=True, gap="small"):
        if event.console_url:
            st.link_button(
                f"Open in {service_label(event.row.service_name)}",
                event.console_url,
                icon=":material/open_in_new:",
            )
        if has_payload:
            _draw_sample(hub, user, event)
            _draw_test(hub, user, event)
            if user.role is Role.STAFF:
                is_open = st.session_state.get(_EDITED) == event.row.id
                st.button(
                    "Close the editor" if is_open else "Edit & resend",
                    key="activity_edit",
                    icon=":material/edit:",
                    on_click=_toggle,
                    args=(event.row.id,),
                )
    if has_payload and st.session_state.get(_EDITED) == event.row.id:
        _draw_editor(hub, user, event.row.id)


def _draw_sample(hub: Hub, user: Actor, event: EventDetail) -> None:
    def save() -> str:
        kept = save_sample(hub, user, event.row.id, name=st.session_state.get(_NAME) or "")
        return f"{kept.name} is kept. Choose it under Testing tools, Simulator."

    with (
        st.popover("Save as sample", icon=":material/bookmark_add:"),
        st.form("activity_sample_form", border=False),
    ):
        st.text_input("Name", key=_NAME, value=event.row.event_type)
        st.form_submit_button("Save", on_click=do_and_tell, args=(save,))


def _draw_test(hub: Hub, user: Actor, event: EventDetail) -> None:
    with st.popover("Copy as test", icon=":material/code:"):
        try:
            item = integrations.get(hub, user, event.row.integration_id)
        except HubError as error:
            st.caption(error.message)
            return
        body = draft_of_payload(event.content_type, event.payload)
        headers = dict(event.headers) or {"content-type": event.content_type}
        st.caption("Signatures and secrets are placeholders; the Calculator makes fresh ones.")
        st.code(as_curl(item.webhook_url, headers, body), language="bash")
        st.code(as_pytest(item.webhook_url, headers, body), language="python")


def _draw_editor(hub: Hub, user: Actor, event_id: str) -> None:
    try:
        draft = begin_edit(hub, user, event_id)
        names = told_apart(send_choices(hub, user, event_id))
    except HubError as error:
        st.warning(error.message)
        return
    with st.form("activity_edit_form", enter_to_submit=False):
        st.text_area("Payload", value=draft.text, key=_TEXT, height=280)
        st.selectbox(
            "Where it goes",
            [None, *names],
            key=_WHERE,
            format_func=lambda each: names[each] if each else "Along the routes",
        )
        st.caption("It becomes a new event that says who edited it, and is put on record.")
        st.form_submit_button(
            "Send the edited event", type="primary", on_click=_resend, args=(hub, user, event_id)
        )


def _resend(hub: Hub, user: Actor, event_id: str) -> None:
    def send() -> str:
        made = resend_edited(
            hub,
            user,
            event_id,
            text=st.session_state.get(_TEXT) or "",
            destination_id=st.session_state.get(_WHERE),
        )
        return f"Sent as the new event {made}."

    if tell(send):
        st.session_state[_EDITED] = None


def _toggle(event_id: str) -> None:
    is_same = st.session_state.get(_EDITED) == event_id
    st.session_state[_EDITED] = None if is_same else event_id
