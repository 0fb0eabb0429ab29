"""The tokens of authorised apps: kept sealed, and renewed by one process at a time.

A refresh token works once. Whoever renews claims the row with a lease, asks the vendor outside
any transaction, and stores the new pair with the claim's end. If that process dies before the
vendor answered, the lease runs out and another takes over. If it dies between the answer and
the commit, the pair is lost: the next to try hears that the refresh token is used, and the
member is asked to connect again.
"""

import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import OperationalError
from sqlmodel import col, select

from lib.clock import now
from lib.errors import NotFound, ProviderError
from lib.http import VendorClient
from lib.hub import Hub
from lib.models import IntegrationConfig, OAuthGrant
from lib.providers.authorization import AppCall, Authorization, Tokens
from lib.providers.registry import get_provider
from lib.settings import Settings
from lib.vault.row_secrets import open_secrets, open_values
from lib.vendors.api_calls import keep_calls
from lib.vendors.oauth_grants import (
    ACCESS_TOKEN,
    REFRESH_TOKEN,
    call_token,
    put_account_token,
    put_pair,
)

# Two calls of half a minute and the time to connect.
LEASE = timedelta(seconds=90)
WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.1
_A_CALL = timedelta(seconds=30)
_STORE_PAUSES = (0.5, 2.0)


@dataclass(frozen=True, repr=False)
class _Claim:
    """A lease that was just taken: by whom, and the rows as they stood."""

    holder: str
    row: IntegrationConfig
    grant: OAuthGrant


def open_call_values(hub: Hub, row: IntegrationConfig) -> dict[str, str]:
    """Return all values of a connection as its vendor's calls need them, secrets opened.

    Where an app was authorised, a token that is good for some minutes is among them. Raises
    ProviderError when there is none to be had, SecretUnreadable.
    """
    token = access_token_for(hub, row.id)
    values = open_values(hub.vault, row)
    return values if token is None else {**values, ACCESS_TOKEN: token}


def access_token_for(hub: Hub, integration_id: str) -> str | None:
    """Return a token for calls, renewed where it ends soon; None where no app was authorised.

    Any number of processes may ask at once: one renews, the others wait for it.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        grant = _find_grant(hub, integration_id)
        if grant is None:
            return None
        if now() < grant.renew_at:
            return call_token(hub, grant)
        claim = _claim(hub, integration_id)
        if claim is not None:
            _renew(hub, claim)
            grant = _find_grant(hub, integration_id)
            if grant is not None and now() < grant.account_expires_at:
                return call_token(hub, grant)
        elif _still_serves(grant):
            return call_token(hub, grant)
        if time.monotonic() > deadline:
            raise ProviderError(
                "The authorization is being renewed by another process. Try again in a minute.",
                permanent=False,
                is_unprocessed=True,
            )
        time.sleep(_POLL_SECONDS)


def make_app_call(hub: Hub, row: IntegrationConfig, client: VendorClient) -> AppCall:
    """Return with what the token endpoints of a connection's vendor are asked."""
    values = open_values(hub.vault, row)
    return AppCall(values, hub.settings, client, redirect_uri(hub.settings))


def redirect_uri(settings: Settings) -> str:
    """Return where vendors send the browser back to.

    It names no service: HighLevel refuses addresses that hold its own name, and the state
    says whose authorisation it is.
    """
    return f"{settings.public_url}/api/oauth/callback"


def authorization_of(row: IntegrationConfig) -> Authorization:
    """Return how apps of a connection's vendor are authorised; raise NotFound."""
    authorization = get_provider(row.service_name).authorization
    if authorization is None:
        raise NotFound("This service has no apps to authorise. Enter its credentials instead.")
    return authorization


def _find_grant(hub: Hub, integration_id: str) -> OAuthGrant | None:
    with hub.database.read() as session:
        found = session.exec(
            select(OAuthGrant, IntegrationConfig.account_key)
            .join(IntegrationConfig, col(IntegrationConfig.id) == col(OAuthGrant.id))
            .where(col(OAuthGrant.id) == integration_id)
        ).first()
    if found is None:
        return None
    grant, account_key = found
    if grant.trouble:
        raise _reconnect(grant.trouble)
    if grant.account_key != account_key:
        raise _reconnect(
            "The app was authorised for another account than the one of this integration. "
            "Connect again on the integration's page."
        )
    return grant


