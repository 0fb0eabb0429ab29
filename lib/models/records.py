"""Records of what was done: calls to vendors and actions of people."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, text
from sqlmodel import Field

from lib.models.registry import Base

_UNCHAINED = text("sequence IS NULL")


class ApiCall(Base, table=True):
    """One call to a vendor's API; `path` holds no secret, `status` is None without an answer."""

    __tablename__ = "api_calls"
    __table_args__ = (Index("ix_api_calls_integration_id_id", "integration_id", "id"),)

    id: str = Field(primary_key=True)
    user_id: str
    integration_id: str = Field(foreign_key="integration_configs.id", ondelete="CASCADE")
    method: str
    path: str
    status: int | None = None
    milliseconds: int
    error: str | None = None
    created_at: datetime


class AuditEntry(Base, table=True):
    """Who did what to which object; `details` are redacted.

    A worker chains new entries: `sequence` counts without gaps, and `digest` is the SHA-256 of
    the entry and of the digest before it, so that a change or a removal shows.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_object_id_id", "object_id", "id"),
        Index("ix_audit_log_user_id_id", "user_id", "id"),
        Index("ix_audit_log_action_id", "action", "id"),
        Index("ix_audit_log_sequence", "sequence", unique=True),
        Index("ix_audit_log_unchained", "id", sqlite_where=_UNCHAINED, postgresql_where=_UNCHAINED),
    )

    id: str = Field(primary_key=True)
    user_id: str | None = None
    actor: str
    role: str | None = None
    ip: str | None = None
    session_id: str | None = None
    action: str
    object_id: str
    details: dict[str, Any] = Field(sa_type=JSON)
    created_at: datetime
    sequence: int | None = Field(default=None, sa_type=BigInteger)
    digest: str | None = None
