"""Credentials that are about to end, or whose vendor advises to replace them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_
from sqlmodel import Session, col, select

from lib.alerts.conditions import MOST_ROWS, of_integration
from lib.alerts.kinds import Condition
from lib.credentials.ages import least_age, reminders_of
from lib.models import ApiToken, Destination, IntegrationConfig, OAuthGrant
from lib.providers.registry import all_providers
from lib.vault.row_secrets import ages

KIND = "credential_expiring"
_TOKEN_AHEAD = timedelta(days=7)
_TOKEN_AFTER = timedelta(days=1)
_OVERLAP_AHEAD = timedelta(hours=24)
_REFRESH_LATE = timedelta(hours=1)


def expiring(session: Session, moment: datetime) -> list[Condition]:
    """Return a condition for each credential; each object has at most one."""
    found = [
        *_troubled_grants(session, moment),
        *_old_secrets(session, moment),
        *_ending_overlaps(session, moment),
        *_ending_tokens(session, moment),
    ]
    return list({(each.user_id, each.object_id): each for each in reversed(found)}.values())


def _troubled_grants(session: Session, moment: datetime) -> list[Condition]:
    rows = session.exec(
        select(IntegrationConfig, OAuthGrant)
        .join(OAuthGrant, col(OAuthGrant.id) == IntegrationConfig.id)
        .where(
            col(IntegrationConfig.deleted_at).is_(None),
            # Tokens are renewed when they are used, so one that nobody used for long is in order;
            # one whose renewal began and never ended is not.
            col(OAuthGrant.trouble).is_not(None)
            | (
                col(OAuthGrant.lease_holder).is_not(None)
                & (col(OAuthGrant.lease_ends_at) < moment - _REFRESH_LATE)
                & (col(OAuthGrant.refresh_at) < moment - _REFRESH_LATE)
            ),
        )
        .limit(MOST_ROWS)
    ).all()
    return [
        of_integration(
            row,
            KIND,
            title=f"The authorisation of {row.name} needs you",
            message=grant.trouble
            or "The renewal of its tokens began and did not end. Test the connection; if that "
            "fails, connect the account again.",
        )
        for row, grant in rows
    ]


def _old_secrets(session: Session, moment: datetime) -> list[Condition]:
    due_from = {provider.slug: age for provider in all_providers() if (age := least_age(provider))}
    # A secret is no older than its integration.
    old_enough = or_(
        *(
            (col(IntegrationConfig.service_name) == slug)
            & (col(IntegrationConfig.created_at) <= moment - age)
            for slug, age in due_from.items()
        )
    )
    rows = session.exec(
        select(IntegrationConfig)
        .where(
            col(IntegrationConfig.deleted_at).is_(None),
            col(IntegrationConfig.is_active).is_(True),
            old_enough,
        )
        .execution_options(yield_per=MOST_ROWS)
    )
    return [
        of_integration(row, KIND, title=f"A secret of {row.name} should be replaced", message=words)
        for row in rows
        if (words := _old_secret_words(row, moment))
    ]


def _old_secret_words(row: IntegrationConfig, moment: datetime) -> str:
    found = reminders_of(row.service_name, ages(row), moment)
    if not found:
        return ""
    return (
        f"{found[0].label} is {found[0].days} days old; its vendor advises a new one every "
        f"{found[0].rotate_days} days. Rotate it there, then enter the new one here."
    )


def _ending_overlaps(session: Session, moment: datetime) -> list[Condition]:
    until = moment + _OVERLAP_AHEAD
    places = session.exec(
        select(Destination)
        .where(
            col(Destination.deleted_at).is_(None),
            col(Destination.previous_secret_expires_at).between(moment, until),
        )
        .limit(MOST_ROWS)
    ).all()
    addresses = session.exec(
        select(IntegrationConfig)
        .where(
            col(IntegrationConfig.deleted_at).is_(None),
            col(IntegrationConfig.previous_token_digest).is_not(None),
            col(IntegrationConfig.previous_token_expires_at).between(moment, until),
        )
        .limit(MOST_ROWS)
    ).all()
    found = [
        Condition(
            row.user_id,
            KIND,
            row.id,
            f"The old signing secret of {row.name} ends within a day",
            "Make sure that the other side verifies with the new one.",
            f"webhooks?open={row.id}",
        )
        for row in places
    ]
    return found + [
        of_integration(
            row,
            KIND,
            title=f"The old address of {row.name} ends within a day",
            message="Make sure that the new webhook address is entered at the provider.",
        )
        for row in addresses
    ]


def _ending_tokens(session: Session, moment: datetime) -> Sequence[Condition]:
    rows = session.exec(
        select(ApiToken)
        .where(
            col(ApiToken.revoked_at).is_(None),
            col(ApiToken.expires_at).between(moment - _TOKEN_AFTER, moment + _TOKEN_AHEAD),
        )
        .limit(MOST_ROWS)
    ).all()
    return [
        Condition(
            row.user_id,
            KIND,
            row.id,
            f"The API token {row.name} expires",
            "Create a new one and give it to the program that uses it.",
            "account",
        )
        for row in rows
    ]
