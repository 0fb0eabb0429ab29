"""The form of a destination, drawn from what its kind asks for.

A stored address or secret never reaches it: a blank box stands for "keep what is there".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lib.access import Actor
from lib.errors import HubError
from lib.hub import Hub
from lib.outgoing import destinations
from lib.outgoing.destination_views import DestinationDraft, DestinationView
from lib.outgoing.limits import FASTEST, MOST_CONCURRENCY, MOST_IN_FIVE_MINUTES
from lib.providers.fields import CredentialField
from lib.providers.registry import all_targets
from lib.providers.targets import Target
from lib.ui.form_problems import (
    draw_other_problem,
    draw_problem,
    forget_problem,
    has_problem,
    keep_problem,
)
from lib.ui.formats import plain
from lib.ui.issued_secret import remember_secret
from lib.ui.webhooks.action_choice import draw_choice
from lib.ui.webhooks.destination_list import OPEN
from lib.ui.webhooks.destination_words import rate_words

ADD = "add"
PAGE = "webhooks"
SIGNING_NOTE = (
    "Each request is signed with it as Standard Webhooks says: webhook-id, webhook-timestamp "
    "and webhook-signature. The other side checks them before it believes a request."
)
_LIMITS = ("rate_limit", "concurrency")


@dataclass(frozen=True)
class _Form:
    """What one drawing of the form works with."""

    hub: Hub
    user: Actor
    target: Target
    stored: DestinationView | None = None

    def key(self, name: str) -> str:
        return f"{PAGE}_{name}_{self.stored.id if self.stored else self.target.kind}"


def draw_kinds(*, on_choose: Callable[[str], None]) -> None:
    """Draw one card for each kind of destination; `on_choose` is a callback with its name."""
    st.caption("Choose the kind of place that events should go to.")
    grid = st.grid(3, min_column_width=260, gap="medium")
    for target in all_targets():
        with grid.container(border=True, height="stretch"):
            st.markdown(f"**{target.label}**")
            st.caption(plain(target.url_help))
            st.button(
                f"Add {target.label}",
                key=f"webhooks_choose_{target.kind}",
                on_click=on_choose,
                args=(target.kind,),
            )


def draw_add_form(hub: Hub, user: Actor, target: Target) -> None:
    """Draw the form of a new destination; saving it opens the destination."""
    form = _Form(hub, user, target)
    _draw_choice(form)
    with st.form(form.key("form"), enter_to_submit=False):
        _draw_fields(form, name=target.label)
        st.form_submit_button(
            "Save destination", key=form.key("save"), type="primary", on_click=_add, args=(form,)
        )


def draw_edit_form(hub: Hub, user: Actor, item: DestinationView, target: Target) -> None:
    """Draw the form of a stored destination."""
    form = _Form(hub, user, target, item)
    _draw_choice(form)
    with st.form(form.key("form"), enter_to_submit=False):
        _draw_fields(form, name=item.name)
        st.form_submit_button(
            "Save changes", key=form.key("save"), type="primary", on_click=_update, args=(form,)
        )


def _draw_choice(form: _Form) -> None:
    """Draw what an action needs; outside the form, for the second box hangs on the first."""
    if not form.target.has_address:
        keys = (form.key("integration_id"), form.key("action"))
        draw_choice(form.hub, form.user, form.stored, page=PAGE, keys=keys)


def _draw_fields(form: _Form, *, name: str) -> None:
    fields = form.target.fields
    places = {"name", "url"} if form.target.has_address else {"name", "integration_id", "action"}
    draw_other_problem(PAGE, {*places, *_LIMITS, *(item.name for item in fields)})
    st.text_input("Name", value=name, key=form.key("name"), help="How lists call it.")
    draw_problem(PAGE, "name")
    if form.target.has_address:
        hints = {"help": form.target.url_help, "placeholder": "https://…"}
        _draw_box(form, "url", "Address", is_secret=True, hints=hints)
    for item in fields:
        _draw_field(form, item)
    with st.expander("Limits", expanded=has_problem(PAGE, _LIMITS)):
        _draw_limits(form)


def _draw_field(form: _Form, item: CredentialField) -> None:
    label = item.label if item.is_required else f"{item.label} (optional)"
    hints = {"help": item.help, "placeholder": item.placeholder}
    _draw_box(form, item.name, label, is_secret=item.is_secret, hints=hints)


def _draw_box(
    form: _Form, name: str, label: str, *, is_secret: bool, hints: Mapping[str, str]
) -> None:
    mask = form.stored.credentials.get(name) if form.stored else None
    st.text_input(
        label,
        type="password" if is_secret else "default",
        key=form.key(name),
        help=hints["help"],
        placeholder=f"{mask}  (leave blank to keep)" if mask else hints["placeholder"],
        autocomplete="new-password" if is_secret else "off",
    )
    draw_problem(PAGE, name)


def _draw_limits(form: _Form) -> None:
    stored = form.stored
    own = stored.own_rate if stored else None
    usual = form.target.rate_limit
    window = usual.per_five_minutes if usual else None
    st.number_input(
        "Requests per second",
        min_value=0.0,
        max_value=FASTEST,
        value=own.per_second if own else None,
        step=1.0,
        format="%g",
        key=form.key("per_second"),
        placeholder=f"usual: {usual.per_second:g}" if usual else "no limit",
        help="On average. Leave it blank for what suits this kind of destination.",
    )
    st.number_input(
        "Requests in any five minutes",
        min_value=1,
        max_value=MOST_IN_FIVE_MINUTES,
        value=own.per_five_minutes if own else None,
        key=form.key("per_five_minutes"),
        placeholder=f"usual: {window:,}" if window else "no limit",
        help="Needs a number of requests per second as well.",
    )
    draw_problem(PAGE, "rate_limit")
    st.number_input(
        "Requests at once",
        min_value=1,
        max_value=MOST_CONCURRENCY,
        value=stored.own_concurrency if stored else None,
        key=form.key("concurrency"),
        placeholder=f"usual: {form.target.concurrency}",
        help="How many may be under way at the same time.",
    )
    draw_problem(PAGE, "concurrency")
    if stored:
        st.caption(f"In force: {rate_words(stored.limits)}, {stored.limits.concurrency} at once.")


def _add(form: _Form) -> None:
    try:
        issued = destinations.add(form.hub, form.user, kind=form.target.kind, draft=_entered(form))
    except HubError as error:
        keep_problem(PAGE, error)
        return
    forget_problem(PAGE)
    _empty_secrets(form)
    remember_secret(
        issued.destination.id, issued.signing_secret, title="Signing secret", note=SIGNING_NOTE
    )
    st.query_params.pop(ADD, None)
    st.query_params[OPEN] = issued.destination.id


def _update(form: _Form) -> None:
    stored = form.stored.id if form.stored else ""
    try:
        destinations.update(form.hub, form.user, stored, draft=_entered(form))
    except HubError as error:
        keep_problem(PAGE, error)
        return
    forget_problem(PAGE)
    _empty_secrets(form)
    st.toast("Saved.", icon=":material/check_circle:")


def _empty_secrets(form: _Form) -> None:
    own = ("url",) if form.target.has_address else ()
    for name in (*own, *(item.name for item in form.target.fields)):
        st.session_state[form.key(name)] = ""


def _entered(form: _Form) -> DestinationDraft:
    def entered(name: str) -> Any:
        return st.session_state.get(form.key(name))

    return DestinationDraft(
        name=entered("name") or "",
        url=entered("url") or "",
        values={item.name: entered(item.name) or "" for item in form.target.fields},
        rate_limit=_rate(entered("per_second"), entered("per_five_minutes")),
        concurrency=entered("concurrency"),
        integration_id=entered("integration_id") or "",
        action=entered("action") or "",
    )


def _rate(per_second: float | None, window: int | None) -> Mapping[str, Any] | None:
    given = {"per_second": per_second, "per_five_minutes": window}
    return {name: value for name, value in given.items() if value is not None} or None
