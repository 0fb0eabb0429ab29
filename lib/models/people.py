"""Users, their browser sessions and the counters that slow down guessing."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field

from lib.models.registry import Base


class User(Base, table=True):
    """A person who signs in; `role` is member, staff or analyst.

    `password_hash` is empty until an invitation is used. `credentials` holds the sealed secret of
    the second factor, which counts once `totp_confirmed_at` is set. `totp_last_step` is the newest
    time step that was used, for a code is good once. `recovery_digests` are SHA-256 of the
    recovery codes that are left.
    """

    __tablename__ = "users"

    id: str = Field(primary_key=True)
    email: str = Field(unique=True)
    name: str
    password_hash: str
    role: str
    is_active: bool
    must_change_password: bool
    credentials: dict[str, Any] = Field(sa_type=JSON, default_factory=dict)
    totp_confirmed_at: datetime | None = None
    totp_last_step: int | None = None
    recovery_digests: list[str] = Field(sa_type=JSON, default_factory=list)
    last_signed_in_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


class LoginSession(Base, table=True):
    """One sign-in of one browser.

    Only SHA-256 digests are kept: of the one-time ticket that the page hands to the
    cookie route, and of the random id that the cookie then holds.
    """

    __tablename__ = "sessions"

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", index=True, ondelete="CASCADE")
    ticket_digest: str | None = Field(default=None, unique=True)
    ticket_expires_at: datetime | None = None
    cookie_digest: str | None = Field(default=None, unique=True)
    ip: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


class LoginThrottle(Base, table=True):
    """Failed sign-ins under one key, which is a digest of a name or an address."""

    __tablename__ = "login_throttles"

    key: str = Field(primary_key=True)
    failures: int
    locked_until: datetime | None = None
    updated_at: datetime = Field(index=True)


class AccountLink(Base, table=True):
    """A link that lets somebody in once: `purpose` is invite or reset.

    Only the SHA-256 of its token is kept.
    """

    __tablename__ = "account_links"

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", index=True, ondelete="CASCADE")
    purpose: str
    token_digest: str = Field(unique=True)
    created_by: str | None = None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
