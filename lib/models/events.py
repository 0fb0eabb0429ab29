"""What providers sent: accepted events, refused requests, and what is derived from them."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from lib.models.registry import Base

_PENDING = text("status = 'pending'")
_ANY_FAILED = text("status = 'failed'")
_FAILED = text("status = 'failed' AND resolved_at IS NULL")


class WebhookEvent(Base, table=True):
    """One verified request of a provider, kept as the bytes that arrived.

    `headers` and `verification` are JSON texts, written once and read rarely; `status` is
    pending, success or failed. The worker takes pending rows whose `due_at` has passed and
    holds them under `lease_id` by moving `due_at` into the future. A failed event that a person
    has marked as `resolved_at` needs nobody any more.
    """

    __tablename__ = "webhook_events"
    __table_args__ = (
        UniqueConstraint("integration_id", "dedupe_key"),
        Index("ix_webhook_events_user_id_id", "user_id", "id"),
        Index("ix_webhook_events_integration_id_id", "integration_id", "id"),
        Index("ix_webhook_events_event_type_id", "event_type", "id"),
        Index("ix_webhook_events_user_id_event_type_id", "user_id", "event_type", "id"),
        Index(
            "ix_webhook_events_failed_id",
            "id",
            sqlite_where=_ANY_FAILED,
            postgresql_where=_ANY_FAILED,
        ),
        Index(
            "ix_webhook_events_pending_due_at",
            "due_at",
            sqlite_where=_PENDING,
            postgresql_where=_PENDING,
        ),
        Index(
            "ix_webhook_events_failing",
            "user_id",
            "integration_id",
            # All that a count asks for, so that it looks into no row: SQLite would else read each.
            "payload_removed_at",
            "resolved_at",
            "status",
            sqlite_where=_FAILED,
            postgresql_where=_FAILED,
        ),
    )

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", ondelete="RESTRICT")
    integration_id: str = Field(foreign_key="integration_configs.id", ondelete="RESTRICT")
    service_name: str
    event_type: str
    dedupe_key: str
    external_id: str | None = None
    method: str
    content_type: str
    payload: bytes = Field(sa_type=LargeBinary)
    headers: str = Field(sa_type=Text)
    source_ip: str
    verification: str = Field(sa_type=Text)
    status: str
    response_code: int
    duplicates: int
    attempts: int
    error: str | None = None
    lease_id: str | None = None
    due_at: datetime
    payload_removed_at: datetime | None = None
    resolved_at: datetime | None = None
    created_at: datetime


class RejectedRequest(Base, table=True):
    """A request that was refused, with the reason and the facts a person needs to mend it.

    `not_kept` counts refusals of the same integration since the row before that were over
    the limit and left no row.
    """

    __tablename__ = "rejected_requests"
    __table_args__ = (
        Index("ix_rejected_requests_user_id_id", "user_id", "id"),
        Index("ix_rejected_requests_integration_id_id", "integration_id", "id"),
    )

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", ondelete="RESTRICT")
    integration_id: str = Field(foreign_key="integration_configs.id", ondelete="RESTRICT")
    service_name: str
    reason: str
    message: str
    facts: str = Field(sa_type=Text)
    method: str
    content_type: str
    headers: str = Field(sa_type=Text)
    body: bytes = Field(sa_type=LargeBinary)
    body_bytes: int
    source_ip: str
    response_code: int
    not_kept: int
    created_at: datetime


class EventKey(Base, table=True):
    """A value that an event can be found by: a phone, an e-mail, a contact or a SID."""

    __tablename__ = "event_keys"
    __table_args__ = (Index("ix_event_keys_value_event_id", "value", "event_id"),)

    event_id: str = Field(primary_key=True, foreign_key="webhook_events.id", ondelete="CASCADE")
    kind: str = Field(primary_key=True)
    value: str = Field(primary_key=True)


class SearchDocument(Base, table=True):
    """The words of an event, indexed by FTS5 on SQLite and by a GIN index on PostgreSQL."""

    __tablename__ = "search_documents"

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    )
    event_id: str = Field(unique=True, foreign_key="webhook_events.id", ondelete="CASCADE")
    text: str = Field(sa_type=Text)


class HourlyRollup(Base, table=True):
    """How often something happened in one hour; charts read these and never raw events.

    `outcome` is received or rejected; a rejected request counts under its reason.
    """

    __tablename__ = "hourly_rollups"
    __table_args__ = (Index("ix_hourly_rollups_user_id_hour", "user_id", "hour"),)

    hour: datetime = Field(primary_key=True)
    integration_id: str = Field(
        primary_key=True, foreign_key="integration_configs.id", ondelete="CASCADE"
    )
    event_type: str = Field(primary_key=True)
    outcome: str = Field(primary_key=True)
    user_id: str
    service_name: str
    count: int
