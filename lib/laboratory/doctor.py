"""The signature doctor: why a refused request did not pass, and the fix in one step.

Members examine their own, staff all, analysts none. Secrets are compared here and never shown.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor
from lib.clock import now
from lib.connections import integrations
from lib.errors import InvalidInput, SecretUnreadable
from lib.hub import Hub
from lib.intake.drafts import MOST_CALLED
from lib.intake.rejections import Rejection, get_rejection
from lib.models import IntegrationConfig, RejectedRequest
from lib.providers.base import InboundRequest
from lib.providers.diagnosis import Circumstances, Diagnosis, Neighbour, Remedy
from lib.providers.registry import get_provider
from lib.vault.row_secrets import MASK, ages, keep_values, open_values

_MOST_NEIGHBOURS = 50
# A reason that is no matter of proof, and what to say of it.
_OTHER_REASONS = {
    "too_large": "The body was too large, so it was not read and there is nothing to examine.",
    "malformed": "The proof was right; the body could not be read. Look at the message above.",
}
# Stands for a value that a person typed, among the integrations that are compared.
_ENTERED = "entered"


@dataclass(frozen=True)
class Report:
    """What the doctor says about one request; `diagnosis` is None where `unexamined` says why.

    `secret_set_at` is when the secret was entered that the request was compared with.
    """

    rejection: Rejection
    diagnosis: Diagnosis | None
    unexamined: str | None
    secret_set_at: datetime | None = None


@dataclass(frozen=True, repr=False)
class _Patient:
    rejection: Rejection
    row: IntegrationConfig
    values: dict[str, str]
    request: InboundRequest
    case: Circumstances

    def diagnose(self, *more: Neighbour) -> Diagnosis:
        case = replace(self.case, neighbours=(*more, *self.case.neighbours))
        return get_provider(self.row.service_name).diagnose(self.request, self.values, case)


def examine(hub: Hub, actor: Actor, rejection_id: str) -> Report:
    """Return what would have made a refused request pass; raise NotFound or NotAllowed."""
    rejection = get_rejection(hub, actor, rejection_id)
    try:
        patient = _admit(hub, actor, rejection)
    except (InvalidInput, SecretUnreadable) as error:
        return Report(rejection, None, error.message)
    field = get_provider(rejection.service_name).signing_field
    return Report(rejection, patient.diagnose(), None, ages(patient.row).get(field))


def apply_remedy(hub: Hub, actor: Actor, rejection_id: str, remedy: Remedy) -> None:
    """Do what the doctor proposed for this request: take a secret over, or clear fields.

    Raises InvalidInput when the doctor does not propose it (any more), or a person must do it.
    """
    patient = _admit(hub, actor, get_rejection(hub, actor, rejection_id))
    if remedy not in [finding.remedy for finding in patient.diagnose().findings]:
        raise InvalidInput(
            "This is no longer what helps. Examine the request again.", field="remedy"
        )
    if remedy.kind == "take_secret":
        source = next(each for each in patient.case.neighbours if each.id == remedy.integration_id)
        changes = {remedy.field: source.values[remedy.field]}
    elif remedy.kind == "clear_fields":
        changes = dict.fromkeys(remedy.field.split(","), "")
    else:
        raise InvalidInput(
            "The hub cannot do this by itself. Follow the sentence of the finding.", field="remedy"
        )
    _change(hub, actor, patient, changes, remedy=remedy.kind)


def enter_value(hub: Hub, actor: Actor, rejection_id: str, *, field: str, text: str) -> None:
    """Keep a value that a person typed, if this very request passes with it.

    Raises InvalidInput(field) when it does not, so that a wrong copy is noticed at once.
    """
    patient = _admit(hub, actor, get_rejection(hub, actor, rejection_id))
    cleaned = text.strip()
    if not cleaned:
        raise InvalidInput("Enter the value that the sender uses.", field=field)
    provider = get_provider(patient.row.service_name)
    values = provider.validate({**patient.values, field: cleaned}, hub.settings)
    entered = Neighbour(_ENTERED, "what you entered", patient.row.webhook_url, values)
    # What helps by itself has one finding; with a second cause the value is right all the same.
    found = patient.diagnose(entered).findings
    if not any(finding.remedy.integration_id == _ENTERED for finding in found):
        raise InvalidInput(
            "The request does not pass with this value either. Copy it again from where the "
            "sender keeps it.",
            field=field,
        )
    _change(hub, actor, patient, {field: cleaned}, remedy="enter_value")


def _admit(hub: Hub, actor: Actor, rejection: Rejection) -> _Patient:
    """Return everything about a request; raise InvalidInput where it cannot be examined."""
    if rejection.reason in _OTHER_REASONS:
        raise InvalidInput(_OTHER_REASONS[rejection.reason], field="reason")
    with hub.database.read() as session:
        stored = session.get(RejectedRequest, rejection.id)
        row = session.get(IntegrationConfig, rejection.integration_id)
        if row is None or stored is None or row.deleted_at is not None:
            raise InvalidInput(
                "The integration is removed, and its secrets with it. There is nothing to compare "
                "with.",
                field="integration_id",
            )
        neighbours = _neighbours(session, hub, row)
    if len(stored.body) < stored.body_bytes:
        raise InvalidInput(
            f"Only the first {len(stored.body):,} of {stored.body_bytes:,} bytes were kept, and a "
            "signature covers all of them. Let the sender send a smaller one.",
            field="body",
        )
    facts = json.loads(stored.facts)
    request, is_old = _rebuild(hub, row, stored, called=facts.get("called", ""))
    case = Circumstances(
        settings=hub.settings,
        received_at=stored.created_at,
        reason=stored.reason,
        facts=facts,
        neighbours=neighbours,
        is_old_address=is_old,
        changed=frozenset(name for name, at in ages(row).items() if at > stored.created_at),
    )
    return _Patient(rejection, row, open_values(hub.vault, row), request, case)


def _neighbours(session: Session, hub: Hub, row: IntegrationConfig) -> tuple[Neighbour, ...]:
    query = (
        select(IntegrationConfig)
        .where(col(IntegrationConfig.user_id) == row.user_id)
        .where(col(IntegrationConfig.service_name) == row.service_name)
        .where(col(IntegrationConfig.id) != row.id)
        .where(col(IntegrationConfig.deleted_at).is_(None))
        .order_by(col(IntegrationConfig.id).desc())
        .limit(_MOST_NEIGHBOURS)
    )
    found = []
    for other in session.exec(query):
        try:
            values = open_values(hub.vault, other)
        except SecretUnreadable:
            continue
        found.append(Neighbour(other.id, other.name, _address(hub, other), values))
    return tuple(found)


def _rebuild(
    hub: Hub, row: IntegrationConfig, stored: RejectedRequest, *, called: str
) -> tuple[InboundRequest, bool]:
    """Return the request as the receiver saw it, and whether its address was rotated away."""
    if len(called) >= MOST_CALLED:
        raise InvalidInput(
            "The query was too long to be kept whole, and the signature covers all of it.",
            field="called",
        )
    path, mark, query = called.partition("?")
    address = _address(hub, row)
    shown = path.rpartition("/")[2]
    is_old = shown.startswith(MASK) and shown.removeprefix(MASK) != address[-4:]
    is_shared = bool(path) and not shown.startswith(MASK)
    url = (address.rpartition("/")[0] if is_shared else address) + mark + query
    headers: dict[str, str] = {"content-type": stored.content_type, **json.loads(stored.headers)}
    return InboundRequest(stored.method, url, query, headers, stored.body), is_old


def _address(hub: Hub, row: IntegrationConfig) -> str:
    return hub.settings.public_url + row.webhook_url[row.webhook_url.index("/api/") :]


def _change(
    hub: Hub, actor: Actor, patient: _Patient, changes: dict[str, str], *, remedy: str
) -> None:
    with hub.database.write() as session:
        row = integrations.owned_row(session, actor, patient.row.id)
        provider = get_provider(row.service_name)
        values = {**open_values(hub.vault, row), **changes}
        keep_values(hub.vault, row, provider, provider.validate(values, hub.settings))
        row.status, row.status_message = "untested", "Changed since the last test."
        row.updated_at = now()
        integrations.bump_revision(session)
        audit.record(
            session,
            actor,
            "doctor.applied",
            row.id,
            remedy=remedy,
            fields=", ".join(changes),
            rejection=patient.rejection.id,
        )
