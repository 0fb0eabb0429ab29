"""Durable storage of drafts through the bare drivers.

The statements bypass SQLAlchemy because its per-row work costs more than the insert itself.
Both engines insert a batch with ON CONFLICT DO NOTHING, and look for duplicates only when
fewer rows went in than were sent.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import structlog

from lib.database import Database
from lib.errors import HubError, StorageUnavailable
from lib.intake.drafts import Draft, EventDraft, RejectionDraft, Stored

log = structlog.get_logger()


class BadRow(Exception):
    """One of the rows is at fault, not the storage."""


class DraftSink(ABC):
    """What both engines share: isolation of a bad row, and telling duplicates apart."""

    def write(self, drafts: Sequence[Draft]) -> list[Stored | HubError]:
        """Store all drafts in one transaction; if one is at fault, the others one by one.

        Raises StorageUnavailable when nothing could be stored.
        """
        try:
            return list(self.write_together(drafts))
        except BadRow as error:
            if len(drafts) == 1:
                log.error("row_refused", id=drafts[0].id, why=str(error))
                return [StorageUnavailable("The database refused this one row. See the log.")]
        return [outcome for draft in drafts for outcome in self.write([draft])]

    def write_together(self, drafts: Sequence[Draft]) -> list[Stored]:
        """Store all drafts or none; raise BadRow or StorageUnavailable."""
        events = [draft for draft in drafts if isinstance(draft, EventDraft)]
        rejections = [draft for draft in drafts if isinstance(draft, RejectionDraft)]
        first_ids = self.store(events, rejections)
        if not first_ids:
            return [Stored(draft.id, False) for draft in drafts]
        return [
            Stored(stored, stored != draft.id)
            for draft in drafts
            for stored in (first_ids.get((draft.integration_id, _key(draft)), draft.id),)
        ]

    @abstractmethod
    def store(
        self, events: list[EventDraft], rejections: list[RejectionDraft]
    ) -> dict[tuple[str, str], str]:
        """Commit the rows; return the stored ids by (integration id, dedupe key).

        The result is empty when every event was new.
        """

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""


def open_sink(database: Database) -> DraftSink:
    """Return the sink of the database; only its engine's driver is imported."""
    if database.is_sqlite:
        from lib.intake.sink_sqlite import SqliteSink

        return SqliteSink(database.url)
    from lib.intake.sink_postgresql import PostgresqlSink

    return PostgresqlSink(database.url)


def _key(draft: Draft) -> str:
    return draft.dedupe_key if isinstance(draft, EventDraft) else ""
