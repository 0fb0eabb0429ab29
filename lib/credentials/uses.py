"""When each credential was used last; reads a few newest rows by index, whatever there is."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session, col, select

from lib.credentials.rows import Credential, Kind
from lib.intake.endpoints import PREVIOUS_SECRET, SECRET_FACT
from lib.models import ApiCall, AuditEntry, Delivery, WebhookEvent

# How far back a use is looked for: further, it is told as none.
_LOOKED_AT = 25
_DONE = ("delivered", "accepted", "dead", "retrying")


def with_uses(session: Session, rows: Sequence[Credential]) -> list[Credential]:
    """Return the rows with their last use, and a destination's with its last test."""
    known: dict[str, list[Credential]] = {}
    for row in rows:
        known.setdefault(row.object_id, []).append(row)
    found: dict[str, Credential] = {}
    for object_id, own in known.items():
        used = (_of_destination if own[0].is_destination else _of_integration)(
            session, object_id, own
        )
        found |= {row.key: row for row in used}
    return [found[row.key] for row in rows]


def _of_integration(session: Session, object_id: str, own: list[Credential]) -> list[Credential]:
    called_at = session.exec(
        select(col(ApiCall.created_at))
        .where(col(ApiCall.integration_id) == object_id)
        .order_by(col(ApiCall.id).desc())
        .limit(1)
    ).first()
    events = session.exec(
        select(col(WebhookEvent.created_at), col(WebhookEvent.verification))
        .where(col(WebhookEvent.integration_id) == object_id)
        .order_by(col(WebhookEvent.id).desc())
        .limit(_LOOKED_AT)
    ).all()
    proofs = [(at, _read(text)) for at, text in events]
    return [_with_use(row, called_at, proofs) for row in own]


def _with_use(
    row: Credential, called_at: datetime | None, proofs: list[tuple[datetime, dict[str, str]]]
) -> Credential:
    if not row.is_set:
        return row
    times = [
        at
        for at, proof in proofs
        if row.kind is Kind.ADDRESS
        or (proof.get("key") in _names(row.field) and proof.get(SECRET_FACT) != PREVIOUS_SECRET)
    ]
    if row.calls and called_at is not None:
        times.append(called_at)
    return replace(row, last_used_at=max(times, default=None))


def _names(field: str) -> tuple[str, ...]:
    """Return what a verification may call the key that is kept in a field."""
    return field, field.removesuffix("_secret")


def _read(text: str) -> dict[str, str]:
    proof = json.loads(text)
    return proof if isinstance(proof, dict) else {}


def _of_destination(session: Session, object_id: str, own: list[Credential]) -> list[Credential]:
    sent_at = session.exec(
        select(col(Delivery.finished_at), col(Delivery.created_at), col(Delivery.status))
        .where(col(Delivery.destination_id) == object_id)
        .order_by(col(Delivery.id).desc())
        .limit(_LOOKED_AT)
    ).all()
    used_at = max((done or made for done, made, status in sent_at if status in _DONE), default=None)
    test = session.exec(
        select(AuditEntry)
        .where(
            col(AuditEntry.object_id) == object_id,
            col(AuditEntry.action) == "destination.tested",
        )
        .order_by(col(AuditEntry.id).desc())
        .limit(1)
    ).first()
    return [_with_test(replace(row, last_used_at=used_at), test) for row in own if row.is_set] + [
        row for row in own if not row.is_set
    ]


# How a delivery's outcome is told in the words of a check.
_OUTCOMES = {"delivered": "verified", "accepted": "accepted"}


def _with_test(row: Credential, test: AuditEntry | None) -> Credential:
    if test is None or (row.set_at and test.created_at < row.set_at):
        return row
    outcome = _OUTCOMES.get(str(test.details.get("outcome")), "failed")
    return replace(row, outcome=outcome, checked_at=test.created_at)
