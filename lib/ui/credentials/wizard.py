"""The dialog that replaces a credential: what happens, enter or issue, verify, done.

Its step is kept in the tab's memory; what is typed is dropped once it is stored.
"""

import streamlit as st

from lib.access import Actor
from lib.connections import integrations
from lib.credentials.rotation import replace_secret
from lib.credentials.rows import Credential, Kind
from lib.credentials.views import Dependents, find_dependents, get_credential
from lib.errors import HubError
from lib.hub import Hub
from lib.outgoing import destinations
from lib.outgoing.destination_views import DestinationDraft
from lib.outgoing.trials import send_test
from lib.providers.registry import get_provider
from lib.ui.credentials.words import effect_words, place_words
from lib.ui.formats import ago, counted, plain
from lib.ui.issued_secret import draw_secret, remember_secret
from lib.ui.webhooks.destination_form import SIGNING_NOTE

_KEY, _STEP, _SAID, _PROBLEM = (
    f"credentials_wizard_{name}" for name in ("key", "step", "said", "problem")
)
_VALUE, _PARTNER = "credentials_new_value", "credentials_new_partner"
_STEPS = ("What happens", "Enter or issue", "Verify", "Done")
_ENTERED = (Kind.ENTERED, Kind.HOOK)


def open_wizard(key: str) -> None:
    """Begin the replacement of a credential; a callback."""
    _forget()
    st.session_state[_KEY], st.session_state[_STEP] = key, 0


def draw_wizard(hub: Hub, user: Actor, row: Credential) -> bool:
    """Draw the dialog while one is open for this credential, and say whether one is."""
    if st.session_state.get(_KEY) != row.key:
        return False
    word = "Rotate" if row.is_set or st.session_state[_STEP] else "Set"
    title = f"{word}: {plain(row.label)}"

    @st.dialog(title, icon=":material/autorenew:", on_dismiss=_forget)
    def show() -> None:
        step = st.session_state.get(_STEP)
        if step is None:
            return
        st.caption(_trail(step))
        (_draw_effect, _draw_entry, _draw_proof, _draw_end)[step](hub, user, row)

    show()
    return True


def _trail(step: int) -> str:
    return " › ".join(
        f"**{number} {name}**" if number == step + 1 else f"{number} {name}"
        for number, name in enumerate(_STEPS, start=1)
    )


def _draw_effect(hub: Hub, user: Actor, row: Credential) -> None:
    st.markdown(plain(effect_words(row)))
    if place := place_words(row):
        st.markdown(f":material/edit_location: {plain(place)}")
    found = find_dependents(hub, user, row.object_id)
    if found.routes or found.actions:
        st.caption(f"What works with {plain(row.object_name)} now: {_counts(found)}.")
    st.button("Go on", key="credentials_wizard_go", type="primary", on_click=_go_to, args=(1,))


def _counts(found: Dependents) -> str:
    more = " and more" if found.more else ""
    counts = {"route": len(found.routes), "action": len(found.actions)}
    return ", ".join(counted(count, noun) for noun, count in counts.items() if count) + more


def _draw_entry(hub: Hub, user: Actor, row: Credential) -> None:
    if problem := st.session_state.get(_PROBLEM):
        st.error(problem, icon=":material/error:")
    if row.kind not in _ENTERED:
        made = (
            "The new address is in force as soon as you press the button."
            if row.kind is Kind.ADDRESS
            else "The new secret comes up in the next step, this once. Have its place ready."
        )
        st.markdown(made)
        label = "Make a new address" if row.kind is Kind.ADDRESS else "Issue the new secret"
        st.button(
            label,
            key="credentials_wizard_issue",
            type="primary",
            on_click=_act,
            args=(lambda: _issue(hub, user, row),),
        )
        return
    with st.form("credentials_wizard_form", enter_to_submit=False):
        if row.partner:
            partner = next(
                item for item in get_provider(row.service_name).fields if item.name == row.partner
            )
            st.text_input(partner.label, key=_PARTNER, help=partner.help, autocomplete="off")
        st.text_input(
            f"New {row.label}",
            type="password",
            key=_VALUE,
            help=row.help or None,
            autocomplete="new-password",
        )
        st.form_submit_button(
            "Check and replace" if row.is_checked else "Replace",
            key="credentials_wizard_replace",
            type="primary",
            on_click=_act,
            args=(lambda: _replace(hub, user, row),),
        )


