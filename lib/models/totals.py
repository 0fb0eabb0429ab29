"""The hourly counts summed up over what nobody asks for, by the hour and by the day in UTC.

Triggers of revision 0007 keep them, in the transaction of each change of a rollup, whoever makes
it; nothing else may write here. Every count stands under three scopes: "" for the whole hub, the
owner's id, and the id of the integration or destination. A reader picks scopes that do not
overlap. A later revision that copies a table of rollups, as Alembic's batch mode does on SQLite,
has to make its triggers again.
"""

from datetime import datetime
from typing import ClassVar

from sqlmodel import Field

from lib.models.registry import Base


class _Total(Base):
    """What every table of totals begins its key with; `span` is hour or day."""

    # One tree and no second copy of the key on SQLite: a range of a scope lies in one piece.
    __table_args__: ClassVar = {"sqlite_with_rowid": False}

    scope: str = Field(primary_key=True)
    span: str = Field(primary_key=True)
    since: datetime = Field(primary_key=True)


class EventTotal(_Total, table=True):
    """How many requests came to an outcome, by service: hourly_rollups without their types."""

    __tablename__ = "event_totals"

    service_name: str = Field(primary_key=True)
    outcome: str = Field(primary_key=True)
    count: int


class DeliveryTotal(_Total, table=True):
    """How attempts ended, by their number: delivery_rollups without durations."""

    __tablename__ = "delivery_totals"

    outcome: str = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    count: int


class LatencyTotal(_Total, table=True):
    """How long attempts took, whatever their end: the histograms of delivery_rollups."""

    __tablename__ = "latency_totals"

    bucket: int = Field(primary_key=True)
    count: int


class FailureTotal(_Total, table=True):
    """How many attempts failed, by cause: failure_rollups."""

    __tablename__ = "failure_totals"

    error_class: str = Field(primary_key=True)
    response_status: int = Field(primary_key=True)
    count: int


class MessageTotal(_Total, table=True):
    """How many messages and calls stand in which state: message_rollups."""

    __tablename__ = "message_totals"

    kind: str = Field(primary_key=True)
    state: str = Field(primary_key=True)
    error_code: str = Field(primary_key=True)
    count: int


class DurationTotal(_Total, table=True):
    """How long things took: duration_rollups."""

    __tablename__ = "duration_totals"

    measure: str = Field(primary_key=True)
    bucket: int = Field(primary_key=True)
    count: int
