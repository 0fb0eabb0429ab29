"""Addresses of the hub's own that members test against: request bins and chaos receivers."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, Text
from sqlmodel import Field

from lib.models.registry import Base


class TrialEndpoint(Base, table=True):
    """An address that keeps what it gets for a day, or answers as badly as it is told.

    `kind` is bin or chaos; `settings` of a chaos receiver are `status`, `delay_seconds` and
    `failure_share`. The token in the address is kept as its SHA-256.
    """

    __tablename__ = "test_endpoints"
    __table_args__ = (Index("ix_test_endpoints_user_id_id", "user_id", "id"),)

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE")
    kind: str
    name: str
    token_digest: str = Field(unique=True)
    url: str
    settings: dict[str, Any] = Field(sa_type=JSON)
    created_at: datetime
    expires_at: datetime = Field(index=True)


class TrialRequest(Base, table=True):
    """A request that a test endpoint got, with its body capped at 64 KB."""

    __tablename__ = "test_requests"
    __table_args__ = (Index("ix_test_requests_endpoint_id_id", "endpoint_id", "id"),)

    id: str = Field(primary_key=True)
    endpoint_id: str = Field(foreign_key="test_endpoints.id", ondelete="CASCADE")
    method: str
    query: str
    headers: str = Field(sa_type=Text)
    body: bytes = Field(sa_type=LargeBinary)
    body_bytes: int
    source_ip: str
    answered_status: int
    created_at: datetime
