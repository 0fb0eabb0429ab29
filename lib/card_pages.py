"""The cards of connections for screens: narrowed, page by page, or those first that need somebody.

How a connection stands is worked out from totals, alerts and its last event, so no statement can
sort by it; what a browser gets is bounded here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lib import overview
from lib.access import Actor
from lib.connections import integrations
from lib.connections.integrations import Integration
from lib.errors import InvalidInput
from lib.hub import Hub
from lib.lists.paging import LARGEST_PAGE, Page, check_limit
from lib.overview import Card, State

_ATTENTION: Sequence[State] = (
    "failing",
    "degraded",
    "silent",
    "needs_setup",
    "healthy",
    "paused",
)


@dataclass(frozen=True)
class CardFilters:
    """What a card has to be: words of its name or owner, its service, how it stands."""

    search: str = ""
    service_name: str | None = None
    state: str | None = None


def card_page(
    hub: Hub, actor: Actor, filters: CardFilters, *, cursor: str | None = None, limit: int = 24
) -> Page[Card]:
    """Return connections that `actor` may see by name, after the one that `cursor` stands for."""
    check_limit(limit)
    after = _place_of(cursor) if cursor else ("", "")
    named = [item for item in integrations.list_all(hub, actor) if _is_named(item, filters)]
    rest = sorted((item for item in named if _place(item) > after), key=_place)
    rows: list[Card] = []
    # A status is known of those alone that were looked at.
    step = LARGEST_PAGE if filters.state else limit + 1
    for start in range(0, len(rest), step):
        some = overview.cards_of(hub, actor, rest[start : start + step])
        rows += [card for card in some if filters.state in (None, card.state)]
        if len(rows) > limit:
            break
    shown = rows[:limit]
    return Page(shown, _cursor(shown[-1].integration) if len(rows) > limit else None)


def by_attention(cards: Sequence[Card]) -> list[Card]:
    """Return those first that need somebody, then those with the most events."""
    return sorted(
        cards,
        key=lambda card: (_ATTENTION.index(card.state), -card.received, _place(card.integration)),
    )


def _is_named(item: Integration, filters: CardFilters) -> bool:
    words = filters.search.casefold()
    return filters.service_name in (None, item.service_name) and (
        words in f"{item.name} {item.owner}".casefold()
    )


def _place(item: Integration) -> tuple[str, str]:
    return item.name.casefold(), item.id


def _cursor(item: Integration) -> str:
    return " ".join(_place(item))


def _place_of(cursor: str) -> tuple[str, str]:
    name, is_divided, integration_id = cursor.rpartition(" ")
    if not is_divided:
        raise InvalidInput("This page does not exist. Begin at the first one.", field="cursor")
    return name, integration_id
