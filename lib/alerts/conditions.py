"""What is wrong now, read from the tables by bounded questions; nothing is written here."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from lib.alerts.kinds import Condition
from lib.models import (
    BackupRun,
    Delivery,
    Destination,
    DestinationState,
    IntegrationConfig,
    Issue,
    User,
    VendorBudget,
    WebhookEvent,
)

MOST_ROWS = 1_000
QUEUE_OLD = timedelta(minutes=15)
_LOW_SHARE = 10
_BACKUPS = "settings?section=Backups"


def open_issues(session: Session, moment: datetime) -> list[Condition]:
    """Return the issues that nobody has taken up, muted or ignored."""
    rows = session.exec(
        select(Issue, Destination.name)
        .join(Destination, col(Destination.id) == Issue.destination_id)
        .where(
            col(Issue.user_id).in_(select(User.id)),
            Issue.state == "open",
            or_(col(Issue.muted_until).is_(None), col(Issue.muted_until) <= moment),
        )
        .limit(MOST_ROWS)
    ).all()
    return [
        Condition(
            issue.user_id,
            "issue_open",
            issue.id,
            f"Deliveries to {name} are given up",
            f"{issue.message or 'No message was kept.'} Mend the cause, then replay them.",
            f"issues?open={issue.id}",
        )
        for issue, name in rows
    ]


def open_breakers(session: Session, _moment: datetime) -> list[Condition]:
    """Return the destinations whose circuit breaker is not closed."""
    rows = session.exec(
        select(Destination)
        .join(DestinationState, col(DestinationState.destination_id) == Destination.id)
        .where(
            col(DestinationState.breaker) != "closed",
            col(Destination.deleted_at).is_(None),
            col(Destination.disabled_at).is_(None),
        )
        .limit(MOST_ROWS)
    ).all()
    return [
        _of_destination(
            row,
            "breaker_open",
            title=f"{row.name} keeps failing",
            message="The circuit breaker is open: deliveries wait until a trial succeeds. Check "
            "that the other side runs.",
        )
        for row in rows
    ]


def disabled_destinations(session: Session, _moment: datetime) -> list[Condition]:
    """Return the destinations that answered that they are gone."""
    rows = session.exec(
        select(Destination)
        .where(col(Destination.disabled_at).is_not(None), col(Destination.deleted_at).is_(None))
        .limit(MOST_ROWS)
    ).all()
    return [
        _of_destination(
            row,
            "destination_disabled",
            title=f"{row.name} is disabled",
            message=f"{row.disabled_reason or 'The other side answered 410 Gone.'} Deliveries "
            "are kept. Enter a new address, then enable it again.",
        )
        for row in rows
    ]


def old_queues(session: Session, moment: datetime) -> list[Condition]:
    """Return what is due for long: events to staff, deliveries to their destination's owner."""
    too_old = moment - QUEUE_OLD
    due = (
        select(func.min(Delivery.next_attempt_at))
        .where(
            Delivery.destination_id == Destination.id,
            col(Delivery.next_attempt_at).is_not(None),
        )
        .scalar_subquery()
    )
    rows = session.exec(
        select(Destination)
        .join(DestinationState, col(DestinationState.destination_id) == Destination.id)
        .where(
            col(Destination.is_active).is_(True),
            col(Destination.disabled_at).is_(None),
            col(Destination.deleted_at).is_(None),
            DestinationState.breaker == "closed",
            due < too_old,
        )
        .limit(MOST_ROWS)
    ).all()
    found = [
        _of_destination(
            row,
            "queue_old",
            title=f"The queue of {row.name} does not move",
            message="A delivery has been due for more than 15 minutes. Look at the destination's "
            "rate limit and at its slow answers.",
        )
        for row in rows
    ]
    return found + _old_events(session, too_old)


