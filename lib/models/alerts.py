"""What went wrong that a person should hear of, and where they are told."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from lib.models.registry import Base

_DUE = text("due_at IS NOT NULL")
_OPEN = text("state = 'open'")
_RESOLVED = text("resolved_at IS NOT NULL")


class AlertChannel(Base, table=True):
    """A way to reach somebody; `kind` is email, slack or sms.

    `config_data` holds what may be shown: addresses, numbers, the integration that sends.
    `credentials` holds sealed entries, such as a hook address. `alert_kinds` lists what is
    told here, `["*"]` for everything.
    """

    __tablename__ = "alert_channels"
    __table_args__ = (Index("ix_alert_channels_user_id_name", "user_id", "name"),)

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE")
    name: str
    kind: str
    config_data: dict[str, Any] = Field(sa_type=JSON)
    credentials: dict[str, Any] = Field(sa_type=JSON)
    alert_kinds: list[str] = Field(sa_type=JSON)
    is_active: bool
    last_sent_at: datetime | None = None
    last_error: str | None = Field(default=None, sa_type=Text)
    created_at: datetime
    updated_at: datetime


class Alert(Base, table=True):
    """One condition of one object, from when it was first seen until it is over.

    `kind` names the condition and `object_id` what it is about; the same condition of the same
    object counts up in one row, and `first_seen_at` is that of the last time. `state` is open or
    resolved. `path` is the filtered screen that shows more. Nothing is told while `muted_until`
    is ahead.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        UniqueConstraint("user_id", "kind", "object_id"),
        # What the bell counts and each round compares with: few rows of however long a history.
        Index("ix_alerts_open", "user_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_alerts_first_seen_at_id", "first_seen_at", "id"),
        Index("ix_alerts_user_id_first_seen_at_id", "user_id", "first_seen_at", "id"),
        Index(
            "ix_alerts_resolved_at",
            "resolved_at",
            sqlite_where=_RESOLVED,
            postgresql_where=_RESOLVED,
        ),
    )

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE")
    kind: str
    object_id: str
    state: str
    title: str
    message: str = Field(sa_type=Text)
    path: str
    count: int
    first_seen_at: datetime
    last_seen_at: datetime
    resolved_at: datetime | None = None
    muted_until: datetime | None = None


class AlertKindMute(Base, table=True):
    """A kind of alerts that one user wants to hear nothing of, over any channel of theirs."""

    __tablename__ = "alert_kind_mutes"

    user_id: str = Field(primary_key=True, foreign_key="users.id", ondelete="CASCADE")
    kind: str = Field(primary_key=True)
    muted_until: datetime = Field(index=True)


class AlertMessage(Base, table=True):
    """What is to be told over one channel; several alerts of a user are grouped in one.

    `due_at` is set exactly while it waits; `lease_until` while a worker sends it. `status` is
    pending, sent or failed, or trial for a test that somebody asked for and that cost money.
    """

    __tablename__ = "alert_messages"
    __table_args__ = (
        Index("ix_alert_messages_due_at", "due_at", sqlite_where=_DUE, postgresql_where=_DUE),
        Index("ix_alert_messages_channel_id_id", "channel_id", "id"),
        Index("ix_alert_messages_waiting", "channel_id", sqlite_where=_DUE, postgresql_where=_DUE),
    )

    id: str = Field(primary_key=True)
    channel_id: str = Field(foreign_key="alert_channels.id", ondelete="CASCADE")
    alert_ids: list[str] = Field(sa_type=JSON)
    status: str
    attempts: int
    due_at: datetime | None = None
    lease_until: datetime | None = None
    error: str | None = Field(default=None, sa_type=Text)
    created_at: datetime
    sent_at: datetime | None = None
