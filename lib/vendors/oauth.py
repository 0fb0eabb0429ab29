"""Authorising an app of a member's at its vendor: begun here, ended by the vendor's callback."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col

from lib import audit
from lib.access import Actor, Role
from lib.clock import now
from lib.connections import integrations
from lib.connections.integrations import owned_row
from lib.errors import InvalidInput, NotFound
from lib.http import VendorClient
from lib.hub import Hub
from lib.models import IntegrationConfig, OAuthGrant, OAuthInstall, User
from lib.providers.registry import get_provider
from lib.vendors.api_calls import keep_calls
from lib.vendors.oauth_grants import put_grant
from lib.vendors.oauth_tokens import authorization_of, make_app_call
from lib.vendors.oauth_tokens import redirect_uri as redirect_uri

INSTALL_LIFETIME = timedelta(minutes=10)
_MOST_CODE = 4_096


@dataclass(frozen=True)
class Installed:
    """The connection for which an app was just authorised."""

    integration_id: str
    name: str


@dataclass(frozen=True)
class Connection:
    """How an authorisation stands; `trouble` says why it must be given again."""

    connected_at: datetime
    expires_at: datetime
    trouble: str | None
    facts: Mapping[str, str]


def begin_install(hub: Hub, actor: Actor, integration_id: str) -> str:
    """Return the vendor's page on which the member agrees; it leads back within ten minutes.

    Raises NotFound, NotAllowed, and InvalidInput while the app's own values are missing.
    """
    state = secrets.token_urlsafe(32)
    moment = now()
    with hub.database.write() as session:
        row = owned_row(session, actor, integration_id)
        authorization = get_provider(row.service_name).authorization
        if authorization is None:
            raise InvalidInput(
                "This service has no apps to authorise. Enter its credentials instead.",
                field="service_name",
            )
        if not authorization.is_ready({**row.config_data, **row.credentials}):
            raise InvalidInput(
                "Enter the client id and the client secret of your app first.",
                field=authorization.needs[0],
            )
        session.execute(delete(OAuthInstall).where(col(OAuthInstall.expires_at) <= moment))
        session.add(
            OAuthInstall(
                state_digest=_digest(state),
                integration_id=row.id,
                user_id=actor.id,
                created_at=moment,
                expires_at=moment + INSTALL_LIFETIME,
            )
        )
        audit.record(session, actor, "integration.connecting", row.id, name=row.name)
        target = redirect_uri(hub.settings)
        return authorization.page_url(row.config_data, redirect_uri=target, state=state)


def complete_install(hub: Hub, *, state: str, code: str) -> Installed:
    """Exchange the code that the vendor's callback brought and keep the tokens.

    `state` works once and stands for who began. Raises NotFound for one that is unknown, used
    or too old, and ProviderError as the vendor answered, also for another account's tokens.
    """
    with hub.database.read() as session:
        # Strangers come this way too; they do not get as far as a lock.
        _find_install(session, state)
    with hub.database.write() as session:
        actor, row = _redeem(session, state)
    if not code or len(code) > _MOST_CODE:
        raise InvalidInput("The vendor sent no code. Connect again.", field="code")
    authorization = authorization_of(row)
    settings = hub.settings
    with VendorClient(settings.allowed_private_networks, settings.vendor_api_urls) as client:
        try:
            call = make_app_call(hub, row, client)
            tokens = authorization.exchange(code, call)
            narrow = (
                authorization.narrow(tokens.access_token, call, facts=tokens.facts)
                if tokens.is_wide
                else None
            )
        finally:
            with hub.database.write() as session:
                keep_calls(session, row, client.calls)
    moment = now()
    with hub.database.write() as session:
        row = owned_row(session, actor, row.id)
        put_grant(hub, session, row, tokens=tokens, narrow=narrow)
        row.status, row.status_message = "verified", "The app is authorised for this account."
        row.checked_at = row.updated_at = moment
        audit.record(session, actor, "integration.connected", row.id, name=row.name)
        return Installed(row.id, row.name)


def disconnect(hub: Hub, actor: Actor, integration_id: str) -> None:
    """Forget the tokens of an own connection; the app stays installed at the vendor."""
    with hub.database.write() as session:
        row = owned_row(session, actor, integration_id)
        grant = session.get(OAuthGrant, row.id, with_for_update=True)
        if grant is None:
            raise InvalidInput("No app is connected, so there is nothing to end.", field="id")
        session.delete(grant)
        row.status, row.status_message = "untested", "The app was disconnected."
        audit.record(session, actor, "integration.disconnected", row.id, name=row.name)


def find_connection(hub: Hub, actor: Actor, integration_id: str) -> Connection | None:
    """Return how a connection's authorisation stands, None without one; raise NotFound."""
    item = integrations.get(hub, actor, integration_id)
    with hub.database.read() as session:
        grant = session.get(OAuthGrant, item.id)
    if grant is None:
        return None
    facts = {} if actor.sees_masked else dict(grant.facts)
    return Connection(grant.connected_at, grant.expires_at, grant.trouble, facts)


def _redeem(session: Session, state: str) -> tuple[Actor, IntegrationConfig]:
    """Use a state up and return who began, if they still may, and for what."""
    install = _find_install(session, state)
    user = session.get_one(User, install.user_id)
    session.delete(install)
    actor = Actor(id=user.id, email=user.email, name=user.name, role=Role(user.role))
    return actor, owned_row(session, actor, install.integration_id)


def _find_install(session: Session, state: str) -> OAuthInstall:
    install = session.get(OAuthInstall, _digest(state), with_for_update=True)
    user = session.get(User, install.user_id) if install else None
    if install is None or install.expires_at <= now() or user is None or not user.is_active:
        raise NotFound(
            "This authorization was used already, or was begun more than ten minutes ago. Start "
            "again on the integration's page."
        )
    return install


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()
