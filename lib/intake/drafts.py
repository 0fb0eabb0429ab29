"""Rows on their way into the database, in the order of their columns."""

from datetime import datetime
from typing import NamedTuple

KEPT_BODY_BYTES = 16_384
# The fact `called` of a refused request: path and query, cut here.
MOST_CALLED = 4_000


class EventDraft(NamedTuple):
    """A verified request; the fields are the first columns of the insert, in this order."""

    id: str
    user_id: str
    integration_id: str
    service_name: str
    event_type: str
    dedupe_key: str
    external_id: str | None
    method: str
    content_type: str
    payload: bytes
    headers: str
    source_ip: str
    verification: str
    response_code: int
    created_at: datetime

    @property
    def size(self) -> int:
        """How many bytes the sender's part of it has."""
        return len(self.payload) + len(self.headers)


class RejectionDraft(NamedTuple):
    """A refused request; `body` is its first 16 KB at most."""

    id: str
    user_id: str
    integration_id: str
    service_name: str
    reason: str
    message: str
    facts: str
    method: str
    content_type: str
    headers: str
    body: bytes
    body_bytes: int
    source_ip: str
    response_code: int
    not_kept: int
    created_at: datetime

    @property
    def size(self) -> int:
        """How many bytes the sender's part of it has."""
        return len(self.body) + len(self.headers)


class Stored(NamedTuple):
    """The id under which a draft is stored; of a duplicate, the id of the first."""

    id: str
    is_duplicate: bool


Draft = EventDraft | RejectionDraft
EVENT_COLUMNS = EventDraft._fields
REJECTION_COLUMNS = RejectionDraft._fields
