"""The signature doctor on the screen: findings in words, the fix beside each, what was tried."""

from typing import Any

import streamlit as st

from lib.access import Actor, Role
from lib.hub import Hub
from lib.intake.rejections import Rejection
from lib.laboratory import acceptance, doctor
from lib.providers.base import Provider
from lib.providers.diagnosis import Check, Finding
from lib.providers.registry import get_provider
from lib.ui.errors import stopping_on_error
from lib.ui.formats import absolute, ago, counted, plain, service_chip
from lib.ui.links import draw_link
from lib.ui.rejected.rejection_evidence import draw_evidence
from lib.ui.telling import do_and_tell, show_told

PARAMETER = "examine"
_COLUMNS: dict[str, Any] = {
    "tried": st.column_config.TextColumn("Tried", width="large"),
    "fits": st.column_config.CheckboxColumn("Fits", width="small"),
}
_GOOD_NEWS = frozenset({"mended"})


def open_examination(rejection_id: str) -> None:
    """Ask for the drawer of one refused request; a callback."""
    st.query_params[PARAMETER] = rejection_id


def close_examination() -> None:
    """Forget the open request; a callback."""
    st.query_params.pop(PARAMETER, None)


@st.dialog("Signature doctor", width="medium", position="right", on_dismiss=close_examination)
def draw_examination(hub: Hub, user: Actor, rejection_id: str) -> None:
    """Draw the drawer of one refused request."""
    draw_evidence(draw_doctor(hub, user, rejection_id, page="rejected"))


def draw_doctor(hub: Hub, user: Actor, rejection_id: str, *, page: str) -> Rejection:
    """Draw why a refused request did not pass, and what mends it; return the request.

    `page` begins the keys.
    """
    show_told()
    with stopping_on_error():
        report = doctor.examine(hub, user, rejection_id)
    _draw_head(report)
    if report.diagnosis is None:
        st.info(report.unexamined or "", icon=":material/help:")
    else:
        for number, finding in enumerate(report.diagnosis.findings):
            _draw_finding(hub, user, report.rejection, finding, key=f"{page}_finding_{number}")
        _draw_checks(report.diagnosis.checks, key=f"{page}_checks")
    if user.role is Role.STAFF:
        _draw_acceptance(hub, user, rejection_id, page=page)
    return report.rejection


def _draw_head(report: doctor.Report) -> None:
    row = report.rejection
    st.markdown(
        f"{service_chip(row.service_name)} :red-badge[{plain(row.reason.replace('_', ' '))}] "
        f"**{plain(row.integration_name)}**"
    )
    age = f" · secret set {ago(report.secret_set_at)}" if report.secret_set_at else ""
    st.caption(
        f"Refused {ago(row.created_at)}, from {plain(row.source_ip)}{age}",
        help=absolute(row.created_at),
    )


def _draw_finding(hub: Hub, user: Actor, row: Rejection, finding: Finding, *, key: str) -> None:
    draw = st.success if finding.cause in _GOOD_NEWS else st.warning
    draw(plain(finding.message), icon=":material/stethoscope:")
    remedy = finding.remedy
    if remedy.kind in ("take_secret", "clear_fields"):
        label = "Take it over" if remedy.kind == "take_secret" else "Clear it here"

        def apply() -> str:
            doctor.apply_remedy(hub, user, row.id, remedy)
            return "Done. Let the sender send it again."

        st.button(label, key=f"{key}_apply", type="primary", on_click=do_and_tell, args=(apply,))
    elif remedy.kind == "enter_value":
        _draw_entry(hub, user, row, remedy.field, key=key)
    elif remedy.kind == "set_public_url":
        _draw_public_url(user, remedy.text)
    elif remedy.kind == "use_address":
        draw_link(
            "integrations",
            "Open that integration",
            query={"open": remedy.integration_id},
            icon=":material/cable:",
        )


def _draw_entry(hub: Hub, user: Actor, row: Rejection, field: str, *, key: str) -> None:
    provider = get_provider(row.service_name)
    known = next(item for item in provider.fields if item.name == field)
    box = f"{key}_entered_{row.id}"

    def keep() -> str:
        text = st.session_state.get(box) or ""
        # Set and not dropped, so that the browser's box is emptied too.
        st.session_state[box] = ""
        doctor.enter_value(hub, user, row.id, field=field, text=text)
        return f"{_label(provider, field)} is right and kept. Let the sender send it again."

    with st.form(f"{key}_form", border=False, enter_to_submit=False):
        st.text_input(
            known.label,
            type="password" if known.is_secret else "default",
            key=box,
            help="It is kept only if this very request passes with it.",
            autocomplete="new-password" if known.is_secret else "off",
        )
        st.form_submit_button(
            "Check and keep", key=f"{key}_keep", on_click=do_and_tell, args=(keep,)
        )


def _label(provider: Provider, field: str) -> str:
    return next(item.label for item in provider.fields if item.name == field)


def _draw_public_url(user: Actor, url: str) -> None:
    if user.role is not Role.STAFF:
        st.caption("Only an operator can set it: show this to staff.")
        return
    st.code(f"HUB_PUBLIC_URL={url}", language=None)
    st.caption("Set it in the environment of the receiver and the dashboard, then restart both.")


def _draw_checks(checks: tuple[Check, ...], *, key: str) -> None:
    if not checks:
        return
    with st.expander(f"What was tried: {counted(len(checks), 'thing')}"):
        # What fits comes first, for the table is long.
        ordered = sorted(checks, key=lambda check: not check.matched)
        st.dataframe(
            [{"tried": check.tried, "fits": check.matched} for check in ordered],
            key=key,
            hide_index=True,
            alt=f"{counted(len(checks), 'thing')} that were tried, and which of them fit.",
            column_config=_COLUMNS,
        )


def _draw_acceptance(hub: Hub, user: Actor, rejection_id: str, *, page: str) -> None:
    def accept() -> str:
        stored = acceptance.accept_once(hub, user, rejection_id)
        return "The hub has this event already." if stored.is_duplicate else "It is an event now."

    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            "Staff can vouch for this one request. It becomes an event that says so, and is put "
            "on record.",
            width="stretch",
        )
        st.button("Accept once", key=f"{page}_accept", on_click=do_and_tell, args=(accept,))
