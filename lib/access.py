"""Who acts, and what that role may see and do. Use cases ask here; screens never decide."""

from dataclasses import dataclass, field
from enum import StrEnum

from lib.errors import NotAllowed


class Role(StrEnum):
    """What a user is: members see their own, staff everything, analysts masked data of all."""

    MEMBER = "member"
    STAFF = "staff"
    ANALYST = "analyst"


@dataclass(frozen=True)
class Actor:
    """The user on whose behalf a use case runs, and from where, as the audit log keeps it.

    `is_confined` keeps whoever could see more to what is their own.
    """

    id: str
    email: str
    name: str
    role: Role
    must_change_password: bool = False
    session_id: str | None = field(default=None, compare=False)
    ip: str | None = field(default=None, compare=False)
    is_confined: bool = field(default=False, compare=False)

    @property
    def sees_all(self) -> bool:
        """Whether lists reach beyond the user's own rows."""
        return self.role in (Role.STAFF, Role.ANALYST) and not self.is_confined

    @property
    def sees_masked(self) -> bool:
        """Whether personal data is masked for this user."""
        return self.role is Role.ANALYST


def require_writer(actor: Actor) -> None:
    """Raise NotAllowed for a role that only reads."""
    if actor.role is Role.ANALYST:
        raise NotAllowed("Analysts read charts and masked events. Ask staff to make this change.")


def require_staff(actor: Actor) -> None:
    """Raise NotAllowed unless the user is staff and acts as such."""
    if actor.role is not Role.STAFF or actor.is_confined:
        raise NotAllowed("Only staff can do this. Ask a member of staff.")
