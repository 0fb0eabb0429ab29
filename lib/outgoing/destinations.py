"""The destinations of members: add, edit, pause, rotate, reveal, remove.

Addresses and secrets go in; an address comes out by `reveal_url` alone, a secret once.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import func
from sqlalchemy import update as sql_update
from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor, require_writer
from lib.clock import now
from lib.errors import InvalidInput, NotAllowed
from lib.hub import Hub
from lib.models import Delivery, Destination, DestinationState, Route, User
from lib.outgoing import signing
from lib.outgoing.action_destinations import bind_action, rebind_action, require_address
from lib.outgoing.dead_letters import resolve_of_destination
from lib.outgoing.destination_rows import (
    clean_name,
    config_of,
    first_state,
    locked_row,
    new_row,
    owned_row,
    visible_row,
)
from lib.outgoing.destination_secrets import (
    URL,
    check_address,
    keep_entered,
    keep_signing_secret,
    open_secrets,
)
from lib.outgoing.destination_views import (
    DestinationDraft,
    DestinationView,
    IssuedDestination,
    view,
)
from lib.people.sign_in import confirm_password
from lib.providers.registry import get_target

SECRET_OVERLAP = timedelta(hours=24)
_CANCEL_BATCH = 1_000


def add(hub: Hub, actor: Actor, *, kind: str, draft: DestinationDraft) -> IssuedDestination:
    """Store a new destination of `actor` with a fresh signing secret, shown this once.

    Raises InvalidInput naming the first bad field, NotAllowed for analysts.
    """
    require_writer(actor)
    target = get_target(kind)
    row = new_row(actor, target, draft)
    secret = None
    if target.has_address or draft.url.strip():
        check_address(draft.url.strip(), target, hub.settings)
    if target.has_address:
        keep_entered(hub.vault, row, target, url=draft.url, values=draft.values)
        secret = signing.issue_signing_secret()
        keep_signing_secret(hub.vault, row, secret)
    with hub.database.write() as session:
        if not target.has_address:
            bind_action(session, actor, row, draft)
        session.add(row)
        session.flush()
        session.add(first_state(row))
        _changed(session, actor, "destination.added", row, kind=row.kind)
        owner = session.get_one(User, row.user_id).email
        return IssuedDestination(view(row, actor, owner=owner), secret)


def update(
    hub: Hub, actor: Actor, destination_id: str, *, draft: DestinationDraft
) -> DestinationView:
    """Change a destination; a secret left blank is kept, name and limits are replaced.

    A new address has not been given up, so it is enabled and tried at once.
    """
    with hub.database.write() as session:
        row, owner = locked_row(session, actor, destination_id)
        before = _facts(row)
        target = get_target(row.kind)
        if draft.url.strip():
            check_address(draft.url.strip(), target, hub.settings)
        row.name = clean_name(draft.name)
        config = config_of(draft, row.config_data.get("subscription"))
        if target.has_address:
            row.config_data = config
            changed = keep_entered(hub.vault, row, target, url=draft.url, values=draft.values)
        else:
            changed = rebind_action(session, actor, row, draft, limits=config)
        if URL in changed:
            _enable(session, row)
        changes, fields = audit.difference(before, _facts(row)), ", ".join(changed)
        _changed(session, actor, "destination.updated", row, changes=changes, fields=fields)
        return view(row, actor, owner=owner)


def pause(hub: Hub, actor: Actor, destination_id: str) -> DestinationView:
    """Stop sending; what is routed here meanwhile is kept queued."""
    return _set_active(hub, actor, destination_id, is_active=False)


def resume(hub: Hub, actor: Actor, destination_id: str) -> DestinationView:
    """End a pause."""
    return _set_active(hub, actor, destination_id, is_active=True)


def enable(hub: Hub, actor: Actor, destination_id: str) -> DestinationView:
    """Send again to an address that was disabled because it answered 410."""
    with hub.database.write() as session:
        row, owner = locked_row(session, actor, destination_id)
        _enable(session, row)
        _changed(session, actor, "destination.enabled", row)
        return view(row, actor, owner=owner)


def rotate_signing_secret(hub: Hub, actor: Actor, destination_id: str) -> IssuedDestination:
    """Issue a new signing secret, shown this once; the one before signs along for 24 hours."""
    secret = signing.issue_signing_secret()
    with hub.database.write() as session:
        row, owner = locked_row(session, actor, destination_id)
        require_address(row)
        keep_signing_secret(hub.vault, row, secret)
        row.previous_secret_expires_at = now() + SECRET_OVERLAP
        _changed(session, actor, "destination.secret_rotated", row)
        return IssuedDestination(view(row, actor, owner=owner), secret)


def reveal_url(hub: Hub, actor: Actor, destination_id: str, *, password: str) -> str:
    """Return the full address to its owner, who proves their password once more.

    Raises NotAllowed for staff on a member's, InvalidInput(field="password") for a wrong
    password and RateLimited after too many of them.
    """
    with hub.database.read() as session:
        row, _ = owned_row(session, actor, destination_id)
    require_address(row)
    if row.user_id != actor.id:
        raise NotAllowed("Only its owner may see the full address. Ask them, or enter a new one.")
    confirm_password(hub, actor, password)
    url = open_secrets(hub.vault, row, now()).url
    with hub.database.write() as session:
        audit.record(session, actor, "destination.url_revealed", row.id, name=row.name)
    return url


def count_open(hub: Hub, actor: Actor, destination_id: str) -> int:
    """Return how many deliveries are queued or being sent, which a removal would cancel."""
    with hub.database.read() as session:
        owned_row(session, actor, destination_id)
        # One count for each partial index: an OR would read every delivery.
        return sum(
            session.exec(
                select(func.count())
                .select_from(Delivery)
                .where(col(Delivery.destination_id) == destination_id, is_open)
            ).one()
            for is_open in (
                col(Delivery.next_attempt_at).is_not(None),
                col(Delivery.lease_until).is_not(None),
            )
        )


def remove(hub: Hub, actor: Actor, destination_id: str, *, typed_name: str) -> int:
    """Remove a destination with its routes; return how many open deliveries were cancelled.

    Raises InvalidInput unless `typed_name` is the destination's name. It is paused first and
    its queue emptied in small batches, so a removal that breaks off is repeated.
    """
    with hub.database.write() as session:
        row, _ = locked_row(session, actor, destination_id)
        if typed_name.strip() != row.name:
            raise InvalidInput(f"Type the name {row.name} to remove it.", field="typed_name")
        row.is_active = False
    cancelled = 0
    while batch := _cancel_batch(hub, destination_id):
        cancelled += batch
    with hub.database.write() as session:
        row, _ = locked_row(session, actor, destination_id)
        row.credentials = {}
        row.previous_secret_expires_at = None
        row.deleted_at = now()
        session.execute(
            sql_update(Route)
            .where(col(Route.destination_id) == row.id, col(Route.deleted_at).is_(None))
            .values(is_active=False, deleted_at=row.deleted_at, updated_at=row.deleted_at)
        )
        # What was routed here since the last batch.
        cancelled += _cancel(session, destination_id)
        resolve_of_destination(session, destination_id)
        _changed(session, actor, "destination.removed", row, cancelled=str(cancelled))
    return cancelled


def get(hub: Hub, actor: Actor, destination_id: str) -> DestinationView:
    """Return one destination that `actor` may see; raise NotFound otherwise."""
    with hub.database.read() as session:
        row, owner = visible_row(session, actor, destination_id)
        return view(row, actor, owner=owner)


def list_all(hub: Hub, actor: Actor) -> list[DestinationView]:
    """Return the destinations that `actor` may see, by name."""
    query = (
        select(Destination, User.email)
        .join(User, col(User.id) == col(Destination.user_id))
        .where(col(Destination.deleted_at).is_(None))
        .order_by(col(Destination.name), col(Destination.id))
    )
    if not actor.sees_all:
        query = query.where(col(Destination.user_id) == actor.id)
    with hub.database.read() as session:
        return [view(row, actor, owner=email) for row, email in session.exec(query)]


def _enable(session: Session, row: Destination) -> None:
    row.disabled_at = row.disabled_reason = None
    session.execute(
        sql_update(DestinationState)
        .where(col(DestinationState.destination_id) == row.id)
        .values(breaker="closed", failures_in_row=0, times_opened=0, blocked_until=None)
    )


def _set_active(hub: Hub, actor: Actor, destination_id: str, *, is_active: bool) -> DestinationView:
    with hub.database.write() as session:
        row, owner = locked_row(session, actor, destination_id)
        row.is_active = is_active
        _changed(session, actor, f"destination.{'resumed' if is_active else 'paused'}", row)
        return view(row, actor, owner=owner)


def _cancel_batch(hub: Hub, destination_id: str) -> int:
    with hub.database.write() as session:
        return _cancel(session, destination_id, limit=_CANCEL_BATCH)


def _cancel(session: Session, destination_id: str, *, limit: int | None = None) -> int:
    """Cancel open deliveries; a worker that holds one of them no longer finds its lease."""
    cancelled = 0
    for is_open in (
        col(Delivery.next_attempt_at).is_not(None),
        col(Delivery.lease_until).is_not(None),
    ):
        chosen = (
            select(col(Delivery.id))
            .where(col(Delivery.destination_id) == destination_id, is_open)
            .limit(limit)
            # A batch passes over what a worker holds just now; the last one waits for it.
            .with_for_update(skip_locked=limit is not None)
        )
        done = session.execute(
            sql_update(Delivery)
            .where(col(Delivery.id).in_(chosen), is_open)
            .values(
                status="cancelled",
                next_attempt_at=None,
                lease_id=None,
                lease_until=None,
                finished_at=now(),
            )
            .returning(col(Delivery.id))
            .execution_options(synchronize_session=False)
        )
        cancelled += len(done.all())
    return cancelled


def _facts(row: Destination) -> dict[str, Any]:
    """Return what may be shown of a destination, to tell what a change changed."""
    return {"name": row.name, "host": row.url_host, **row.config_data}


def _changed(
    session: Session, actor: Actor, action: str, row: Destination, **details: audit.Detail
) -> None:
    row.updated_at = now()
    audit.record(session, actor, action, row.id, name=row.name, **details)
