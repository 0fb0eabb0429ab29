"""Durable storage of drafts on PostgreSQL."""

import base64
from collections import Counter
from datetime import datetime
from typing import Any

import orjson
import psycopg
from sqlalchemy.engine import URL

from lib.clock import hour_of
from lib.database import EVENTS_CHANNEL
from lib.errors import StorageUnavailable
from lib.intake.drafts import EVENT_COLUMNS, REJECTION_COLUMNS, EventDraft, RejectionDraft
from lib.intake.rejection_limit import MOST_KEPT
from lib.intake.sinks import BadRow, DraftSink

_TIMEOUT_MILLISECONDS = 3_000
# The server undid the whole batch for another's sake, and says itself that it may be sent again.
_CHOSEN_VICTIM = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
_NOTICE = f"NOTIFY {EVENTS_CHANNEL}"
_COLUMN_TYPES = {"response_code": "integer", "created_at": "timestamptz"}
# JSON holds no bytes, so the payload travels as base64.
_SELECTED = {"payload": "decode(payload, 'base64')"}


class PostgresqlSink(DraftSink):
    """Writes through one connection of its own, opened again when the server went away."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None

    def store(
        self, events: list[EventDraft], rejections: list[RejectionDraft]
    ) -> dict[tuple[str, str], str]:
        """Commit the rows; see DraftSink.

        A connection that turns out to be dead is replaced and the batch sent once more, and so
        is the victim of a deadlock: the keys are unique, so rows that did go in are found again
        under their own ids.
        """
        had_connection = self._connection is not None
        try:
            return self._commit(events, rejections)
        except psycopg.OperationalError as error:
            dead = self._connection is None or self._connection.closed
            self.close()
            if not (had_connection and dead) and not isinstance(error, _CHOSEN_VICTIM):
                raise _unavailable(error) from error
        try:
            return self._commit(events, rejections)
        except psycopg.OperationalError as error:
            self.close()
            raise _unavailable(error) from error

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _commit(
        self, events: list[EventDraft], rejections: list[RejectionDraft]
    ) -> dict[tuple[str, str], str]:
        connection = self._connect()
        try:
            with connection.transaction():
                first_ids = _insert_events(connection, events)
                _insert_rejections(connection, rejections)
                connection.execute(_NOTICE)
        except (psycopg.DataError, psycopg.IntegrityError, orjson.JSONEncodeError) as error:
            raise BadRow(type(error).__name__) from error
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            raise _unavailable(error) from error
        return first_ids

    def _connect(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            address = self._url.set(drivername="postgresql")
            self._connection = psycopg.connect(
                address.render_as_string(hide_password=False),
                autocommit=True,
                connect_timeout=3,
                options=f"-c statement_timeout={_TIMEOUT_MILLISECONDS} "
                f"-c lock_timeout={_TIMEOUT_MILLISECONDS}",
            )
        return self._connection


def _insert_events(
    connection: psycopg.Connection[Any], events: list[EventDraft]
) -> dict[tuple[str, str], str]:
    if not events:
        return {}
    # In one order everywhere, so that two receivers cannot wait for each other's keys.
    ordered = sorted(events, key=lambda event: (event.integration_id, event.dedupe_key))
    rows = orjson.dumps([_as_json(event) for event in ordered]).decode()
    inserted = connection.execute(_EVENT_INSERT, [rows]).rowcount
    return {} if inserted == len(events) else _note_duplicates(connection, ordered)


def _as_json(event: EventDraft) -> dict[str, object]:
    row: dict[str, object] = dict(zip(EVENT_COLUMNS, event, strict=True))
    row["payload"] = base64.b64encode(event.payload).decode()
    return row


def _note_duplicates(
    connection: psycopg.Connection[Any], events: list[EventDraft]
) -> dict[tuple[str, str], str]:
    places = [[event.integration_id for event in events], [event.dedupe_key for event in events]]
    found = connection.execute(
        "SELECT integration_id, dedupe_key, id FROM webhook_events WHERE "
        "(integration_id, dedupe_key) IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
        places,
    ).fetchall()
    first_ids = {(integration_id, key): event_id for integration_id, key, event_id in found}
    stored = ((first_ids[event.integration_id, event.dedupe_key], event.id) for event in events)
    # By id, as the worker locks them.
    for first_id in sorted(first_id for first_id, own_id in stored if first_id != own_id):
        connection.execute(
            "UPDATE webhook_events SET duplicates = duplicates + 1 WHERE id = %s", (first_id,)
        )
    return first_ids


def _insert_rejections(
    connection: psycopg.Connection[Any], rejections: list[RejectionDraft]
) -> None:
    """Keep and count them table by table, each in one order for all receivers."""
    counts: Counter[tuple[datetime, str, str, str, str]] = Counter()
    for draft in rejections:
        connection.execute(_REJECTION_INSERT, draft)
        hour = hour_of(draft.created_at)
        place = (hour, draft.integration_id, draft.reason, draft.user_id, draft.service_name)
        counts[place] += draft.not_kept + 1
    for integration_id in sorted({draft.integration_id for draft in rejections}):
        connection.execute(
            "DELETE FROM rejected_requests WHERE integration_id = %s AND id <= (SELECT id FROM "
            "rejected_requests WHERE integration_id = %s ORDER BY id DESC LIMIT 1 OFFSET %s)",
            (integration_id, integration_id, MOST_KEPT),
        )
    for place, count in sorted(counts.items()):
        connection.execute(
            "INSERT INTO hourly_rollups (hour, integration_id, event_type, outcome, user_id, "
            "service_name, count) VALUES (%s, %s, %s, 'rejected', %s, %s, %s) "
            "ON CONFLICT (hour, integration_id, event_type, outcome) "
            "DO UPDATE SET count = hourly_rollups.count + excluded.count",
            (*place, count),
        )


def _unavailable(error: psycopg.Error) -> StorageUnavailable:
    # The driver's own text can repeat a row, so only its name is passed on.
    return StorageUnavailable(
        f"PostgreSQL could not store this ({type(error).__name__}). Check that the server runs, "
        "has space and is not read-only, and send again."
    )


# One JSON document for all rows: the driver would spend ten times as long on arrays.
_EVENT_INSERT = (
    f"INSERT INTO webhook_events ({', '.join(EVENT_COLUMNS)}, due_at, status, duplicates, "
    f"attempts) SELECT {', '.join(_SELECTED.get(name, name) for name in EVENT_COLUMNS)}, "
    "created_at, 'pending', 0, 0 FROM json_to_recordset(%s::json) AS rows("
    + ", ".join(f"{name} {_COLUMN_TYPES.get(name, 'text')}" for name in EVENT_COLUMNS)
    + ") ON CONFLICT DO NOTHING"
)
_REJECTION_INSERT = (
    f"INSERT INTO rejected_requests ({', '.join(REJECTION_COLUMNS)}) "
    f"VALUES ({', '.join(['%s'] * len(REJECTION_COLUMNS))})"
)
