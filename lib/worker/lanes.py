"""What this process holds of each destination: requests under way, and what waits behind them.

A worker alone at a destination leases more than may be under way at once, so that a request
that ends is followed by the next at once and not by the next turn's. How many are under way is
kept here, in the process.
"""

from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from lib.clock import now
from lib.models import Destination
from lib.outgoing.claims import Claimed
from lib.outgoing.limits import limits_of

Attempt = Callable[[Claimed], Coroutine[Any, Any, bool]]


@dataclass(slots=True)
class _Lane:
    """One destination's: how many may be under way, how many are, and who waits.

    `row` is the destination as it was when it was last claimed for.
    """

    row: Destination
    most: int
    under_way: int = 0
    waiting: deque[Claimed] = field(default_factory=deque)


class Lanes:
    """Keeps each destination's requests within its limit, in the order of the queue.

    `start` begins a coroutine as a task; `attempt` makes one attempt and says whether what
    waits behind it may follow.
    """

    def __init__(
        self, attempt: Attempt, start: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        self._attempt = attempt
        self._start = start
        self._lanes: dict[str, _Lane] = {}
        self._returned: list[Claimed] = []

    def held(self) -> dict[str, int]:
        """Return by destination how many deliveries are under way or wait."""
        return {name: lane.under_way + len(lane.waiting) for name, lane in self._lanes.items()}

    def add(self, claimed: Claimed) -> None:
        """Begin a delivery now, or when one before it has ended."""
        row = claimed.destination
        name = row.id
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane(row, limits_of(row).concurrency)
        elif lane.row is not row:
            lane.row, lane.most = row, limits_of(row).concurrency
        lane.waiting.append(claimed)
        if lane.under_way < lane.most:
            lane.under_way += 1
            self._start(self._serve(name, lane))

    def take_returned(self) -> list[Claimed]:
        """Return what was not begun and belongs back in the queue; each is told once."""
        returned, self._returned = self._returned, []
        return returned

    def empty(self) -> None:
        """Begin nothing more that waits."""
        for lane in self._lanes.values():
            self._give_back(lane)

    async def _serve(self, name: str, lane: _Lane) -> None:
        try:
            while lane.waiting and lane.under_way <= lane.most:
                claimed = lane.waiting.popleft()
                if _is_late(claimed):
                    self._returned.append(claimed)
                elif not await self._attempt(claimed):
                    # What follows is for the schedule and the breaker to decide.
                    self._give_back(lane)
        finally:
            lane.under_way -= 1
            if not lane.under_way:
                del self._lanes[name]

    def _give_back(self, lane: _Lane) -> None:
        self._returned += lane.waiting
        lane.waiting.clear()


def _is_late(claimed: Claimed) -> bool:
    """Say whether half the lease is over, and with it the time that a request may need."""
    lease = claimed.lease
    return now() > lease.taken_at + (lease.until - lease.taken_at) / 2
