"""One credential: how it stands, who may see it, what would stop without it, what can be done."""

from collections.abc import Callable

import streamlit as st

from lib.access import Actor
from lib.connections.checks import run_check
from lib.credentials.rotation import end_address_overlap, end_secret_overlap
from lib.credentials.rows import Credential, Kind
from lib.credentials.views import find_dependents
from lib.hub import Hub
from lib.outgoing.secret_overlaps import end_signing_overlap
from lib.outgoing.trials import send_test
from lib.ui.credentials.wizard import draw_wizard, open_wizard
from lib.ui.credentials.words import (
    OUTCOMES,
    STATES,
    age_words,
    end_words,
    mask_of,
    place_words,
    use_words,
    who_words,
)
from lib.ui.facts_table import draw_facts
from lib.ui.formats import ago, plain, service_chip
from lib.ui.issued_secret import draw_secret
from lib.ui.links import draw_link
from lib.ui.marks import draw_mark
from lib.ui.telling import do_and_tell, show_told


def draw_credential(hub: Hub, user: Actor, row: Credential) -> None:
    """Draw one credential with its actions."""
    show_told()
    with st.container(horizontal=True, vertical_alignment="center"):
        draw_mark(row.service_name)
        if row.service_name:
            st.markdown(service_chip(row.service_name), width="content")
        for state in row.states:
            label, colour = STATES[state]
            st.badge(label, color=colour)  # type: ignore[arg-type]  # a Literal of names
        page = "webhooks" if row.is_destination else "integrations"
        draw_link(page, row.object_name, query={"open": row.object_id}, icon=":material/link:")
        # As text: Markdown would make a link of an address.
        st.text(row.owner, width="content")
    _draw_actions(hub, user, row)
    if not draw_wizard(hub, user, row):
        draw_secret(row.object_id, page="credentials")
    left, right = st.columns([3, 2], gap="large")
    with left:
        _draw_facts(row)
    with right:
        _draw_dependents(hub, user, row)


def _draw_facts(row: Credential) -> None:
    check = ""
    if row.outcome:
        word = OUTCOMES.get(row.outcome, "Changed since the last test")
        check = f"{word}, {ago(row.checked_at)}. {row.message}"
    facts = {
        "Value": mask_of(row),
        "Set": age_words(row) or "–",
        "Last used": ago(row.last_used_at) if row.is_set else "–",
        "Last check": check or "Not tested on its own yet.",
        "Expires": end_words(row) or "No end is known.",
    }
    if row.is_checked or row.kind is Kind.GRANT:
        facts["Scopes found"] = ", ".join(row.scopes_found) or "None is known."
        facts["Scopes missing"] = ", ".join(row.scopes_missing) or "None is known."
    draw_facts(facts, key="credentials_facts", empty="")
    st.caption(plain(use_words(row)))
    st.markdown(f":material/visibility_off: {plain(who_words(row))}")
    if row.help and row.kind is not Kind.ISSUED:
        st.caption(plain(row.help))


def _draw_dependents(hub: Hub, user: Actor, row: Credential) -> None:
    st.markdown("**What hangs on it**")
    found = find_dependents(hub, user, row.object_id)
    lines = [place_words(row)] if place_words(row) else []
    routed = "Route" if row.proves or row.is_destination else ""
    lines += [f"{routed} {name}" for name in found.routes if routed]
    lines += [f"Action {name}" for name in found.actions if row.calls and not row.is_destination]
    if not lines:
        st.caption("No route and no action uses it now.")
    for line in lines:
        st.markdown(f"- {plain(line)}")
    if found.more:
        st.caption(f"And {found.more:,} or more besides.")


def _draw_actions(hub: Hub, user: Actor, row: Credential) -> None:
    with st.container(horizontal=True):
        if row.is_set and (row.is_checked or row.kind in (Kind.GRANT, Kind.HOOK, Kind.SIGNING)):
            st.button(
                "Test now",
                key="credentials_test",
                icon=":material/network_check:",
                on_click=do_and_tell,
                args=(lambda: try_now(hub, user, row),),
            )
        if row.kind is Kind.GRANT:
            draw_link(
                "integrations",
                "Connect again",
                query={"open": row.object_id},
                icon=":material/sync:",
            )
        else:
            st.button(
                "Rotate…" if row.is_set else "Set…",
                key="credentials_rotate",
                icon=":material/autorenew:",
                type="primary",
                on_click=open_wizard,
                args=(row.key,),
            )
        if row.overlap_until is not None:
            st.button(
                "End the overlap now",
                key="credentials_end",
                icon=":material/block:",
                help="The one before is refused from then on. Make sure that nothing uses it.",
                on_click=do_and_tell,
                args=(lambda: end_overlap(hub, user, row),),
            )


def try_now(hub: Hub, user: Actor, row: Credential) -> str:
    """Test what the credential belongs to and return what came of it."""
    if row.is_destination:
        judged = send_test(hub, user, row.object_id).judgement
        return judged.message or f"The test was {judged.outcome}."
    checked = run_check(hub, user, row.object_id)
    return f"{OUTCOMES[checked.outcome]}. {checked.message}"


def end_overlap(hub: Hub, user: Actor, row: Credential) -> str:
    """Refuse the one before the present from now on."""
    ends: dict[Kind, Callable[[Hub, Actor, str], None]] = {
        Kind.ADDRESS: end_address_overlap,
        Kind.SIGNING: end_signing_overlap,
    }
    ends.get(row.kind, end_secret_overlap)(hub, user, row.object_id)
    return "The one before is refused from now on."
