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

# One tree and no second copy of the key on SQLite: a range of a scope lies in one piece.
_CLUSTERED = {"sqlite_with_rowid": False}


class EventTotal(Base, table=True):
    """How many requests came to an outcome, by service: hourly_rollups without their types."""

    __tablename__ = "event_totals"
    __table_args__: ClassVar = _CLUSTERED

    scope: str = Field(primary_key=True)
    span: str = Field(primary_key=True)
    since: datetime = Field(primary_key=True)
    service_name: str = Field(primary_key=True)
    outcome: str = Field(primary_key=True)
    count: int


class DeliveryTotal(Base, table=True):
    """How attempts ended, by their number: delivery_rollups without durations."""

    __tablename__ = "delivery_totals"
    __table_args__: ClassVar = _CLUSTERED

    scope: str = Field(primary_key=True)
    span: str = Field(primary_key=True)
    since: datetime = Field(primary_key=True)
    outcome: str = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    count: int


class LatencyTotal(Base, table=True):
    """How long attempts took, whatever their end: the histograms of delivery_rollups."""

    __tablename__ = "latency_totals"
    __table_args__: ClassVar = _CLUSTERED

    scope: str = Field(primary_key=True)
    span: str = Field(primary_key=True)
    since: datetime = Field(primary_key=True)
    bucket: int = Field(primary_key=True)
    count: int


class FailureTotal(Base, table=True):
    """How many attempts failed, by cause: failure_rollups."""

    __tablename__ = "failure_totals"
    __table_args__: ClassVar = _CLUSTERED

    scope: str = Field(primary_key=True)
    span: str = Field(primary_key=True)
    since: datetime = Field(primary_key=True)
    error_class: str = Field(primary_key=True)
    response_status: int = Field(primary_key=True)
    count: int


class MessageTotal(Base, table=True):
    """How many messages and calls stand in which state: message_rollups."""

    __tablename__ = "message_totals"
    __table_args__: ClassVar = _CLUSTERED

    scope: str = Field(primary_key=True)
    span: str = Field(primary_key=True)
    since: datetime = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    state: str = Field(primary_key=True)
    error_code: str = Field(primary_key=True)
    count: int


class DurationTotal(Base, table=True):
    """How long things took: duration_rollups."""

    __tablename__ = "duration_totals"
    __table_args__: ClassVar = _CLUSTERED

    scope: str = Field(primary_key=True)
    span: str = Field(primary_key=True)
    since: datetime = Field(primary_key=True)
    measure: str = Field(primary_key=True)
    bucket: int = Field(primary_key=True)
    count: int
