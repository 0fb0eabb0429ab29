"""What people keep on their screens: views of lists, samples, and settings made by forms."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from lib.models.registry import Base


class SavedView(Base, table=True):
    """A name for the filters of a list; `query` is what stands in the address after `?`."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("user_id", "page", "name"),)

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE")
    page: str
    name: str
    query: str = Field(sa_type=Text)
    created_at: datetime


class SavedSample(Base, table=True):
    """An event's payload that a user kept for the testing tools."""

    __tablename__ = "saved_samples"
    __table_args__ = (Index("ix_saved_samples_user_id_id", "user_id", "id"),)

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE")
    service_name: str
    event_type: str
    name: str
    content_type: str
    payload: bytes = Field(sa_type=LargeBinary)
    created_at: datetime


class HubSetting(Base, table=True):
    """A setting that staff make by a form; secrets within it are sealed entries."""

    __tablename__ = "hub_settings"

    name: str = Field(primary_key=True)
    value: dict[str, Any] = Field(sa_type=JSON)
    updated_at: datetime
    updated_by: str | None = None


class BackupRun(Base, table=True):
    """One backup and whether it was proven to restore; `path` is on the hub's own disk."""

    __tablename__ = "backup_runs"
    __table_args__ = (Index("ix_backup_runs_started_at", "started_at"),)

    id: str = Field(primary_key=True)
    path: str
    bytes: int | None = Field(default=None, sa_type=BigInteger)
    started_at: datetime
    finished_at: datetime | None = None
    tested_at: datetime | None = None
    error: str | None = Field(default=None, sa_type=Text)
