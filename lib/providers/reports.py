"""What a vendor's events tell of messages and calls: how far they came, and whose turn it was."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class StateReport:
    """How far something at the vendor has come, as one event says.

    `rank` orders the states of its `kind`; `sequence` is the vendor's own number of the
    report, which goes before the rank. `is_arrival` marks the one state in which a thing has
    first reached whom it is for.
    """

    sid: str
    kind: str
    state: str
    rank: int
    sequence: int | None = None
    error_code: str | None = None
    is_arrival: bool = False


@dataclass(frozen=True)
class Journey:
    """The stages that a kind of thing goes through at the vendor, in order.

    `passed` says how many of them a thing has been through that stands in a state, at least
    one; a state that is among `failed` is an end without success.
    """

    kind: str
    label: str
    stages: tuple[str, ...]
    passed: Mapping[str, int]
    failed: frozenset[str]


@dataclass(frozen=True)
class Turn:
    """One message of a conversation: `contact` was written to, or wrote.

    `contact` is whatever names the person at the vendor: a number, an address or an id.
    """

    contact: str
    is_ours: bool