def failed_checks(session: Session, _moment: datetime) -> list[Condition]:
    """Return the integrations whose last check failed."""
    rows = session.exec(
        select(IntegrationConfig)
        .where(
            col(IntegrationConfig.user_id).in_(select(User.id)),
            IntegrationConfig.status == "failed",
            col(IntegrationConfig.is_active).is_(True),
            col(IntegrationConfig.deleted_at).is_(None),
        )
        .limit(MOST_ROWS)
    ).all()
    return [
        of_integration(
            row,
            "check_failed",
            title=f"The check of {row.name} failed",
            message=row.status_message or "Test the connection again to see why.",
        )
        for row in rows
    ]


def failed_backups(session: Session, _moment: datetime) -> list[Condition]:
    """Return the newest backup to staff, if it failed."""
    newest = session.exec(
        select(BackupRun).order_by(col(BackupRun.started_at).desc()).limit(1)
    ).first()
    if newest is None or newest.error is None:
        return []
    said = Condition("", "backup_failed", "hub", "The last backup failed", newest.error, _BACKUPS)
    return _to_staff(session, said)


def low_budgets(session: Session, moment: datetime) -> list[Condition]:
    """Return the integrations whose vendor's daily limit is nearly spent."""
    rows = session.exec(
        select(IntegrationConfig, VendorBudget)
        .join(
            VendorBudget,
            (col(VendorBudget.service_name) == IntegrationConfig.service_name)
            & (col(VendorBudget.account) == IntegrationConfig.account_key),
        )
        .where(
            col(VendorBudget.daily_limit) > 0,
            col(VendorBudget.day_ends_at) > moment,
            col(VendorBudget.daily_remaining) * _LOW_SHARE <= VendorBudget.daily_limit,
            col(IntegrationConfig.is_active).is_(True),
            col(IntegrationConfig.deleted_at).is_(None),
        )
        .limit(MOST_ROWS)
    ).all()
    return [
        of_integration(
            row,
            "budget_low",
            title=f"{row.name} has nearly spent its calls of today",
            message=f"{max(0, budget.daily_remaining):,} of {budget.daily_limit:,} calls are left. "
            "Pause routes that can wait until the vendor's day ends.",
        )
        for row, budget in rows
    ]


def of_integration(row: IntegrationConfig, kind: str, *, title: str, message: str) -> Condition:
    """Return a condition of an integration, shown on its own page."""
    return Condition(row.user_id, kind, row.id, title, message, f"integrations?open={row.id}")


def _of_destination(row: Destination, kind: str, *, title: str, message: str) -> Condition:
    return Condition(row.user_id, kind, row.id, title, message, f"webhooks?open={row.id}")


def _old_events(session: Session, too_old: datetime) -> list[Condition]:
    oldest = session.exec(
        select(WebhookEvent.due_at)
        .where(WebhookEvent.status == "pending")
        .order_by(col(WebhookEvent.due_at))
        .limit(1)
    ).first()
    if oldest is None or oldest >= too_old:
        return []
    said = Condition(
        "",
        "queue_old",
        "hub",
        "Received events are not processed",
        "An event has been waiting for more than 15 minutes. Look at the worker's log.",
        "activity?status=pending",
    )
    return _to_staff(session, said)


def _to_staff(session: Session, said: Condition) -> list[Condition]:
    """Return one condition for each member of staff: it is about the hub itself."""
    ids = session.exec(
        select(User.id).where(User.role == "staff", col(User.is_active).is_(True)).limit(MOST_ROWS)
    ).all()
    return [
        Condition(user_id, said.kind, said.object_id, said.title, said.message, said.path)
        for user_id in ids
    ]


FINDERS: dict[str, Callable[[Session, datetime], Sequence[Condition]]] = {
    "issue_open": open_issues,
    "breaker_open": open_breakers,
    "destination_disabled": disabled_destinations,
    "queue_old": old_queues,
    "check_failed": failed_checks,
    "backup_failed": failed_backups,
    "budget_low": low_budgets,
}