def _draw_proof(hub: Hub, user: Actor, row: Credential) -> None:
    fresh = get_credential(hub, user, row.key)
    if said := st.session_state.get(_SAID):
        st.success(plain(said), icon=":material/check_circle:")
    draw_secret(row.object_id, page="credentials_wizard")
    if row.kind is Kind.ADDRESS:
        st.code(integrations.get(hub, user, row.object_id).webhook_url, wrap_lines=True)
    if place := place_words(row):
        st.markdown(plain(place))
    if row.is_destination:
        st.button(
            "Send a test",
            key="credentials_wizard_test",
            on_click=_act,
            args=(lambda: _send(hub, user, row),),
        )
        if problem := st.session_state.get(_PROBLEM):
            st.error(problem, icon=":material/error:")
    elif fresh.proves:
        _draw_arrival(fresh)
    st.button("Go on", key="credentials_wizard_done", type="primary", on_click=_go_to, args=(3,))


def _draw_arrival(fresh: Credential) -> None:
    what = "here since the change" if fresh.kind is Kind.ADDRESS else "with the new one"
    if fresh.is_used:
        st.success(f"An event came {what}, {ago(fresh.last_used_at)}.", icon=":material/verified:")
        return
    st.info(f"No event has come {what} yet.", icon=":material/hourglass_empty:")
    st.button("Look again", key="credentials_wizard_look", icon=":material/refresh:")


def _draw_end(hub: Hub, user: Actor, row: Credential) -> None:
    fresh = get_credential(hub, user, row.key)
    st.markdown(f"**{plain(row.label)}** of {plain(row.object_name)} is replaced.")
    if fresh.overlap_until is not None:
        st.markdown(
            "The one before still works. End the overlap on the credential's page as soon as "
            "nothing uses it; at once if it has leaked."
        )
    draw_secret(row.object_id, page="credentials_wizard")
    if st.button("Close", key="credentials_wizard_close", type="primary"):
        _forget()
        st.rerun()


def _issue(hub: Hub, user: Actor, row: Credential) -> str:
    if row.kind is Kind.ADDRESS:
        integrations.rotate_address(hub, user, row.object_id)
        return "The new address is in force."
    if row.kind is Kind.SIGNING:
        secret = destinations.rotate_signing_secret(hub, user, row.object_id).signing_secret
        title, note = "Signing secret", SIGNING_NOTE
    else:
        secret = integrations.reissue_secret(hub, user, row.object_id).inbound_secret
        title, note = row.label, get_provider(row.service_name).signature_note
    remember_secret(row.object_id, secret, title=title, note=note)
    return "The new secret is in force."


def _replace(hub: Hub, user: Actor, row: Credential) -> str:
    text = st.session_state.get(_VALUE) or ""
    if row.kind is Kind.ENTERED:
        values = {row.field: text, row.partner: st.session_state.get(_PARTNER) or ""}
        return replace_secret(hub, user, row.object_id, field=row.field, values=values)
    item = destinations.get(hub, user, row.object_id)
    rate = item.own_rate
    limits = {
        "per_second": rate.per_second if rate else None,
        "per_five_minutes": rate.per_five_minutes if rate else None,
    }
    draft = DestinationDraft(
        item.name,
        url=text if row.field == "url" else "",
        values={} if row.field == "url" else {row.field: text},
        rate_limit={name: value for name, value in limits.items() if value is not None} or None,
        concurrency=item.own_concurrency,
    )
    destinations.update(hub, user, row.object_id, draft=draft)
    return "It is replaced."


def _send(hub: Hub, user: Actor, row: Credential) -> str:
    judged = send_test(hub, user, row.object_id).judgement
    return judged.message or f"The test was {judged.outcome}."


def _act(action: object) -> None:
    """Do one step and go on to the proof, or keep why it was not done; a callback."""
    st.session_state.pop(_PROBLEM, None)
    try:
        st.session_state[_SAID] = action()  # type: ignore[operator]  # a callable of ours
    except HubError as error:
        st.session_state[_PROBLEM] = error.message
        return
    _drop_typed()
    _go_to(2)


def _go_to(step: int) -> None:
    st.session_state[_STEP] = step


def _drop_typed() -> None:
    for name in (_VALUE, _PARTNER):
        if name in st.session_state:
            st.session_state[name] = ""


def _forget() -> None:
    for name in (_KEY, _STEP, _SAID, _PROBLEM):
        st.session_state.pop(name, None)
    _drop_typed()
