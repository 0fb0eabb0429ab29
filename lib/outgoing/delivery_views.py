"""What users see of deliveries and attempts; knows which role sees which part, and no query."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lib.access import Actor
from lib.errors import InvalidInput
from lib.masking import HIDDEN
from lib.models import Delivery, DeliveryAttempt, Destination, WebhookEvent
from lib.outgoing.attempt import Job, render_body
from lib.outgoing.delivery_filters import QUEUED
from lib.outgoing.envelope import build_envelope, facts_of
from lib.outgoing.exchange import KEPT_BODY_BYTES, Secrets, Timings
from lib.providers.registry import get_target


@dataclass(frozen=True)
class DeliveryRow:
    """One delivery in a list; `status` is paused where its destination takes nothing now."""

    id: str
    event_id: str
    destination_id: str
    destination_name: str
    integration_id: str
    service_name: str
    event_type: str
    status: str
    attempts: int
    next_attempt_at: datetime | None
    response_status: int | None
    error_class: str | None
    last_error: str | None
    issue_id: str | None
    origin_id: str | None
    replay_id: str | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether the delivery has not ended yet."""
        return self.status in (*QUEUED, "sending", "paused")


@dataclass(frozen=True)
class AttemptLine:
    """One attempt in a timeline."""

    number: int
    outcome: str
    response_status: int | None
    total_ms: float
    error_class: str | None
    error: str | None
    created_at: datetime


@dataclass(frozen=True)
class AttemptDetail:
    """One attempt in full; the request's headers are redacted as they were stored."""

    line: AttemptLine
    request_headers: Mapping[str, str]
    request_bytes: int
    response_headers: Mapping[str, str]
    response_body: str
    timings: Timings
    remote_address: str | None


@dataclass(frozen=True)
class TrackedDelivery:
    """One delivery of an event with its attempts in their order."""

    row: DeliveryRow
    attempts: tuple[AttemptLine, ...]


@dataclass(frozen=True)
class DeliveryDetail:
    """One delivery in full.

    `body` is rendered again from the event and the mapping, its first 16 KB; None where that
    is not possible any more. `body_note` says what of it is missing and why.
    """

    row: DeliveryRow
    mapping: str | None
    attempts: tuple[AttemptDetail, ...]
    body: str | None
    body_note: str | None
    kind: str = ""
    url_host: str = ""


def view_delivery(delivery: Delivery, destination: Destination, actor: Actor) -> DeliveryRow:
    """Return what `actor` sees of a delivery in a list."""
    return DeliveryRow(
        id=delivery.id,
        event_id=delivery.event_id,
        destination_id=delivery.destination_id,
        destination_name=destination.name,
        integration_id=delivery.integration_id,
        service_name=delivery.service_name,
        event_type=delivery.event_type,
        status=_shown_status(delivery, destination),
        attempts=delivery.attempts,
        next_attempt_at=delivery.next_attempt_at,
        response_status=delivery.response_status,
        error_class=delivery.error_class,
        last_error=_hide(delivery.last_error, actor),
        issue_id=delivery.issue_id,
        origin_id=delivery.origin_id,
        replay_id=delivery.replay_id,
        created_at=delivery.created_at,
        finished_at=delivery.finished_at,
    )


def view_line(attempt: DeliveryAttempt, actor: Actor) -> AttemptLine:
    """Return what `actor` sees of an attempt in a timeline."""
    return AttemptLine(
        number=attempt.number,
        outcome=attempt.outcome,
        response_status=attempt.response_status,
        total_ms=attempt.total_ms,
        error_class=attempt.error_class,
        error=_hide(attempt.error, actor),
        created_at=attempt.created_at,
    )


def view_mapping(delivery: Delivery, actor: Actor) -> str | None:
    """Return the mapping; its literals may name people, so an analyst sees that there is one."""
    return _hide(delivery.mapping, actor)


def view_attempt(attempt: DeliveryAttempt, actor: Actor) -> AttemptDetail:
    """Return an attempt in full; an analyst sees names, sizes and times alone."""
    sent = json.loads(attempt.request_headers)
    received = json.loads(attempt.response_headers)
    body = attempt.response_body.decode("utf-8", "replace")
    return AttemptDetail(
        line=view_line(attempt, actor),
        request_headers=dict.fromkeys(sent, HIDDEN) if actor.sees_masked else sent,
        request_bytes=attempt.request_bytes,
        response_headers=dict.fromkeys(received, HIDDEN) if actor.sees_masked else received,
        response_body=_hide(body, actor) or "",
        timings=Timings(
            total_ms=attempt.total_ms,
            dns_ms=attempt.dns_ms,
            connect_ms=attempt.connect_ms,
            tls_ms=attempt.tls_ms,
            first_byte_ms=attempt.first_byte_ms,
        ),
        remote_address=_hide(attempt.remote_address, actor),
    )


def view_body(
    delivery: Delivery, destination: Destination, event: WebhookEvent, *, actor: Actor
) -> tuple[str | None, str | None]:
    """Return the body as it was or would be sent, and a note on what of it is missing."""
    if event.payload_removed_at is not None:
        return None, (
            f"The event's payload was removed on {event.payload_removed_at:%Y-%m-%d}, as the "
            "integration's retention asks for. The attempts are kept."
        )
    if actor.sees_masked:
        return HIDDEN, None
    try:
        body = render_body(_job_without_secrets(delivery, destination, event))
    except InvalidInput as error:
        return None, error.message
    cut = f"The first {KEPT_BODY_BYTES:,} of {len(body):,} bytes."
    text = body[:KEPT_BODY_BYTES].decode("utf-8", "replace")
    return text, cut if len(body) > KEPT_BODY_BYTES else None


def _job_without_secrets(delivery: Delivery, destination: Destination, event: WebhookEvent) -> Job:
    # The body holds none of the secrets, so nothing is opened to look at it.
    return Job(
        delivery_id=delivery.id,
        target=get_target(destination.kind),
        secrets=Secrets(url="", signing=()),
        document=build_envelope(facts_of(event)),
        mapping=delivery.mapping,
    )


def _shown_status(delivery: Delivery, destination: Destination) -> str:
    is_held = not destination.is_active or destination.disabled_at is not None
    return "paused" if is_held and delivery.status in QUEUED else delivery.status


def _hide(text: str | None, actor: Actor) -> str | None:
    return HIDDEN if text and actor.sees_masked else text
