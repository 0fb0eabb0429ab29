"""What the hub knows of things at the vendors: states of messages, budgets, pending installs."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field

from lib.models.registry import Base


class MessageState(Base, table=True):
    """How far a message or call has come; a late report never moves it back.

    `rank` orders the states of its kind, `sequence` is the vendor's own number where it
    sends one.
    """

    __tablename__ = "message_states"
    __table_args__ = (Index("ix_message_states_user_id_updated_at", "user_id", "updated_at"),)

    integration_id: str = Field(
        primary_key=True, foreign_key="integration_configs.id", ondelete="CASCADE"
    )
    sid: str = Field(primary_key=True)
    user_id: str
    kind: str
    state: str
    rank: int
    sequence: int | None = None
    error_code: str | None = None
    created_at: datetime
    updated_at: datetime


class VendorBudget(Base, table=True):
    """How many calls a vendor's account has left, as its answers say and as we spend them.

    All integrations of one account share the row; it is locked while a call is taken from it.
    `spent` maps the number of a slot of time to the calls taken in it, so that no window holds
    too many, wherever the vendor's begins.
    """

    __tablename__ = "vendor_budgets"

    service_name: str = Field(primary_key=True)
    account: str = Field(primary_key=True)
    burst_limit: int
    spent: dict[str, int] = Field(sa_type=JSON)
    daily_limit: int
    daily_remaining: int
    day_ends_at: datetime
    updated_at: datetime


class OAuthInstall(Base, table=True):
    """An authorisation that was begun and waits for the vendor's callback.

    The state that travels through the browser is kept as its SHA-256 and used once.
    """

    __tablename__ = "oauth_installs"

    state_digest: str = Field(primary_key=True)
    integration_id: str = Field(foreign_key="integration_configs.id", ondelete="CASCADE")
    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE")
    created_at: datetime
    expires_at: datetime = Field(index=True)


class OAuthGrant(Base, table=True):
    """The tokens of a connection whose app a member authorised; `id` is the connection's.

    A row of its own, for tokens change by themselves while a member edits the connection.
    `credentials` holds sealed entries; `account_key` is the account that they were issued for.
    A wide grant reaches beyond it, and then a narrower token is kept for calls.
    The pair is due at `refresh_at`, the token for calls at `renew_at`, before they expire.
    `generation` counts the pairs. While `lease_ends_at` is ahead, `lease_holder` renews them.
    """

    __tablename__ = "oauth_grants"

    id: str = Field(primary_key=True, foreign_key="integration_configs.id", ondelete="CASCADE")
    account_key: str | None = None
    credentials: dict[str, Any] = Field(sa_type=JSON)
    facts: dict[str, Any] = Field(sa_type=JSON)
    is_wide: bool
    expires_at: datetime
    account_expires_at: datetime
    refresh_at: datetime
    renew_at: datetime
    generation: int
    trouble: str | None = Field(default=None, sa_type=Text)
    lease_holder: str | None = None
    lease_ends_at: datetime | None = None
    connected_at: datetime
    updated_at: datetime
