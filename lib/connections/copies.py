"""A second connection from a first: its settings without its secrets."""

import secrets

from lib import audit
from lib.access import Actor
from lib.clock import now
from lib.connections.integrations import Issued, bump_revision, owned_row, token_digest
from lib.connections.views import view
from lib.hub import Hub
from lib.ids import new_id
from lib.models import IntegrationConfig, User
from lib.providers.registry import get_provider
from lib.vault.row_secrets import keep_secrets

_NAME_LENGTH = 80
_SUFFIX = " (copy)"


def duplicate(hub: Hub, actor: Actor, integration_id: str) -> Issued:
    """Copy a connection for the same owner: paused, with an address of its own and no secrets.

    A secret that the hub issues itself is issued anew. The copy is not found by the vendor's
    account until its credentials are entered, for until then it could prove no request.
    """
    token = secrets.token_hex(16)
    moment = now()
    with hub.database.write() as session:
        origin = owned_row(session, actor, integration_id)
        provider = get_provider(origin.service_name)
        row = IntegrationConfig(
            id=new_id("int"),
            user_id=origin.user_id,
            service_name=origin.service_name,
            name=origin.name[: _NAME_LENGTH - len(_SUFFIX)] + _SUFFIX,
            config_data=dict(origin.config_data),
            credentials={},
            retention=dict(origin.retention),
            webhook_url=f"{hub.settings.public_url}/api/webhooks/{provider.slug}/{token}",
            token_digest=token_digest(token),
            is_active=False,
            status="untested",
            status_message="A copy has no secrets. Enter them, test it, then resume it.",
            created_at=moment,
            updated_at=moment,
        )
        issued = None
        if provider.issued_field is not None:
            issued = provider.issue_secret()
            keep_secrets(hub.vault, row, {provider.issued_field: issued})
        session.add(row)
        bump_revision(session)
        audit.record(
            session, actor, "integration.duplicated", row.id, name=row.name, origin=origin.id
        )
        owner = session.get_one(User, row.user_id).email
        return Issued(view(hub, row, actor, owner=owner), issued)
