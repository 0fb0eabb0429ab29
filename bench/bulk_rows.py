"""A hub's rows in bulk, as the screens' benchmark needs them: 90 days of a busy installation."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lib.clock import now
from lib.ids import first_id
from lib.models import Destination, IntegrationConfig

DAYS = 90
_NAMES = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Radia", "Tim", "Vint", "Margaret")
_TEXTS = ("invoice is paid", "call me back", "running late", "thank you", "new appointment")
Row = tuple[Any, ...]

COLUMNS = {
    "webhook_events": (
        "id", "user_id", "integration_id", "service_name", "event_type", "dedupe_key",
        "external_id", "method", "content_type", "payload", "headers", "source_ip", "verification",
        "status", "response_code", "duplicates", "attempts", "due_at", "created_at",
    ),
    "event_keys": ("event_id", "kind", "value"),
    "search_documents": ("id", "event_id", "text"),
    "deliveries": (
        "id", "user_id", "event_id", "destination_id", "integration_id", "service_name",
        "event_type", "status", "attempts", "next_attempt_at", "response_status", "error_class",
        "last_error", "created_at", "finished_at",
    ),
    "hourly_rollups": (
        "hour", "integration_id", "event_type", "outcome", "user_id", "service_name", "count",
    ),
    "delivery_rollups": (
        "hour", "destination_id", "outcome", "attempt", "bucket", "user_id", "count",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A connection and where its events go."""

    integration: IntegrationConfig
    destination: Destination
    types: tuple[str, ...]


class BulkRows:
    """Blocks of rows by table, oldest first; the same number always makes the same shape."""

    def __init__(self, places: list[Place], events: int) -> None:
        self._places = places
        self._events = events
        self._chance = random.Random(events)
        self._end = now()
        self._received: Counter[Row] = Counter()
        self._attempted: Counter[Row] = Counter()

    def blocks(self, size: int = 50_000) -> Iterator[dict[str, list[Row]]]:
        """Yield the rows in blocks of `size` events, the rollups in a last one."""
        step = timedelta(days=DAYS) / self._events
        for begin in range(0, self._events, size):
            block: dict[str, list[Row]] = {name: [] for name in COLUMNS}
            for number in range(begin, min(begin + size, self._events)):
                moment = self._end - step * (self._events - number)
                self._add(block, number, moment.astimezone(UTC))
            yield block
        yield {
            "hourly_rollups": [(*place, count) for place, count in self._received.items()],
            "delivery_rollups": [(*place, count) for place, count in self._attempted.items()],
        }

    def _add(self, block: dict[str, list[Row]], number: int, moment: datetime) -> None:
        chance = self._chance.random()
        # A few connections have most of the traffic, and a few types most of theirs.
        place = self._places[int(len(self._places) * self._chance.random() ** 2)]
        item = place.integration
        event_type = place.types[int(len(place.types) * self._chance.random() ** 3)]
        person = int(self._chance.random() ** 2 * self._events / 20)
        name = _NAMES[person % len(_NAMES)]
        phone, email = f"+1415{person % 10_000_000:07d}", f"{name.lower()}{person}@example.com"
        text = f"{name} {_TEXTS[number % len(_TEXTS)]} order{number}"
        event_id = _id("evt", moment, number)
        sid = f"SM{number:032x}"
        payload = json.dumps({"From": phone, "Body": text, "email": email, "sid": sid}).encode()
        status = "failed" if chance < 0.01 else "success"
        hour = moment.replace(minute=0, second=0, microsecond=0)
        block["webhook_events"].append((
            event_id, item.user_id, item.id, item.service_name, event_type, event_id, sid, "POST",
            "application/json", payload, '{"user-agent": "bench"}', "203.0.113.7",
            '{"scheme": "bench", "key": "auth_token"}', status, 200, int(chance > 0.99), 0, moment,
            moment,
        ))  # fmt: skip
        self._received[
            (hour, item.id, event_type, "received", item.user_id, item.service_name)
        ] += 1
        if status == "failed":
            return
        block["event_keys"] += [
            (event_id, "phone", phone), (event_id, "email", email), (event_id, "id", sid),
        ]  # fmt: skip
        block["search_documents"].append((number + 1, event_id, f"{phone} {text} {email} {sid}"))
        is_dead = self._chance.random() < 0.02
        block["deliveries"].append((
            _id("dlv", moment, number), item.user_id, event_id, place.destination.id, item.id,
            item.service_name, event_type, "dead" if is_dead else "delivered", 1 + 9 * is_dead,
            None, 500 if is_dead else 200, "http_5xx" if is_dead else None,
            "The other side failed with status 500." if is_dead else None, moment, moment,
        ))  # fmt: skip
        bucket = 20 + int(self._chance.random() * 12)
        outcome = "dead" if is_dead else "delivered"
        owner = (hour, place.destination.id, outcome, 1, bucket, item.user_id)
        self._attempted[owner] += 1


def _id(prefix: str, moment: datetime, number: int) -> str:
    return f"{first_id(prefix, moment)[:-20]}7{number & 0xFFF:03x}{number:016x}"
