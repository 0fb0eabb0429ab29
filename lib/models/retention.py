"""How far retention has come, so that no round looks again at what an earlier one cleaned."""

from sqlmodel import Field

from lib.models.registry import Base


class RetentionCursor(Base, table=True):
    """Up to where one kind of content of an owner was cleaned.

    `position` is an event's id, or an hour for rollups; nothing before it is left over,
    except the events in `retention_waiting`.
    """

    __tablename__ = "retention_cursors"

    owner_id: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    position: str


class RetentionWaiting(Base, table=True):
    """An event behind the cursor that was still needed; each round looks at it again.

    There is no foreign key to the event, which would need an index of its own: whoever
    removes the event removes these rows, and a row without an event is dropped when found.
    """

    __tablename__ = "retention_waiting"

    integration_id: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    event_id: str = Field(primary_key=True)
