"""Group commit: who waits for which commit, and what everybody hears when it fails."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from lib.clock import now
from lib.errors import HubError, StorageUnavailable
from lib.intake.drafts import Draft, EventDraft, Stored
from lib.intake.writer import GroupCommitWriter


def draft(name: str) -> EventDraft:
    return EventDraft(
        name, "usr", "int", "make", "t", name, None, "POST", "", b"", "{}", "", "{}", 200, now()
    )


class SlowSink:
    """Commits when told to, so that a test decides what waits meanwhile."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.turns = threading.Semaphore(0)
        self.is_down = False
        self.is_closed = False

    def write(self, drafts: Sequence[Draft]) -> list[Stored | HubError]:
        self.turns.acquire(timeout=5)
        if self.is_down:
            raise StorageUnavailable("The database is away.")
        self.batches.append([item.id for item in drafts])
        return [
            StorageUnavailable("This row is refused.")
            if item.id == "bad"
            else Stored(item.id, False)
            for item in drafts
        ]

    def close(self) -> None:
        self.is_closed = True


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0.005)


def test_requests_that_wait_during_a_commit_share_the_next() -> None:
    async def scenario() -> None:
        sink = SlowSink()
        writer = GroupCommitWriter(sink)
        running = asyncio.create_task(writer.run())
        first = asyncio.create_task(writer.store(draft("a")))
        await settle()
        others = [asyncio.create_task(writer.store(draft(name))) for name in "bcd"]
        await settle()
        assert not first.done(), "nothing is answered before its commit"
        sink.turns.release()
        await first
        assert not any(task.done() for task in others)
        sink.turns.release()
        assert [stored.id for stored in await asyncio.gather(*others)] == ["b", "c", "d"]
        assert sink.batches == [["a"], ["b", "c", "d"]]
        running.cancel()
        writer.close()
        assert sink.is_closed

    asyncio.run(scenario())


def test_a_batch_of_large_requests_is_short() -> None:
    large = b"x" * (3 * 2**20)

    async def scenario() -> None:
        sink = SlowSink()
        for _ in range(9):
            sink.turns.release()
        writer = GroupCommitWriter(sink)
        drafts = [draft(name)._replace(payload=large) for name in "abcde"]
        drafts.append(draft("f")._replace(payload=large * 4))
        stored = asyncio.gather(*(writer.store(item) for item in [*drafts, draft("g")]))
        await asyncio.sleep(0)
        running = asyncio.create_task(writer.run())
        assert [each.id for each in await stored] == list("abcdefg")
        assert sink.batches == [["a", "b"], ["c", "d"], ["e"], ["f"], ["g"]]
        running.cancel()
        writer.close()

    asyncio.run(scenario())


def test_requests_that_have_already_arrived_share_one_commit() -> None:
    async def arrive(writer: GroupCommitWriter, name: str, turns: int) -> Stored:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await writer.store(draft(name))

    async def scenario() -> None:
        sink = SlowSink()
        sink.turns.release()
        writer = GroupCommitWriter(sink)
        running = asyncio.create_task(writer.run())
        await asyncio.gather(*(arrive(writer, name, turns) for turns, name in enumerate("abcd")))
        assert sink.batches == [["a", "b", "c", "d"]]
        running.cancel()
        writer.close()

    asyncio.run(scenario())


def test_largest_batch_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.intake.writer.LARGEST_BATCH", 2)

    async def scenario() -> None:
        sink = SlowSink()
        sink.turns.release(2)
        writer = GroupCommitWriter(sink)
        tasks = [asyncio.create_task(writer.store(draft(name))) for name in "abc"]
        await asyncio.sleep(0)
        running = asyncio.create_task(writer.run())
        await asyncio.gather(*tasks)
        assert sink.batches == [["a", "b"], ["c"]]
        running.cancel()
        writer.close()

    asyncio.run(scenario())


def test_one_refused_row_leaves_the_others_stored() -> None:
    async def scenario() -> None:
        sink = SlowSink()
        sink.turns.release(2)
        writer = GroupCommitWriter(sink)
        tasks = [asyncio.create_task(writer.store(draft(name))) for name in ("a", "bad", "c")]
        await asyncio.sleep(0)
        running = asyncio.create_task(writer.run())
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Stored, StorageUnavailable, Stored]
        running.cancel()
        writer.close()

    asyncio.run(scenario())


def test_outage_refuses_all_who_wait_and_ends() -> None:
    async def scenario() -> None:
        sink = SlowSink()
        sink.is_down = True
        writer = GroupCommitWriter(sink)
        running = asyncio.create_task(writer.run())
        first = asyncio.create_task(writer.store(draft("a")))
        await settle()
        behind = asyncio.create_task(writer.store(draft("b")))
        await settle()
        sink.turns.release()
        for task in (first, behind):
            with pytest.raises(StorageUnavailable):
                await task
        sink.is_down = False
        sink.turns.release()
        assert (await writer.store(draft("c"))).id == "c"
        running.cancel()
        writer.close()

    asyncio.run(scenario())


def test_too_many_waiting_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.intake.writer.MOST_WAITING", 1)

    async def scenario() -> None:
        writer = GroupCommitWriter(SlowSink())
        waiting = asyncio.create_task(writer.store(draft("a")))
        await asyncio.sleep(0)
        with pytest.raises(StorageUnavailable, match="Too many"):
            await writer.store(draft("b"))
        waiting.cancel()

    asyncio.run(scenario())


def test_sender_that_hung_up_does_not_disturb_the_batch() -> None:
    async def scenario() -> None:
        sink = SlowSink()
        writer = GroupCommitWriter(sink)
        gone, stays = (asyncio.create_task(writer.store(draft(name))) for name in "ab")
        await asyncio.sleep(0)
        gone.cancel()
        running = asyncio.create_task(writer.run())
        sink.turns.release()
        assert (await stays).id == "b"
        assert sink.batches == [["a", "b"]]
        running.cancel()
        writer.close()

    asyncio.run(scenario())
