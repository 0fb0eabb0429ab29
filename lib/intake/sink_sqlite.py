"""Durable storage of drafts on SQLite."""

import sqlite3
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

from sqlalchemy.engine import URL

from lib.clock import hour_of
from lib.database import prepare_sqlite, sqlite_path
from lib.errors import StorageUnavailable
from lib.intake.drafts import EVENT_COLUMNS, REJECTION_COLUMNS, EventDraft, RejectionDraft
from lib.intake.rejection_limit import MOST_KEPT
from lib.intake.sinks import BadRow, DraftSink

_BUSY_MILLISECONDS = 3_000
# Pages of the dedupe index are touched at random: a checkpoint every 4 MB, as is the default,
# would write each of them many times over. A cache beyond 4 MB gains no more than noise.
# A statement for many rows keeps the pages it changes until it is done; without the last one
# it would do so in a temporary file.
_WRITER_PRAGMAS = (
    "PRAGMA cache_size=-4000",
    "PRAGMA wal_autocheckpoint=8000",
    "PRAGMA temp_store=MEMORY",
)


class SqliteSink(DraftSink):
    """Writes through one connection of its own."""

    def __init__(self, url: URL) -> None:
        self._path = sqlite_path(url).resolve()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def store(
        self, events: list[EventDraft], rejections: list[RejectionDraft]
    ) -> dict[tuple[str, str], str]:
        """Commit the rows; see DraftSink."""
        try:
            connection = self._connect()
            connection.execute("BEGIN IMMEDIATE")
            try:
                first_ids = _insert_events(connection, events)
                for rejection in rejections:
                    _insert_rejection(connection, rejection)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.rollback()
        except (sqlite3.IntegrityError, sqlite3.DataError, UnicodeError, OverflowError) as error:
            raise BadRow(type(error).__name__) from error
        except sqlite3.Error as error:
            raise StorageUnavailable(
                f"The database could not be written ({error}). Free space, or end the process "
                "that holds it, and send again."
            ) from error
        return first_ids

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> sqlite3.Connection:
        # A file that was removed or replaced would go on taking writes that nobody can read.
        inode = self._find_file()
        if self._connection is None or inode != self._inode:
            self.close()
            uri = f"{Path(self._path).as_uri()}?mode=rw"
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            prepare_sqlite(connection, busy_milliseconds=_BUSY_MILLISECONDS)
            for pragma in _WRITER_PRAGMAS:
                connection.execute(pragma)
            self._connection, self._inode = connection, inode
        return self._connection

    def _find_file(self) -> int:
        try:
            return self._path.stat().st_ino
        except OSError as error:
            raise StorageUnavailable(
                f"The database file {self._path} is gone. Put it back or restore a backup."
            ) from error


def _insert_events(
    connection: sqlite3.Connection, events: list[EventDraft]
) -> dict[tuple[str, str], str]:
    rows = [(*event[:-1], moment, moment) for event in events for moment in (_text(event[-1]),)]
    inserted = 0
    done = 0
    for size, statement in _EVENT_INSERTS.items():
        while len(rows) - done >= size:
            values = list(chain.from_iterable(rows[done : done + size]))
            inserted += connection.execute(statement, values).rowcount
            done += size
    return {} if inserted == len(events) else _note_duplicates(connection, events)


def _note_duplicates(
    connection: sqlite3.Connection, events: list[EventDraft]
) -> dict[tuple[str, str], str]:
    first_ids = {}
    for event in events:
        place = (event.integration_id, event.dedupe_key)
        (first_id,) = connection.execute(
            "SELECT id FROM webhook_events WHERE integration_id = ? AND dedupe_key = ?", place
        ).fetchone()
        if first_id != event.id:
            connection.execute(
                "UPDATE webhook_events SET duplicates = duplicates + 1 WHERE id = ?", (first_id,)
            )
        first_ids[place] = first_id
    return first_ids


def _insert_rejection(connection: sqlite3.Connection, rejection: RejectionDraft) -> None:
    connection.execute(_REJECTION_INSERT, (*rejection[:-1], _text(rejection.created_at)))
    connection.execute(
        "DELETE FROM rejected_requests WHERE integration_id = ? AND id <= (SELECT id FROM "
        "rejected_requests WHERE integration_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (rejection.integration_id, rejection.integration_id, MOST_KEPT),
    )
    hour = hour_of(rejection.created_at)
    connection.execute(
        "INSERT INTO hourly_rollups (hour, integration_id, event_type, outcome, user_id, "
        "service_name, count) VALUES (?, ?, ?, 'rejected', ?, ?, ?) "
        "ON CONFLICT (hour, integration_id, event_type, outcome) "
        "DO UPDATE SET count = count + excluded.count",
        (
            _text(hour),
            rejection.integration_id,
            rejection.reason,
            rejection.user_id,
            rejection.service_name,
            rejection.not_kept + 1,
        ),
    )


def _event_insert(rows: int) -> str:
    row = f"({'?, ' * (len(EVENT_COLUMNS) + 1)}'pending', 0, 0)"
    return (
        f"INSERT INTO webhook_events ({', '.join(EVENT_COLUMNS)}, due_at, status, duplicates, "
        f"attempts) VALUES {', '.join([row] * rows)} ON CONFLICT DO NOTHING"
    )


def _text(moment: datetime) -> str:
    # The form in which SQLAlchemy keeps a UTC moment, so that both sort together.
    if moment.utcoffset() != timedelta(0):
        raise BadRow("a moment that is not UTC")
    return moment.isoformat(" ", "microseconds")[:26]


# executemany would give up and take back the interpreter's lock once a row, and wait for the
# event loop each time; one statement for many rows does so once.
_EVENT_INSERTS = {size: _event_insert(size) for size in (32, 8, 1)}
_REJECTION_INSERT = (
    f"INSERT INTO rejected_requests ({', '.join(REJECTION_COLUMNS)}) "
    f"VALUES ({', '.join('?' * len(REJECTION_COLUMNS))})"
)