def _claim(hub: Hub, integration_id: str) -> _Claim | None:
    """Take the lease; None while another holds it, or when there is nothing left to do."""
    moment = now()
    with hub.database.write() as session:
        row = session.get(IntegrationConfig, integration_id)
        grant = session.get(OAuthGrant, integration_id, with_for_update=True)
        if row is None or grant is None or grant.trouble or moment < grant.renew_at:
            return None
        if grant.lease_ends_at is not None and grant.lease_ends_at > moment:
            return None
        holder = secrets.token_hex(8)
        grant.lease_holder, grant.lease_ends_at = holder, moment + LEASE
        return _Claim(holder, row, grant)


def _renew(hub: Hub, claim: _Claim) -> None:
    """Renew what ends soon and end the lease; raise ProviderError when no token is left."""
    settings = hub.settings
    with VendorClient(settings.allowed_private_networks, settings.vendor_api_urls) as client:
        try:
            _renew_with(hub, claim, client)
        except ProviderError as error:
            _give_up(hub, claim, error)
        finally:
            with hub.database.write() as session:
                keep_calls(session, claim.row, client.calls)


def _renew_with(hub: Hub, claim: _Claim, client: VendorClient) -> None:
    grant, authorization = claim.grant, authorization_of(claim.row)
    call = make_app_call(hub, claim.row, client)
    held = open_secrets(hub.vault, grant)
    access_token, facts, is_wide = held[ACCESS_TOKEN], grant.facts, grant.is_wide
    if grant.refresh_at <= now():
        refresh_token = held[REFRESH_TOKEN]
        tokens = authorization.refresh(refresh_token, call, is_wide=grant.is_wide)
        # The old pair is used up: the new one is kept before anything else is asked.
        if not _keep(hub, claim, tokens, is_done=not tokens.is_wide):
            return
        access_token, facts, is_wide = tokens.access_token, dict(tokens.facts), tokens.is_wide
    if is_wide:
        narrow = authorization.narrow(access_token, call, facts=facts)
        _keep_account_token(hub, claim, narrow)


def _keep(hub: Hub, claim: _Claim, tokens: Tokens, *, is_done: bool) -> bool:
    """Store a new pair unless someone stored a later one; say whether it was.

    A database that is busy for a moment is asked again: this is the only copy of the pair.
    """
    for pause_seconds in _STORE_PAUSES:
        with suppress(OperationalError):
            return _keep_once(hub, claim, tokens, is_done=is_done)
        time.sleep(pause_seconds)
    return _keep_once(hub, claim, tokens, is_done=is_done)


def _keep_once(hub: Hub, claim: _Claim, tokens: Tokens, *, is_done: bool) -> bool:
    """Store it even when the lease ran out: whoever took over holds a used token."""
    with hub.database.write() as session:
        grant = session.get(OAuthGrant, claim.grant.id, with_for_update=True)
        if grant is None or grant.generation != claim.grant.generation:
            return False
        put_pair(hub, grant, tokens)
        claim.grant.generation = grant.generation
        if is_done:
            grant.lease_holder = grant.lease_ends_at = None
        else:
            grant.lease_holder, grant.lease_ends_at = claim.holder, now() + LEASE
        return True


def _keep_account_token(hub: Hub, claim: _Claim, narrow: Tokens) -> None:
    with hub.database.write() as session:
        grant = session.get(OAuthGrant, claim.grant.id, with_for_update=True)
        if grant is None or grant.generation != claim.grant.generation:
            return
        put_account_token(hub, grant, narrow)
        grant.lease_holder = grant.lease_ends_at = None


def _give_up(hub: Hub, claim: _Claim, error: ProviderError) -> None:
    """End the lease; raise `error` unless the token at hand, or another's, still serves."""
    with hub.database.write() as session:
        grant = session.get(OAuthGrant, claim.grant.id, with_for_update=True)
        if grant is None or grant.generation != claim.grant.generation:
            return
        is_ours = grant.lease_holder == claim.holder
        if is_ours:
            grant.lease_holder = grant.lease_ends_at = None
        # Another who took over may have used the refresh token; its answer decides.
        if is_ours and error.code == Authorization.RECONNECT:
            grant.trouble, grant.updated_at = error.message, now()
            row = session.get_one(IntegrationConfig, grant.id)
            row.status, row.status_message, row.checked_at = "failed", error.message, now()
        elif not error.permanent and _still_serves(grant):
            return
    raise error


def _still_serves(grant: OAuthGrant) -> bool:
    """Say whether the token at hand outlives a call, though it is to be renewed."""
    return now() + _A_CALL < grant.account_expires_at


def _reconnect(message: str) -> ProviderError:
    return ProviderError(message, permanent=True, is_unprocessed=True, code=Authorization.RECONNECT)
