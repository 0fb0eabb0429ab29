"""The record of calls to vendors, kept for whoever wonders what the hub asked and when."""

from collections.abc import Sequence

from sqlmodel import Session

from lib.clock import now
from lib.http import CallRecord
from lib.ids import new_id
from lib.models import ApiCall, IntegrationConfig


def keep_calls(session: Session, row: IntegrationConfig, calls: Sequence[CallRecord]) -> None:
    """Add one entry for each call that was made for a connection."""
    session.add_all(
        ApiCall(
            id=new_id("api"),
            user_id=row.user_id,
            integration_id=row.id,
            method=call.method,
            path=call.path,
            status=call.status,
            milliseconds=call.milliseconds,
            error=call.error,
            created_at=now(),
        )
        for call in calls
    )
