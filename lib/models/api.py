"""What callers of the REST API hold and leave: tokens, idempotency keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary
from sqlmodel import Field

from lib.models.registry import Base


class ApiToken(Base, table=True):
    """A bearer token of a user; only the SHA-256 of it is kept, and its last four characters.

    `scopes` is a list of names, among which "all" stands for every one.
    """

    __tablename__ = "api_tokens"
    __table_args__ = (Index("ix_api_tokens_user_id_id", "user_id", "id"),)

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE")
    name: str
    token_digest: str = Field(unique=True)
    last4: str
    scopes: list[str] = Field(sa_type=JSON)
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class IdempotencyKey(Base, table=True):
    """An Idempotency-Key of a user, and the answer that its first request got.

    `request_digest` tells a repetition from another request under the same key. `status` is
    None while the first request is under way; its row is taken back when that did nothing.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    user_id: str = Field(primary_key=True, foreign_key="users.id", ondelete="CASCADE")
    key: str = Field(primary_key=True)
    request_digest: str
    status: int | None = None
    headers: dict[str, Any] = Field(sa_type=JSON, default_factory=dict)
    body: bytes = Field(sa_type=LargeBinary, default=b"")
    created_at: datetime
