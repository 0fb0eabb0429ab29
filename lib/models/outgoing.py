"""What goes onwards: destinations, routes to them, deliveries, attempts, and what went wrong."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field

from lib.models.registry import Base

_DEAD = text("status = 'dead'")
_RETRYING = text("status = 'retrying'")
_QUEUED = text("next_attempt_at IS NOT NULL")
_LEASED = text("lease_until IS NOT NULL")
_IN_ISSUE = text("issue_id IS NOT NULL")


class Destination(Base, table=True):
    """A place that events are sent to.

    `kind` names a target that a provider declares. `credentials` holds the address and the
    signing secrets as `{"sealed", "last4", "set_at"}`, for a hook address is a secret;
    `url_host` is the part of it that may be shown. `config_data` holds the limits:
    `rate_limit` and `concurrency`. `is_active` is False while a person has paused it;
    `disabled_at` is set when the other side answered 410. Both keep what arrives queued. A removed
    destination keeps its row, without credentials, so that its deliveries still have a name.
    """

    __tablename__ = "destinations"
    __table_args__ = (Index("ix_destinations_user_id_name", "user_id", "name"),)

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", ondelete="RESTRICT")
    name: str
    kind: str
    url_host: str
    config_data: dict[str, Any] = Field(sa_type=JSON)
    credentials: dict[str, Any] = Field(sa_type=JSON)
    previous_secret_expires_at: datetime | None = None
    is_active: bool
    disabled_at: datetime | None = None
    disabled_reason: str | None = None
    deleted_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


class DestinationState(Base, table=True):
    """How a destination fares: its circuit breaker and its rate budget.

    Workers lock this row while they claim for the destination, so limits hold across all of
    them. `breaker` is closed, open or half_open; nothing is sent before `blocked_until`.
    """

    __tablename__ = "destination_states"

    destination_id: str = Field(primary_key=True, foreign_key="destinations.id", ondelete="CASCADE")
    breaker: str
    failures_in_row: int
    times_opened: int
    blocked_until: datetime | None = None
    tokens: float
    refilled_at: datetime
    window_started_at: datetime
    window_count: int


class Route(Base, table=True):
    """Which events of an integration go to a destination, and in what shape.

    `event_types` is a list of names, `["*"]` for all; `filters` a list of
    `{"path", "operator", "value"}` that must all hold; `mapping` one JMESPath expression
    over the envelope, None to send the envelope itself.
    """

    __tablename__ = "routes"
    __table_args__ = (
        Index("ix_routes_user_id_id", "user_id", "id"),
        Index("ix_routes_integration_id", "integration_id"),
        Index("ix_routes_destination_id", "destination_id"),
    )

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", ondelete="RESTRICT")
    integration_id: str = Field(foreign_key="integration_configs.id", ondelete="RESTRICT")
    destination_id: str = Field(foreign_key="destinations.id", ondelete="RESTRICT")
    name: str
    event_types: list[str] = Field(sa_type=JSON)
    filters: list[dict[str, Any]] = Field(sa_type=JSON)
    mapping: str | None = Field(default=None, sa_type=Text)
    is_active: bool
    deleted_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


class Delivery(Base, table=True):
    """One event on its way to one destination.

    `status` is pending, sending, retrying, delivered, accepted, dead or cancelled; lists show
    a queued delivery of a paused or disabled destination as paused. `next_attempt_at` is set
    exactly while it is queued (pending, retrying), `lease_id` and `lease_until` exactly while
    it is being sent. `mapping` is the route's at the time of routing, so that every attempt
    sends the same bytes. `origin_id` is the delivery that this one replays.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_user_id_id", "user_id", "id"),
        Index("ix_deliveries_destination_id_id", "destination_id", "id"),
        Index("ix_deliveries_event_id", "event_id"),
        Index("ix_deliveries_dead_id", "id", sqlite_where=_DEAD, postgresql_where=_DEAD),
        Index(
            "ix_deliveries_dead_event_id", "event_id", sqlite_where=_DEAD, postgresql_where=_DEAD
        ),
        Index(
            "ix_deliveries_retrying_event_id",
            "event_id",
            sqlite_where=_RETRYING,
            postgresql_where=_RETRYING,
        ),
        Index(
            "ix_deliveries_queue",
            "destination_id",
            "next_attempt_at",
            "id",
            sqlite_where=_QUEUED,
            postgresql_where=_QUEUED,
        ),
        Index(
            "ix_deliveries_leased",
            "destination_id",
            "lease_until",
            sqlite_where=_LEASED,
            postgresql_where=_LEASED,
        ),
        Index(
            "ix_deliveries_issue_id_id",
            "issue_id",
            "id",
            sqlite_where=_IN_ISSUE,
            postgresql_where=_IN_ISSUE,
        ),
    )

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", ondelete="RESTRICT")
    event_id: str = Field(foreign_key="webhook_events.id", ondelete="CASCADE")
    destination_id: str = Field(foreign_key="destinations.id", ondelete="RESTRICT")
    route_id: str | None = Field(default=None, foreign_key="routes.id", ondelete="RESTRICT")
    integration_id: str
    service_name: str
    event_type: str
    mapping: str | None = Field(default=None, sa_type=Text)
    status: str
    attempts: int
    next_attempt_at: datetime | None = None
    lease_id: str | None = None
    lease_until: datetime | None = None
    response_status: int | None = None
    error_class: str | None = None
    last_error: str | None = None
    issue_id: str | None = None
    origin_id: str | None = None
    replay_id: str | None = None
    created_at: datetime
    finished_at: datetime | None = None


