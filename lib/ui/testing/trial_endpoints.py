"""Request bins and chaos receivers: made with a click, watched live, used as destinations."""

from collections.abc import Callable

import streamlit as st

from lib.access import Actor
from lib.clock import now
from lib.errors import HubError
from lib.hub import Hub
from lib.laboratory import endpoints
from lib.laboratory.endpoints import Behaviour, EndpointView, RequestView
from lib.outgoing import destinations
from lib.outgoing.destination_views import DestinationDraft
from lib.quantities import duration
from lib.ui.errors import reporting_errors
from lib.ui.facts_table import draw_facts
from lib.ui.form_problems import draw_other_problem, forget_problem, keep_problem
from lib.ui.formats import absolute, counted, email, plain
from lib.ui.issued_secret import draw_secret, remember_secret
from lib.ui.telling import do_and_tell, show_told
from lib.ui.webhooks.destination_form import SIGNING_NOTE

_PAGE = "testing_trial"
_WATCHED = "watch"
_KINDS = {"bin": "Request bin", "chaos": "Chaos receiver"}
_ANY_ENDPOINT = "http"
_REFRESH_SECONDS = 2
_SHOWN = 25


def draw_endpoints(hub: Hub, user: Actor) -> None:
    """Draw the form of a new address, the live ones, and the requests of the watched one."""
    show_told()
    left, right = st.columns([2, 3], gap="large")
    with left:
        _draw_form(hub, user)
    with right:
        found = endpoints.list_all(hub, user)
        if not found:
            st.info(
                "No test address is live. A bin shows what is sent to it; a chaos receiver fails "
                "on purpose, to see retries and alarms at work.",
                icon=":material/science:",
            )
        for item in found:
            with st.container(border=True, key=f"testing_endpoint_{item.id}"):
                _draw_endpoint(hub, user, item)


def _draw_form(hub: Hub, user: Actor) -> None:
    draw_other_problem(_PAGE, ())
    kind = st.segmented_control(
        "Kind",
        list(_KINDS),
        default="bin",
        required=True,
        key=f"{_PAGE}_kind",
        format_func=_KINDS.__getitem__,
    )
    with st.form(f"{_PAGE}_form", enter_to_submit=False):
        st.text_input("Name", key=f"{_PAGE}_name", placeholder="What you test with it")
        if kind == "chaos":
            st.number_input("Status of a failure", 200, 599, 500, key=f"{_PAGE}_status")
            st.slider("Share that fails", 0, 100, 100, step=5, format="%d %%", key=f"{_PAGE}_share")
            st.slider(
                "Answer after",
                0,
                endpoints.MOST_DELAY_SECONDS,
                0,
                format="%d s",
                key=f"{_PAGE}_delay",
            )
        st.form_submit_button(
            "Make the address",
            key=f"{_PAGE}_add",
            type="primary",
            on_click=_add,
            args=(hub, user),
        )
    st.caption(
        "It lives 24 hours and keeps the last 200 requests, with secret headers masked and bodies "
        "cut at 64 KB."
    )


def _add(hub: Hub, user: Actor) -> None:
    state = st.session_state
    is_chaos = state.get(f"{_PAGE}_kind") == "chaos"
    behaviour = Behaviour(
        status=int(state.get(f"{_PAGE}_status") or 500),
        delay_seconds=float(state.get(f"{_PAGE}_delay") or 0),
        failure_share=int(state.get(f"{_PAGE}_share", 100)),
    )
    name = state.get(f"{_PAGE}_name") or _KINDS["chaos" if is_chaos else "bin"]
    try:
        item = endpoints.add(
            hub,
            user,
            kind="chaos" if is_chaos else "bin",
            name=name,
            behaviour=behaviour if is_chaos else None,
        )
    except HubError as error:
        keep_problem(_PAGE, error)
        return
    forget_problem(_PAGE)
    st.query_params[_WATCHED] = item.id


