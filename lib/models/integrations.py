"""The connections that members set up."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field

from lib.models.registry import Base


class IntegrationConfig(Base, table=True):
    """One connection of one member to one service.

    `config_data` holds what may be shown; `credentials` maps a field's name to
    `{"sealed", "last4", "set_at"}`. `webhook_url` is the full address as it was issued;
    requests are matched by the digest of its token alone. A removed integration keeps
    its row, without credentials and address, so that its history still has a name.
    `retention` maps what is kept to days, for what differs from the hub's own ages.
    `check_facts` is what the last check found: `{"facts": {}, "scopes_found": [],
    "scopes_missing": []}`.
    `status_key` is part of the address of the public status page, None while there is none.
    """

    __tablename__ = "integration_configs"
    __table_args__ = (
        Index("ix_integration_configs_user_id_name", "user_id", "name"),
        Index(
            "ix_integration_configs_service_name_account_key",
            "service_name",
            "account_key",
        ),
        Index("ix_integration_configs_status_key", "status_key", unique=True),
    )

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", ondelete="RESTRICT")
    service_name: str
    name: str
    config_data: dict[str, Any] = Field(sa_type=JSON)
    credentials: dict[str, Any] = Field(sa_type=JSON)
    retention: dict[str, Any] = Field(sa_type=JSON, default_factory=dict)
    account_key: str | None = None
    webhook_url: str
    token_digest: str | None = Field(default=None, unique=True)
    previous_token_digest: str | None = Field(default=None, unique=True)
    previous_token_expires_at: datetime | None = None
    is_active: bool
    status: str
    status_message: str
    checked_at: datetime | None = None
    check_facts: dict[str, Any] = Field(sa_type=JSON, default_factory=dict)
    status_key: str | None = None
    deleted_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