class DeliveryAttempt(Base, table=True):
    """One request of a delivery and what came of it.

    `outcome` is delivered, accepted, retry or dead. `request_headers` and
    `response_headers` are redacted JSON texts; `response_body` is the first 16 KB. Times in
    milliseconds are None for steps that did not happen, as on a kept connection.
    """

    __tablename__ = "delivery_attempts"
    __table_args__ = (
        Index("ix_delivery_attempts_delivery_id_id", "delivery_id", "id"),
        Index("ix_delivery_attempts_integration_id_id", "integration_id", "id"),
    )

    id: str = Field(primary_key=True)
    delivery_id: str = Field(foreign_key="deliveries.id", ondelete="CASCADE")
    integration_id: str
    number: int
    outcome: str
    request_headers: str = Field(sa_type=Text)
    request_bytes: int
    response_status: int | None = None
    response_headers: str = Field(sa_type=Text)
    response_body: bytes = Field(sa_type=LargeBinary)
    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    total_ms: float
    remote_address: str | None = None
    error_class: str | None = None
    error: str | None = None
    created_at: datetime


class Issue(Base, table=True):
    """Dead letters of one destination that died of the same cause.

    `message` has ids and numbers taken out, so that equal causes meet. `state` is open,
    acknowledged, resolved or ignored; a resolved one opens again with the next dead letter.
    Nobody is told of it while `muted_until` is ahead.
    """

    __tablename__ = "issues"
    __table_args__ = (
        UniqueConstraint("destination_id", "error_class", "message"),
        Index("ix_issues_user_id_state", "user_id", "state"),
    )

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", ondelete="RESTRICT")
    destination_id: str = Field(foreign_key="destinations.id", ondelete="CASCADE")
    error_class: str
    message: str
    state: str
    count: int
    note: str
    assignee_id: str | None = None
    muted_until: datetime | None = None
    first_seen_at: datetime
    last_seen_at: datetime


class DeliveryRollup(Base, table=True):
    """How many attempts of one hour ended how, by attempt number and duration.

    `attempt` is the attempt's number, 10 standing for every later one too; `bucket` is the
    duration's place in the histogram of `lib.histogram`.
    """

    __tablename__ = "delivery_rollups"
    __table_args__ = (Index("ix_delivery_rollups_user_id_hour", "user_id", "hour"),)

    hour: datetime = Field(primary_key=True)
    destination_id: str = Field(primary_key=True, foreign_key="destinations.id", ondelete="CASCADE")
    outcome: str = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    bucket: int = Field(primary_key=True)
    user_id: str
    count: int


class Replay(Base, table=True):
    """An order to deliver many finished deliveries once more; a worker carries it out.

    `filters` is what was asked for, `until_id` the newest delivery that was counted, and
    `cursor` the last one that is done, so a worker that dies leaves the rest to another.
    """

    __tablename__ = "replays"
    __table_args__ = (Index("ix_replays_status", "status"),)

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", ondelete="RESTRICT")
    filters: dict[str, Any] = Field(sa_type=JSON)
    until_id: str
    cursor: str
    total: int
    made: int
    status: str
    created_at: datetime
    finished_at: datetime | None = None


class RetentionRun(Base, table=True):
    """What one round of retention removed, and how many bytes the database gave back."""

    __tablename__ = "retention_runs"
    __table_args__ = (Index("ix_retention_runs_finished_at", "finished_at"),)

    id: str = Field(primary_key=True)
    removed: dict[str, int] = Field(sa_type=JSON)
    bytes_freed: int = Field(sa_type=BigInteger)
    started_at: datetime
    finished_at: datetime
