"""A hub's rows in bulk, made by the database itself: 90 days of a busy installation.

Every row follows from its number, so the same count always makes the same shape. What differs
between the two engines stands in `Dialect`, and the rest is common SQL.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from lib.clock import now
from lib.models import Destination, IntegrationConfig

DAYS = 90
_STEP_COLUMNS = "number, ms, place, kind, person, chance, bucket"
# Multiples of an odd number modulo 2^32 are spread evenly, and independently for different ones.
_SPREAD = (2654435761, 2246822519, 3266489917, 668265263, 374761393)
_NAMES = ("ada", "grace", "alan", "edsger", "barbara", "donald", "radia", "tim", "vint", "margaret")
_TEXTS = ("invoice is paid", "call me back", "running late", "thank you", "new appointment")
_STATES = ("delivered", "delivered", "delivered", "sent", "undelivered")


@dataclass(frozen=True)
class Place:
    """A connection and where its events go."""

    integration: IntegrationConfig
    destination: Destination
    types: tuple[str, ...]


@dataclass(frozen=True)
class Dialect:
    """How an engine says what the two have no common words for; each takes SQL expressions."""

    numbers: str
    moment: str
    hour: str
    hexadecimal: str
    seven_digits: str
    blob: str


SQLITE = Dialect(
    numbers=(
        "WITH RECURSIVE numbers(number) AS "
        "(SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number < {last})"
    ),
    moment="strftime('%Y-%m-%d %H:%M:%f000', ms / 1000.0, 'unixepoch')",
    hour="strftime('%Y-%m-%d %H:00:00.000000', ms / 1000, 'unixepoch')",
    hexadecimal="printf('%0{width}x', {value})",
    seven_digits="printf('%07d', {value})",
    blob="CAST({value} AS BLOB)",
)
POSTGRESQL = Dialect(
    numbers="WITH numbers(number) AS (SELECT generate_series(0::bigint, {last}))",
    moment="to_timestamp(ms / 1000.0)",
    hour="to_timestamp(ms / 3600000 * 3600)",
    hexadecimal="lpad(to_hex({value}), {width}, '0')",
    seven_digits="lpad(({value})::text, 7, '0')",
    blob="convert_to({value}, 'UTF8')",
)


def statements(places: list[Place], events: int, dialect: Dialect) -> Iterator[str]:
    """Yield what fills an empty hub, in order; later ones read the tables of the first two."""
    yield from _make_places(places)
    yield from _make_steps(places, events, dialect)
    yield from _insert_events(dialect)
    yield from _insert_rollups(dialect)
    yield "DROP TABLE bench_steps"
    yield "DROP TABLE bench_places"


def _make_places(places: list[Place]) -> Iterator[str]:
    yield (
        "CREATE TABLE bench_places (place integer PRIMARY KEY, integration_id text, user_id text, "
        "service_name text, destination_id text)"
    )
    rows = ", ".join(
        f"({number}, '{place.integration.id}', '{place.integration.user_id}', "
        f"'{place.integration.service_name}', '{place.destination.id}')"
        for number, place in enumerate(places)
    )
    yield f"INSERT INTO bench_places VALUES {rows}"


def _make_steps(places: list[Place], events: int, dialect: Dialect) -> Iterator[str]:
    """Make the choices of each event; `chance` is even from 0 to 1."""
    end = int(now().timestamp() * 1000)
    length = timedelta(days=DAYS) // timedelta(milliseconds=1)
    a, b, c, d, e = (f"(number * {prime} % 4294967296 / 4294967296.0)" for prime in _SPREAD)
    numbers = dialect.numbers.format(last=events - 1)
    kinds, persons = len(places[0].types), max(events // 20, 1)
    yield (
        "CREATE TABLE bench_steps (number bigint PRIMARY KEY, ms bigint, place integer, "
        "kind integer, person integer, chance double precision, bucket integer)"
    )
    # A few connections have most of the traffic, and a few types most of theirs.
    yield (
        f"INSERT INTO bench_steps ({_STEP_COLUMNS}) {numbers} SELECT number, "
        f"{end - length} + number * {length} / {events}, "
        f"CAST(floor({len(places)} * {a} * {a}) AS integer), "
        f"CAST(floor({kinds} * {b} * {b} * {b}) AS integer), "
        f"CAST(floor({persons} * {c} * {c}) AS integer), {d}, "
        f"CAST(20 + floor(12 * {e}) AS integer) FROM numbers"
    )


def _insert_events(dialect: Dialect) -> Iterator[str]:
    event_id, delivery_id = _id("evt", dialect), _id("dlv", dialect)
    phone = f"'+1415' || {dialect.seven_digits.format(value='person')}"
    name = _choice(_NAMES, "person")
    email = f"{name} || person || '@example.com'"
    text = f"{name} || ' ' || {_choice(_TEXTS, 'number')} || ' order' || number"
    sid = f"'SM' || {dialect.hexadecimal.format(width=32, value='number')}"
    payload = (
        f'\'{{"From": "\' || {phone} || \'", "Body": "\' || {text} || \'", "email": "\' '
        f'|| {email} || \'", "sid": "\' || {sid} || \'"}}\''
    )
    source = "FROM bench_steps JOIN bench_places USING (place)"
    went_on = f"{source} WHERE chance >= 0.01"
    dead = "chance > 0.98"
    yield (
        "INSERT INTO webhook_events (id, user_id, integration_id, service_name, event_type, "
        "dedupe_key, external_id, method, content_type, payload, headers, source_ip, verification, "
        "status, response_code, duplicates, attempts, due_at, created_at) "
        f"SELECT {event_id}, user_id, integration_id, service_name, "
        f"service_name || '.type' || kind, {event_id}, {sid}, 'POST', 'application/json', "
        f"{dialect.blob.format(value=payload)}, '{{\"user-agent\": \"bench\"}}', '203.0.113.7', "
        '\'{"scheme": "bench", "key": "auth_token"}\', '
        "CASE WHEN chance < 0.01 THEN 'failed' ELSE 'success' END, 200, "
        f"CASE WHEN chance > 0.99 THEN 1 ELSE 0 END, 0, {dialect.moment}, {dialect.moment} "
        f"{source} ORDER BY number"
    )
    for kind, value in (("email", email), ("id", sid), ("phone", phone)):
        yield (
            "INSERT INTO event_keys (event_id, kind, value) "
            f"SELECT {event_id}, '{kind}', {value} {went_on} ORDER BY number"
        )
    yield (
        "INSERT INTO search_documents (id, event_id, text) SELECT number + 1, "
        f"{event_id}, {phone} || ' ' || {text} || ' ' || {email} || ' ' || {sid} "
        f"{went_on} ORDER BY number"
    )
    yield (
        "INSERT INTO deliveries (id, user_id, event_id, destination_id, integration_id, "
        "service_name, event_type, status, attempts, response_status, error_class, last_error, "
        f"created_at, finished_at) SELECT {delivery_id}, user_id, {event_id}, destination_id, "
        f"integration_id, service_name, service_name || '.type' || kind, "
        f"CASE WHEN {dead} THEN 'dead' ELSE 'delivered' END, "
        f"CASE WHEN {dead} THEN 10 ELSE 1 END, CASE WHEN {dead} THEN 500 ELSE 200 END, "
        f"CASE WHEN {dead} THEN 'http_5xx' END, "
        f"CASE WHEN {dead} THEN 'The other side failed with status 500.' END, "
        f"{dialect.moment}, {dialect.moment} {went_on} ORDER BY number"
    )


def _insert_rollups(dialect: Dialect) -> Iterator[str]:
    source = "FROM bench_steps JOIN bench_places USING (place)"
    outcome = "CASE WHEN chance > 0.98 THEN 'dead' ELSE 'delivered' END"
    tables = {
        "hourly_rollups "
        "(hour, integration_id, event_type, outcome, service_name, user_id, count)": (
            "integration_id, service_name || '.type' || kind, 'received', service_name, user_id",
            "",
        ),
        "delivery_rollups (hour, destination_id, outcome, attempt, bucket, user_id, count)": (
            f"destination_id, {outcome}, 1, bucket, user_id",
            "WHERE chance >= 0.01",
        ),
        "failure_rollups (hour, destination_id, error_class, response_status, user_id, count)": (
            "destination_id, 'http_5xx', 500, user_id",
            "WHERE chance > 0.98",
        ),
        "message_rollups (hour, integration_id, kind, state, error_code, user_id, count)": (
            f"integration_id, 'message', {_choice(_STATES, 'number')}, '', user_id",
            "WHERE service_name = 'twilio'",
        ),
        "duration_rollups (hour, integration_id, measure, bucket, user_id, count)": (
            "integration_id, 'message_delivered', bucket, user_id",
            "WHERE service_name = 'twilio'",
        ),
    }
    for table, (columns, condition) in tables.items():
        keys = ", ".join(str(number + 1) for number in range(table.count(",")))
        yield (
            f"INSERT INTO {table} SELECT {dialect.hour}, {columns}, count(*) {source} {condition} "
            f"GROUP BY {keys}"
        )


def _id(prefix: str, dialect: Dialect) -> str:
    milliseconds, low, number = (
        dialect.hexadecimal.format(width=width, value=value)
        for width, value in ((12, "ms"), (3, "number & 4095"), (16, "number"))
    )
    return f"'{prefix}_' || {milliseconds} || '7' || {low} || {number}"


def _choice(values: tuple[str, ...], number: str) -> str:
    cases = " ".join(f"WHEN {index} THEN '{value}'" for index, value in enumerate(values))
    return f"CASE {number} % {len(values)} {cases} END"
