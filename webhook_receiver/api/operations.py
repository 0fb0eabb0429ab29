"""What an operation is: everything that routes, checks and documents are derived from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from lib.hub import Hub
from lib.people.api_tokens import Caller


@dataclass(frozen=True, repr=False)
class Call:
    """One request of a known caller, its values checked against the operation's models.

    `unique` is the request's Idempotency-Key.
    """

    hub: Hub
    caller: Caller
    path: Mapping[str, str]
    query: Any
    body: Any
    address: str
    unique: str | None


@dataclass(frozen=True, repr=False)
class Reply:
    """What a handler answers; `next_cursor` becomes a Link to the next page.

    `status` replaces the operation's where it has several.
    """

    document: BaseModel | None = None
    next_cursor: str | None = None
    status: int | None = None


@dataclass(frozen=True)
class Operation:
    """One thing that callers can ask for.

    `scope` is what a token needs, None for any token. A handler runs in a thread and may
    raise any HubError. `creates` lets callers send an Idempotency-Key; `calls_vendor` keeps
    slow calls apart from quick ones; `raises` are the statuses that it alone can have. `bodies`
    says of a body that takes many shapes which it takes when, in words for the document.
    `may_repeat` says of a call whether it may be carried out again when its end is unknown.
    """

    method: str
    path: str
    scope: str | None
    summary: str
    handler: Callable[[Call], Reply]
    answer: type[BaseModel] | None = None
    status: int = 200
    body: type[BaseModel] | None = None
    bodies: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    query: type[BaseModel] | None = None
    other_answers: Mapping[int, type[BaseModel]] = field(default_factory=dict)
    creates: bool = False
    calls_vendor: bool = False
    raises: tuple[int, ...] = ()
    note: str = ""
    may_repeat: Callable[[Call], bool] = lambda _: True

    @property
    def name(self) -> str:
        """Return the operation's id, such as get_events_id."""
        words = self.path.removeprefix("/api/").replace("-", "_").replace("/", "_")
        return f"{self.method.lower()}_{words.replace('{', '').replace('}', '')}"
