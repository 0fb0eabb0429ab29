"""The connections of members: add, edit, pause, rotate, remove. Credentials go in, never out."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor, require_writer
from lib.clock import now
from lib.connections.views import Integration as Integration
from lib.connections.views import Issued as Issued
from lib.connections.views import view
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.ids import new_id
from lib.models import HubFact, IntegrationConfig, OAuthGrant, User
from lib.providers.base import Provider
from lib.providers.registry import get_provider
from lib.vault.row_secrets import PreviousProof, keep_previous, keep_values, open_values

REVISION = "integrations_revision"
ADDRESS_OVERLAP = timedelta(days=7)
SECRET_OVERLAP = timedelta(hours=24)
_NAME_LENGTH = 80


def add(
    hub: Hub, actor: Actor, *, service_name: str, name: str, values: Mapping[str, str]
) -> Issued:
    """Store a new connection of `actor` under sealed credentials and a fresh address.

    Raises InvalidInput naming the first bad field, NotAllowed for analysts.
    """
    require_writer(actor)
    provider = get_provider(service_name)
    filled, issued = _with_issued_secret(provider, values)
    clean = provider.validate(filled, hub.settings)
    token = secrets.token_hex(16)
    moment = now()
    row = IntegrationConfig(
        id=new_id("int"),
        user_id=actor.id,
        service_name=provider.slug,
        name=_clean_name(name),
        config_data={},
        credentials={},
        webhook_url=f"{hub.settings.public_url}/api/webhooks/{provider.slug}/{token}",
        token_digest=token_digest(token),
        is_active=True,
        status="untested",
        status_message="Not tested yet.",
        created_at=moment,
        updated_at=moment,
    )
    keep_values(hub.vault, row, provider, clean)
    with hub.database.write() as session:
        session.add(row)
        _changed(session, actor, "integration.added", row)
        added = Issued(view(hub, row, actor, owner=actor.email), issued)
    # Subscriptions are made of routes, which are built on this module.
    from lib.outgoing.hook_subscriptions import follow

    follow(hub, actor, row.id)
    return added


def update(
    hub: Hub, actor: Actor, integration_id: str, *, name: str, values: Mapping[str, str]
) -> Integration:
    """Change a connection; a secret left blank or out is kept, other fields are replaced."""
    with hub.database.write() as session:
        row, owner = _own(session, actor, integration_id)
        before = _facts(row)
        provider = get_provider(row.service_name)
        merged = {item.name: values.get(item.name, "").strip() for item in provider.fields}
        stored = open_values(hub.vault, row)
        for item in provider.fields:
            if item.is_secret and not merged[item.name]:
                merged[item.name] = stored.get(item.name, "")
        unknown = {key: value for key, value in values.items() if key not in merged}
        clean = provider.validate({**merged, **unknown}, hub.settings)
        changed = sorted(key for key in clean if clean[key] != stored.get(key))
        row.name = _clean_name(name)
        keep_values(hub.vault, row, provider, clean)
        if changed:
            row.status, row.status_message = "untested", "Changed since the last test."
        changes, fields = audit.difference(before, _facts(row)), ", ".join(changed)
        _changed(session, actor, "integration.updated", row, changes=changes, fields=fields)
        return view(hub, row, actor, owner=owner)


def pause(hub: Hub, actor: Actor, integration_id: str) -> Integration:
    """Stop routing the events of a connection; they are still received and stored."""
    return _set_active(hub, actor, integration_id, is_active=False)


def resume(hub: Hub, actor: Actor, integration_id: str) -> Integration:
    """End a pause."""
    return _set_active(hub, actor, integration_id, is_active=True)


def rotate_address(hub: Hub, actor: Actor, integration_id: str) -> Integration:
    """Give a connection a new address; the one before works for seven more days."""
    with hub.database.write() as session:
        row, owner = _own(session, actor, integration_id)
        token = secrets.token_hex(16)
        row.previous_token_digest = row.token_digest
        row.previous_token_expires_at = now() + ADDRESS_OVERLAP
        row.token_digest = token_digest(token)
        row.webhook_url = f"{hub.settings.public_url}/api/webhooks/{row.service_name}/{token}"
        _changed(session, actor, "integration.address_rotated", row)
        return view(hub, row, actor, owner=owner)


def reissue_secret(hub: Hub, actor: Actor, integration_id: str) -> Issued:
    """Issue a new inbound secret, shown this once; the one before is accepted for 24 hours."""
    with hub.database.write() as session:
        row, owner = _own(session, actor, integration_id)
        provider = get_provider(row.service_name)
        if provider.issued_field is None:
            raise InvalidInput(
                f"{provider.label} signs its requests itself, so there is no secret to issue.",
                field="service_name",
            )
        secret = provider.issue_secret()
        stored = open_values(hub.vault, row)
        keep_values(hub.vault, row, provider, {**stored, provider.issued_field: secret})
        overlap_proof(hub, row, stored)
        _changed(session, actor, "integration.secret_reissued", row)
        return Issued(view(hub, row, actor, owner=owner), secret)


def overlap_proof(hub: Hub, row: IntegrationConfig, stored: Mapping[str, str]) -> None:
    """Let the signing secret of `stored`, if it was replaced, be accepted for 24 hours more."""
    field = get_provider(row.service_name).signing_field
    if before := stored.get(field):
        keep_previous(hub.vault, row, PreviousProof(field, before, now() + SECRET_OVERLAP))


def remove(hub: Hub, actor: Actor, integration_id: str, *, typed_name: str) -> int:
    """Remove a connection: its credentials, addresses and open deliveries go, its events stay.

    Returns how many deliveries were cancelled. Raises InvalidInput unless `typed_name` is the
    connection's name.
    """
    # Deliveries are built on this module.
    from lib.outgoing.integration_queue import cancel_open

    with hub.database.write() as session:
        row, _ = _own(session, actor, integration_id)
        if typed_name.strip() != row.name:
            raise InvalidInput(f"Type the name {row.name} to remove it.", field="typed_name")
        row.credentials = {}
        session.execute(delete(OAuthGrant).where(col(OAuthGrant.id) == row.id))
        row.account_key = None
        row.token_digest = row.previous_token_digest = row.status_key = None
        row.webhook_url = ""
        row.is_active = False
        row.deleted_at = now()
        _changed(session, actor, "integration.removed", row)
    return cancel_open(hub, integration_id)


def get(hub: Hub, actor: Actor, integration_id: str) -> Integration:
    """Return one connection that `actor` may see; raise NotFound otherwise."""
    with hub.database.read() as session:
        row, owner = _visible(session, actor, integration_id)
        return view(hub, row, actor, owner=owner)


def list_all(hub: Hub, actor: Actor) -> list[Integration]:
    """Return the connections that `actor` may see, by name."""
    query = (
        select(IntegrationConfig, User.email)
        .join(User, col(User.id) == col(IntegrationConfig.user_id))
        .where(col(IntegrationConfig.deleted_at).is_(None))
        .order_by(col(IntegrationConfig.name))
    )
    if not actor.sees_all:
        query = query.where(col(IntegrationConfig.user_id) == actor.id)
    with hub.database.read() as session:
        return [view(hub, row, actor, owner=email) for row, email in session.exec(query)]


def owned_row(session: Session, actor: Actor, integration_id: str) -> IntegrationConfig:
    """Return the row that `actor` may change; raise NotFound or NotAllowed."""
    return _own(session, actor, integration_id)[0]


def token_digest(token: str) -> str:
    """Return what the database keeps of an address token."""
    return hashlib.sha256(token.encode()).hexdigest()


def bump_revision(session: Session) -> None:
    """Tell receivers that some connection changed."""
    fact = session.get(HubFact, REVISION, with_for_update=True)
    if fact is None:
        session.add(HubFact(name=REVISION, value="1"))
    else:
        fact.value = str(int(fact.value) + 1)


def _set_active(hub: Hub, actor: Actor, integration_id: str, *, is_active: bool) -> Integration:
    with hub.database.write() as session:
        row, owner = _own(session, actor, integration_id)
        row.is_active = is_active
        _changed(session, actor, f"integration.{'resumed' if is_active else 'paused'}", row)
        return view(hub, row, actor, owner=owner)


def _visible(session: Session, actor: Actor, integration_id: str) -> tuple[IntegrationConfig, str]:
    query = (
        select(IntegrationConfig, User.email)
        .join(User, col(User.id) == col(IntegrationConfig.user_id))
        .where(col(IntegrationConfig.id) == integration_id)
        .where(col(IntegrationConfig.deleted_at).is_(None))
    )
    if not actor.sees_all:
        query = query.where(col(IntegrationConfig.user_id) == actor.id)
    found = session.exec(query).first()
    if found is None:
        raise NotFound("There is no such integration. Go back to the list of integrations.")
    return found


def _own(session: Session, actor: Actor, integration_id: str) -> tuple[IntegrationConfig, str]:
    require_writer(actor)
    return _visible(session, actor, integration_id)


def _facts(row: IntegrationConfig) -> dict[str, Any]:
    """Return what may be shown of a connection, to tell what a change changed."""
    return {"name": row.name, **row.config_data}


def _changed(
    session: Session,
    actor: Actor,
    action: str,
    row: IntegrationConfig,
    **details: audit.Detail,
) -> None:
    row.updated_at = now()
    bump_revision(session)
    audit.record(session, actor, action, row.id, name=row.name, **details)


def _with_issued_secret(
    provider: Provider, values: Mapping[str, str]
) -> tuple[dict[str, str], str | None]:
    field = provider.issued_field
    if field is None or values.get(field, "").strip():
        return dict(values), None
    secret = provider.issue_secret()
    return {**values, field: secret}, secret


def _clean_name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= _NAME_LENGTH:
        raise InvalidInput(f"Give a name of 1 to {_NAME_LENGTH} characters.", field="name")
    return cleaned
