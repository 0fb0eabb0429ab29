"""What is derived from an event: keys, words, a state, a turn of a conversation. Pure; no I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lib.outgoing.envelope import EventFacts
from lib.providers.payloads import decode_payload
from lib.providers.registry import get_provider
from lib.providers.reports import StateReport, Turn

_MOST_WORDS_CHARACTERS = 4_000
_MOST_KEYS = 50
_LONGEST_KEY = 200


@dataclass(frozen=True)
class Derived:
    """The (kind, value) keys and the search text of one event, and what it reports."""

    keys: frozenset[tuple[str, str]]
    text: str
    report: StateReport | None = None
    turn: Turn | None = None


def derive(event: EventFacts) -> Derived:
    """Return what an event is found by and what it reports, whatever its payload holds."""
    provider = get_provider(event.service_name)
    decoded = decode_payload(event.content_type, event.payload)
    found = sorted(provider.extract_keys(decoded))[:_MOST_KEYS]
    keys = frozenset((kind, _storable(value)[:_LONGEST_KEY]) for kind, value in found)
    return Derived(
        keys,
        _text(decoded),
        provider.report(event.event_type, decoded),
        provider.turn(event.event_type, decoded),
    )


def _text(decoded: Any) -> str:
    parts: list[str] = []
    size = 0
    for part in _leaves(decoded):
        parts.append(part)
        size += len(part) + 1
        if size >= _MOST_WORDS_CHARACTERS:
            break
    return _storable(" ".join(parts))[:_MOST_WORDS_CHARACTERS]


def _leaves(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(reversed(item.values()))
        elif isinstance(item, list):
            waiting.extend(reversed(item))
        elif item is not None and not isinstance(item, bool):
            yield str(item)


def _storable(text: str) -> str:
    # PostgreSQL refuses NUL, and neither engine takes a lone surrogate.
    return text.replace("\x00", " ").encode("utf-8", "replace").decode()
