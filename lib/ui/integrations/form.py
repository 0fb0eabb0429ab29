"""The form of a connection, drawn from what its provider asks for.

A stored secret never reaches it: a blank password box stands for "keep what is there".
"""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from lib.access import Actor
from lib.connections import integrations
from lib.connections.first_values import first_values, offered_secrets, with_offered_secrets
from lib.connections.integrations import Integration
from lib.errors import HubError, InvalidInput
from lib.hub import Hub
from lib.providers.base import Provider
from lib.providers.fields import CredentialField, find_problems
from lib.ui.issued_secret import remember_secret

OPEN = "open"
ADD = "add"
_PROBLEM = "integrations_problem"


@dataclass(frozen=True)
class _Form:
    """What one drawing of the form works with."""

    hub: Hub
    user: Actor
    provider: Provider
    stored: Integration | None = None

    def key(self, name: str) -> str:
        owner = self.stored.id if self.stored else self.provider.slug
        return f"integrations_{name}_{owner}"


def draw_add_form(hub: Hub, user: Actor, provider: Provider) -> None:
    """Draw the form of a new connection; saving it opens the connection."""
    form = _Form(hub, user, provider)
    with st.form(form.key("form"), enter_to_submit=False):
        _draw_fields(form, name=provider.label, first=first_values(user, provider))
        st.form_submit_button(
            "Save and show the address",
            key=form.key("save"),
            type="primary",
            on_click=_add,
            args=(form,),
        )


def draw_edit_form(hub: Hub, user: Actor, item: Integration, provider: Provider) -> None:
    """Draw the form of a stored connection."""
    form = _Form(hub, user, provider, item)
    with st.form(form.key("form"), enter_to_submit=False):
        _draw_fields(form, name=item.name, first=item.config_data)
        st.form_submit_button(
            "Save changes", key=form.key("save"), type="primary", on_click=_update, args=(form,)
        )


def forget_problem() -> None:
    """Forget the error of a form that was left."""
    st.session_state.pop(_PROBLEM, None)


def _draw_fields(form: _Form, *, name: str, first: Mapping[str, str]) -> None:
    problems: Mapping[str, str] = st.session_state.get(_PROBLEM, {})
    drawn = {item.name for item in form.provider.fields} | {"name"}
    for field in problems.keys() - drawn:
        _draw_problem(problems, field)
    st.text_input("Name", value=name, key=form.key("name"), help="How lists call it.")
    _draw_problem(problems, "name")
    ordered = sorted(form.provider.fields, key=lambda item: not item.is_required)
    for item in ordered:
        if item.is_required:
            _draw_field(form, item, first.get(item.name, ""), problems)
    optional = {item.name for item in ordered if not item.is_required}
    if not optional:
        return
    with st.expander("Optional settings", expanded=bool(problems.keys() & optional)):
        for item in ordered:
            if not item.is_required:
                _draw_field(form, item, first.get(item.name, ""), problems)


def _draw_field(
    form: _Form, item: CredentialField, first: str, problems: Mapping[str, str]
) -> None:
    label = item.label if item.is_required else f"{item.label} (optional)"
    if item.is_secret:
        _draw_secret(form, item, label)
    else:
        draw = st.text_area if item.is_long else st.text_input
        draw(
            label,
            value=first,
            key=form.key(item.name),
            help=item.help,
            placeholder=item.placeholder,
        )
    _draw_problem(problems, item.name)


def _draw_secret(form: _Form, item: CredentialField, label: str) -> None:
    mask = form.stored.credentials.get(item.name) if form.stored else None
    hint = item.placeholder
    if mask:
        hint = f"{mask}  (leave blank to keep)"
    elif item.name == form.provider.issued_field and form.stored is None:
        hint = "Leave blank and the hub issues one"
    st.text_input(
        label,
        type="password",
        key=form.key(item.name),
        help=item.help,
        placeholder=hint,
        autocomplete="new-password",
    )
    offers = {} if form.stored else offered_secrets(form.user, form.provider)
    if item.name in offers:
        st.checkbox(f"Use {offers[item.name]} of this server", key=form.key(f"use_{item.name}"))


def _draw_problem(problems: Mapping[str, str], field: str) -> None:
    if field in problems:
        st.error(problems[field], icon=":material/error:")


def _add(form: _Form) -> None:
    name, values = _entered(form)
    chosen = [
        item.name
        for item in form.provider.fields
        if st.session_state.get(form.key(f"use_{item.name}"))
    ]
    try:
        issued = integrations.add(
            form.hub,
            form.user,
            service_name=form.provider.slug,
            name=name,
            values=with_offered_secrets(form.user, form.provider, values=values, chosen=chosen),
        )
    except HubError as error:
        found = find_problems(form.provider.fields, values)
        # One that the server holds is no missing one.
        _keep_problems(error, {name: found[name] for name in found if name not in chosen})
        return
    forget_problem()
    remember_secret(
        issued.integration.id,
        issued.inbound_secret,
        title="Inbound secret",
        note=form.provider.signature_note,
    )
    st.query_params.pop(ADD, None)
    st.query_params[OPEN] = issued.integration.id


def _update(form: _Form) -> None:
    name, values = _entered(form)
    stored = form.stored.id if form.stored else ""
    try:
        integrations.update(form.hub, form.user, stored, name=name, values=values)
    except HubError as error:
        found = find_problems(form.provider.fields, values)
        # A blank one is kept.
        _keep_problems(error, {name: found[name] for name in found if values[name].strip()})
        return
    forget_problem()
    for item in form.provider.fields:
        if item.is_secret:
            st.session_state[form.key(item.name)] = ""
    st.toast("Saved.", icon=":material/check_circle:")


def _entered(form: _Form) -> tuple[str, dict[str, str]]:
    values = {
        item.name: st.session_state.get(form.key(item.name)) or "" for item in form.provider.fields
    }
    return st.session_state.get(form.key("name")) or "", values


def _keep_problems(error: HubError, others: Mapping[str, str]) -> None:
    field = error.field if isinstance(error, InvalidInput) else ""
    st.session_state[_PROBLEM] = {**others, field: error.message}
