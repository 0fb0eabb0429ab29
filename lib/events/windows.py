"""Pages of event ids, newest first, at a cost that does not grow with what is stored.

What an index answers is read from it. For the rest the newest events are looked at in windows of
a thousand, and a page may end before it is full: it says how far back it has searched, and its
cursor goes on from there. Rare things (a tag, a dead delivery, few hits of a search) are gone
through in their own order instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, literal_column, select, true, union_all
from sqlmodel import Session, col

from lib.access import Actor
from lib.errors import InvalidInput, NotAllowed
from lib.events import search
from lib.events.conditions import (
    EventFilters,
    bounds,
    derived_conditions,
    stored_conditions,
    unresolved,
)
from lib.id_lists import is_listed, listed
from lib.ids import moment_of
from lib.lists.paging import Page, check_limit
from lib.models import Delivery, EventKey, IntegrationConfig, WebhookEvent
from lib.outgoing.expressions import Expression, ExpressionError, compile_expression
from lib.providers.payloads import decode_payload

WINDOW = 1_000
# How many windows are looked at for one page.
FEW_WINDOWS, MANY_WINDOWS = 3, 500
# Deliveries of these statuses are rare, and an index holds them by event.
_RARE = ("dead", "retrying")
# Above every id of an event.
_NEWEST = "evt_g"
_ID = col(WebhookEvent.id)


@dataclass(frozen=True)
class _Window:
    """The matching events from `low` on; an earlier window follows unless `is_last`."""

    query: Select[Any]
    parameters: dict[str, Any]
    low: str
    is_last: bool


class EventSearch:
    """One question about events, asked in one session."""

    def __init__(self, session: Session, actor: Actor, filters: EventFilters) -> None:
        """Raise InvalidInput for a filter that cannot be, and NotAllowed for an analyst's search.

        A hit of it would tell an analyst that a contact exists.
        """
        hides = filters.search.strip() or filters.tag or filters.expression
        if actor.sees_masked and hides:
            raise NotAllowed("Analysts cannot search contacts. Use the other filters.")
        self._session = session
        self._filters = filters
        self._is_sqlite = session.get_bind().dialect.name == "sqlite"
        self._own = [] if actor.sees_all else [col(WebhookEvent.user_id) == actor.id]
        self._stored = [*stored_conditions(filters), *self._own]
        self._derived = derived_conditions(filters, is_sqlite=self._is_sqlite)
        self._expression = _compile(filters.expression)
        self._keys: list[str] = []
        self._common_keys: list[str] = []
        self._few: set[str] | None = None
        self._asks_words = bool(filters.search.strip())
        if self._asks_words:
            self._keys = search.keys_of(filters.search, self._regions(actor))
            self._few = search.find_few(session, filters.search, self._keys)
            if self._few is None and search.is_common(session, self._keys):
                self._common_keys = self._keys
        elif filters.status == "pending":
            self._few = self._pending()

    def page(
        self, *, cursor: str | None, limit: int, windows: int | None = None, also: Any = None
    ) -> Page[str]:
        """Return a page of ids before `cursor`, having looked at `windows`, or few, at most."""
        found: list[str] = []
        wanted = check_limit(limit) + 1
        high = cursor or _NEWEST
        for _ in range(windows or FEW_WINDOWS):
            window = self._next_window(high, true() if also is None else also)
            found += self._read(window, wanted - len(found))
            if len(found) == wanted:
                return Page(found[:limit], found[limit - 1])
            if window.is_last:
                return Page(found, None)
            high = window.low
        return Page(found, high, moment_of(high))

    def _next_window(self, high: str, also: ColumnElement[bool]) -> _Window:
        query = select(_ID).where(high > _ID, also, *self._stored, *self._derived)
        if self._few is not None:
            return self._among(query, sorted(each for each in self._few if each < high))
        if (rare := self._rare(high)) is not None:
            ids = list(self._session.execute(rare.limit(WINDOW)).scalars())
            window = self._among(query, ids)
            return self._holding_words(window, high)
        base, is_whole = self._base()
        if is_whole:
            return _Window(query, {}, high, is_last=True)
        of_base = select(_ID).where(high > _ID, *base).order_by(_ID.desc())
        low = self._session.execute(of_base.offset(WINDOW - 1).limit(1)).scalar()
        window = _Window(query.where((low or "") <= _ID), {}, low or "", is_last=low is None)
        return self._holding_words(window, high)

    def _holding_words(self, window: _Window, high: str) -> _Window:
        """Narrow a window below `high` to what the search finds, if one is asked."""
        if self._common_keys:
            return replace(window, query=window.query.where(search.holds_key(self._common_keys)))
        if not self._asks_words:
            return window
        found = search.holds(self._filters.search, self._keys, is_sqlite=self._is_sqlite)
        between: dict[str, Any] = {}
        if self._is_sqlite:
            between = search.documents_between(self._session, window.low, high)
        return replace(
            window,
            query=window.query.where(found),
            parameters={**window.parameters, **between},
        )

    def _among(self, query: Select[Any], ids: list[str]) -> _Window:
        newest = sorted(ids, reverse=True)[:WINDOW]
        is_last = len(ids) <= WINDOW if self._few is not None else len(ids) < WINDOW
        low = newest[-1] if newest else ""
        return _Window(query.where(is_listed(_ID)), listed(newest), low, is_last)

    def _rare(self, high: str) -> Select[Any] | None:
        """Return the ids of the events with something rare, from an index that has them by id."""
        values = [self._filters.tag] if self._filters.tag else self._common_keys
        if values:
            column = col(EventKey.event_id)
            condition: ColumnElement[bool] = col(EventKey.value).in_(values)
        elif self._filters.status in _RARE:
            column = col(Delivery.event_id)
            condition = _is_in(self._filters.status)
        elif self._filters.status == "failing":
            return _failing(high)
        else:
            return None
        return select(column).where(condition, column < high).distinct().order_by(column.desc())

    def _base(self) -> tuple[list[ColumnElement[bool]], bool]:
        """Return what one index answers in the order of ids, and whether that is all."""
        asked, found = self._filters, bounds(self._filters)
        narrowed = [bool(asked.event_type), bool(asked.integration_id), bool(asked.status)]
        if asked.integration_id:
            found.append(col(WebhookEvent.integration_id) == asked.integration_id)
        elif asked.event_type:
            found += [col(WebhookEvent.event_type) == asked.event_type, *self._own]
        elif asked.status == "failed":
            found.append(col(WebhookEvent.status) == literal_column("'failed'"))
        else:
            found += self._own
        is_answered = sum(narrowed) == 0 or (
            sum(narrowed) == 1 and (asked.status is None or asked.status == "failed")
        )
        if asked.status == "failed" and self._own:
            is_answered = False
        is_plain = not self._derived and self._expression is None and not self._asks_words
        return found, is_answered and is_plain

    def _read(self, window: _Window, wanted: int) -> list[str]:
        query = window.query.order_by(_ID.desc())
        if self._expression is None:
            rows = self._session.execute(query.limit(wanted), window.parameters)
            return list(rows.scalars())
        contents = query.add_columns(
            col(WebhookEvent.content_type), col(WebhookEvent.payload)
        ).where(col(WebhookEvent.payload_removed_at).is_(None))
        found: list[str] = []
        for event_id, content_type, payload in self._session.execute(contents, window.parameters):
            if _is_true(self._expression, decode_payload(content_type, payload)):
                found.append(event_id)
            if len(found) == wanted:
                break
        return found

    def _pending(self) -> set[str] | None:
        """Return what waits, None in a backlog: then the newest events are those that wait."""
        waiting = select(_ID).where(col(WebhookEvent.status) == literal_column("'pending'"))
        found = self._session.execute(waiting.limit(WINDOW + 1)).scalars().all()
        return set(found) if len(found) <= WINDOW else None

    def _regions(self, actor: Actor) -> set[str]:
        """Return the regions of the numbers that the visible connections send from."""
        found = {"US"}
        if not search.looks_like_phone(self._filters.search):
            return found
        query = select(col(IntegrationConfig.config_data))
        if not actor.sees_all:
            query = query.where(col(IntegrationConfig.user_id) == actor.id)
        for (values,) in self._session.execute(query):
            found |= {region for text in _texts(values) if (region := search.region_of(text))}
        return found


def _failing(high: str) -> Select[Any]:
    """Return the newest events that failed, or have a delivery that fails, below `high`."""
    sent, own = col(Delivery.event_id), select(_ID).where(high > _ID, unresolved())
    streams = [
        own.order_by(_ID.desc()),
        *(
            select(sent).where(sent < high, _is_in(status)).distinct().order_by(sent.desc())
            for status in _RARE
        ),
    ]
    # Each is cut by itself, so that each ends early; one event may be in several of them.
    found = union_all(*(select(each.limit(WINDOW).subquery()) for each in streams)).subquery()
    (column,) = found.c
    return select(column).distinct().order_by(column.desc())


def _is_in(status: str) -> ColumnElement[bool]:
    # A literal, for an index on one status is used for no parameter.
    return col(Delivery.status) == literal_column(f"'{status}'")


def _texts(values: dict[str, Any]) -> Iterator[str]:
    return (text for text in values.values() if isinstance(text, str) and text.startswith("+"))


def _compile(text: str | None) -> Expression | None:
    if not text or not text.strip():
        return None
    try:
        return compile_expression(text)
    except ExpressionError as error:
        raise InvalidInput(str(error), field="expression") from error


def _is_true(expression: Expression, document: Any) -> bool:
    try:
        found = expression.evaluate(document)
    except ExpressionError:
        # Documents of another shape do not match; the next may.
        return False
    # As JMESPath has it, a zero is true.
    return found is not None and found is not False and found != "" and found not in ([], {})
