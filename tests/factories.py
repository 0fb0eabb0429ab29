"""Rows that tests need before they can say what they are about."""

from lib.access import Actor, Role
from lib.clock import now
from lib.hub import Hub
from lib.ids import new_id
from lib.models import IntegrationConfig, User

# No password opens it, and no test pays for a bcrypt round.
DUMMY_HASH = "!"


def make_user(hub: Hub, email: str = "ada@example.com", role: str = "member") -> Actor:
    """Insert a user who cannot sign in, and return the actor."""
    moment = now()
    user = User(
        id=new_id("usr"),
        email=email,
        name=email.partition("@")[0].title(),
        password_hash=DUMMY_HASH,
        role=role,
        is_active=True,
        must_change_password=False,
        created_at=moment,
        updated_at=moment,
    )
    actor = Actor(id=user.id, email=user.email, name=user.name, role=Role(role))
    with hub.database.write() as session:
        session.add(user)
    return actor


def make_integration_row(hub: Hub, owner: Actor, *, service_name: str) -> IntegrationConfig:
    """Insert a connection without credentials, for tests below the use cases."""
    moment = now()
    integration_id = new_id("int")
    row = IntegrationConfig(
        id=integration_id,
        user_id=owner.id,
        service_name=service_name,
        name=integration_id,
        config_data={},
        credentials={},
        webhook_url=f"http://localhost:8000/api/webhooks/{service_name}/{integration_id}",
        is_active=True,
        status="untested",
        status_message="",
        created_at=moment,
        updated_at=moment,
    )
    with hub.database.write() as session:
        session.add(row)
    return row
