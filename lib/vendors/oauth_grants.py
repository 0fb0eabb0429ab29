"""The row that holds an authorisation's tokens: sealed, with the times at which they end.

It refuses to know who renews them, and how.
"""

from datetime import datetime, timedelta

from sqlmodel import Session

from lib.clock import now
from lib.hub import Hub
from lib.models import IntegrationConfig, OAuthGrant
from lib.providers.authorization import Tokens
from lib.vault.row_secrets import keep_secrets, open_secrets

# What actions and checks find the token under.
ACCESS_TOKEN = "oauth_access_token"  # noqa: S105 - the name of a value
REFRESH_TOKEN = "oauth_refresh_token"  # noqa: S105 - the name of a value
_ACCOUNT_TOKEN = "oauth_account_token"  # noqa: S105 - the name of a value
EARLY = timedelta(minutes=10)


def put_grant(
    hub: Hub, session: Session, row: IntegrationConfig, *, tokens: Tokens, narrow: Tokens | None
) -> None:
    """Keep the first tokens of an authorisation in place of any before."""
    moment = now()
    grant = session.get(OAuthGrant, row.id, with_for_update=True)
    if grant is None:
        grant = OAuthGrant(
            id=row.id,
            credentials={},
            facts={},
            is_wide=False,
            expires_at=moment,
            account_expires_at=moment,
            refresh_at=moment,
            renew_at=moment,
            generation=0,
            connected_at=moment,
            updated_at=moment,
        )
        session.add(grant)
    grant.account_key, grant.connected_at = row.account_key, moment
    grant.lease_holder = grant.lease_ends_at = None
    put_pair(hub, grant, tokens)
    if narrow is not None:
        put_account_token(hub, grant, narrow)


def put_pair(hub: Hub, grant: OAuthGrant, tokens: Tokens) -> None:
    """Keep a new pair; a wide one needs a narrower token before anything is called."""
    moment = now()
    pair = {ACCESS_TOKEN: tokens.access_token, REFRESH_TOKEN: tokens.refresh_token or ""}
    keep_secrets(hub.vault, grant, pair)
    grant.facts = dict(tokens.facts)
    grant.is_wide = tokens.is_wide
    grant.refresh_at, grant.expires_at = _times(moment, tokens)
    grant.renew_at, grant.account_expires_at = grant.refresh_at, grant.expires_at
    if tokens.is_wide:
        grant.renew_at = grant.account_expires_at = moment
    grant.generation += 1
    grant.trouble, grant.updated_at = None, moment


def put_account_token(hub: Hub, grant: OAuthGrant, narrow: Tokens) -> None:
    """Keep the token that a wide pair was narrowed to."""
    held = open_secrets(hub.vault, grant)
    keep_secrets(hub.vault, grant, {**held, _ACCOUNT_TOKEN: narrow.access_token})
    grant.updated_at = now()
    grant.renew_at, grant.account_expires_at = _times(grant.updated_at, narrow)


def call_token(hub: Hub, grant: OAuthGrant) -> str:
    """Return the token that calls are made with; raise SecretUnreadable."""
    held = open_secrets(hub.vault, grant)
    return held[_ACCOUNT_TOKEN if grant.is_wide else ACCESS_TOKEN]


def _times(moment: datetime, tokens: Tokens) -> tuple[datetime, datetime]:
    """Return when a token is to be renewed and when it ends."""
    lifetime = timedelta(seconds=tokens.expires_seconds)
    return moment + lifetime - min(EARLY, lifetime / 10), moment + lifetime