def _draw_endpoint(hub: Hub, user: Actor, item: EndpointView) -> None:
    whose = "" if item.user_id == user.id else f" · {email(item.owner)}"
    st.markdown(f":blue-badge[{_KINDS.get(item.kind, item.kind)}] **{plain(item.name)}**")
    left = duration(max(0.0, (item.expires_at - now()).total_seconds()))
    st.caption(
        f"{_behaviour_words(item)} · {left} left{whose}", help=f"Until {absolute(item.expires_at)}"
    )
    st.code(item.url, language=None, wrap_lines=True)
    draw_secret(item.id, page=f"testing_{item.id}")
    is_watched = st.query_params.get(_WATCHED) == item.id
    with st.container(horizontal=True):
        st.button(
            "Hide requests" if is_watched else f"Watch ({item.requests:,})",
            key=f"testing_watch_{item.id}",
            icon=":material/visibility:",
            on_click=_watch,
            args=(None if is_watched else item.id,),
        )
        _draw_action(
            "Add as destination",
            "add_road",
            lambda: _use_as_destination(hub, user, item),
            key=f"testing_use_{item.id}",
        )
        _draw_action(
            "Remove", "delete", lambda: _remove(hub, user, item), key=f"testing_remove_{item.id}"
        )
    if is_watched:
        st.fragment(_draw_requests, run_every=_REFRESH_SECONDS)(hub, user, item.id)


def _draw_action(label: str, icon: str, act: Callable[[], str], *, key: str) -> None:
    st.button(label, key=key, icon=f":material/{icon}:", on_click=do_and_tell, args=(act,))


def _behaviour_words(item: EndpointView) -> str:
    told = item.behaviour
    if told is None:
        return "Answers 200"
    if told.failure_share == 0:
        words = "Answers 200"
    elif told.failure_share == 100:
        words = f"Answers {told.status}"
    else:
        words = f"Answers {told.status} to {told.failure_share}% and 200 to the rest"
    return f"{words} after {told.delay_seconds:g} s" if told.delay_seconds else words


def _watch(endpoint_id: str | None) -> None:
    if endpoint_id is None:
        st.query_params.pop(_WATCHED, None)
    else:
        st.query_params[_WATCHED] = endpoint_id


def _use_as_destination(hub: Hub, user: Actor, item: EndpointView) -> str:
    draft = DestinationDraft(name=item.name, url=item.url)
    issued = destinations.add(hub, user, kind=_ANY_ENDPOINT, draft=draft)
    remember_secret(item.id, issued.signing_secret, title="Signing secret", note=SIGNING_NOTE)
    return f"{item.name} is a destination now. Make a route to it on the Webhooks page."


def _remove(hub: Hub, user: Actor, item: EndpointView) -> str:
    endpoints.remove(hub, user, item.id)
    _watch(None)
    return f"{item.name} is removed."


def _draw_requests(hub: Hub, user: Actor, endpoint_id: str) -> None:
    with reporting_errors():
        rows = endpoints.list_requests(hub, user, endpoint_id, limit=_SHOWN)
        if not rows:
            st.info("Waiting for the first request…", icon=":material/hourglass_top:")
            return
        st.caption(f"The newest {counted(len(rows), 'request')}, live.")
        for row in rows:
            _draw_request(row)


def _draw_request(row: RequestView) -> None:
    what = f"{row.method} · {row.answered_status} · {row.body_bytes:,} bytes"
    # A label that changed with the time would close what is open at each look.
    with st.expander(f"{what} · {absolute(row.created_at)}"):
        st.caption(f"{row.id} · from {plain(row.source_ip)}")
        if row.query:
            st.code(f"?{row.query}", language=None, wrap_lines=True)
        language = "json" if "json" in row.headers.get("content-type", "") else None
        st.code(row.body or "(empty)", language=language, wrap_lines=True)
        if row.kept_bytes < row.body_bytes:
            st.caption(f"Cut at {row.kept_bytes:,} bytes.")
        draw_facts(row.headers, key=f"testing_headers_{row.id}", empty="No headers came.")
