"""Group commit: all requests that wait are stored in one transaction, then answered."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from lib.errors import HubError, StorageUnavailable
from lib.intake.drafts import Draft, Stored

MOST_WAITING = 10_000
LARGEST_BATCH = 256
# A batch goes to PostgreSQL as one parameter, which both sides hold several times over.
_MOST_BYTES = 8 * 2**20

_LOST = StorageUnavailable("The row was not stored. Send it again.")
_Waiting = tuple[Draft, "asyncio.Future[Stored]"]


class Sink(Protocol):
    """Stores drafts durably; called from one thread at a time."""

    def write(self, drafts: Sequence[Draft]) -> list[Stored | HubError]:
        """Store all drafts in one transaction and return an outcome for each.

        Raises StorageUnavailable when nothing could be stored.
        """

    def close(self) -> None:
        """Close the connection."""


class GroupCommitWriter:
    """Hands drafts to a sink in batches; each caller waits for its own commit.

    A batch grows while the one before it commits, and until the event loop has read what
    has already arrived. There is no timer: a lone request is committed at once.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._waiting: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._has_ended = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")

    async def store(self, draft: Draft) -> Stored:
        """Return once `draft` is committed.

        Raises StorageUnavailable when it was not, or when too many wait already.
        """
        if self._has_ended:
            raise StorageUnavailable("The writer has ended. Start the receiver again.")
        if len(self._waiting) >= MOST_WAITING:
            raise StorageUnavailable("Too many requests wait to be stored. Try again shortly.")
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._waiting.append((draft, future))
        self._wake.set()
        return await future

    async def run(self) -> None:
        """Store batches until cancelled; whoever still waits then is refused, never left."""
        try:
            await self._run()
        finally:
            self._has_ended = True
            self._refuse([], StorageUnavailable("The receiver is stopping. Send it again."))

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch = await self._take_batch()
                drafts = [draft for draft, _ in batch]
                outcomes: Sequence[Stored | HubError] | None = None
                try:
                    outcomes = await loop.run_in_executor(self._thread, self._sink.write, drafts)
                except StorageUnavailable as error:
                    # Those behind have waited as long and would only wait for the same again.
                    self._refuse(batch, error)
                finally:
                    _settle(batch, outcomes or [_LOST] * len(batch))

    async def _take_batch(self) -> list[_Waiting]:
        # Those who were answered just now often have their next request here already. Each turn
        # of the loop lets more of them in, and a commit costs nearly the same for all as for half.
        seen = 0
        while seen < len(self._waiting) < LARGEST_BATCH:
            seen = len(self._waiting)
            await asyncio.sleep(0)
        count = self._count_fitting()
        batch = self._waiting[:count]
        del self._waiting[:count]
        return batch

    def _count_fitting(self) -> int:
        """Return how many of those that wait make a batch: one at least, however large."""
        left = _MOST_BYTES
        for count, (draft, _) in enumerate(self._waiting[:LARGEST_BATCH]):
            left -= draft.size
            if left < 0 and count:
                return count
        return LARGEST_BATCH

    def close(self) -> None:
        """Wait for a running commit and close the sink."""
        self._thread.submit(self._sink.close)
        self._thread.shutdown(wait=True)

    def _refuse(self, batch: list[_Waiting], error: StorageUnavailable) -> None:
        everyone = batch + self._waiting
        self._waiting.clear()
        _settle(everyone, [error] * len(everyone))


def _settle(batch: list[_Waiting], outcomes: Sequence[Stored | HubError]) -> None:
    for (_, future), outcome in zip(batch, outcomes, strict=True):
        if future.done():
            continue
        if isinstance(outcome, Stored):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)
