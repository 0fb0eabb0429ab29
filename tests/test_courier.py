"""The process that sends: each request comes to its end, whatever becomes of the process."""

import asyncio
import base64
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.courier import frames
from lib.courier.sender import CourierSender
from lib.outgoing.exchange import Exchange, Fault, OutgoingRequest, Timings
from lib.providers.targets import Reply
from lib.settings import Network, Settings
from tests.networks import LOOPBACK, NOTHING
from tests.processes import ROOT, children_of
from tests.raw_server import OK, RawServer, send, serving

HEADERS = {"content-type": "application/json", "user-agent": "MembersHub/1"}
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
MILLISECONDS = st.none() | st.floats(0, 1e6)
REPLIES = st.builds(Reply, st.integers(100, 599), st.dictionaries(TEXT, TEXT), st.binary())
FAULTS = st.builds(Fault, st.just("connect"), TEXT, st.booleans(), st.booleans(), st.none() | TEXT)
TIMINGS = st.builds(Timings, st.floats(0, 1e6), MILLISECONDS, MILLISECONDS)
REQUESTS = st.builds(OutgoingRequest, TEXT, st.dictionaries(TEXT, TEXT), st.binary())
ENDS = st.one_of(
    st.builds(Exchange, TIMINGS, REPLIES, st.none(), st.none() | TEXT),
    st.builds(Exchange, TIMINGS, st.none(), FAULTS, st.none() | TEXT),
)


def open_sender(
    allowed: tuple[Network, ...] = LOOPBACK, patience_seconds: float = 10
) -> CourierSender:
    settings = Settings(allowed_private_networks=allowed)
    return CourierSender(settings, 5, patience_seconds)


def to(server: RawServer, body: bytes = b'{"n":1}') -> OutgoingRequest:
    return OutgoingRequest(f"http://127.0.0.1:{server.port}/hush", HEADERS, body)


def couriers_of(process: int) -> list[int]:
    return [
        child
        for child in children_of(process)
        if b"lib.courier" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def environment_of(process: int) -> bytes:
    return Path(f"/proc/{process}/environ").read_bytes()


def is_running(process: int) -> bool:
    """Say whether a process still works; one that ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for_end(process: int) -> None:
    for _ in range(200):
        if not is_running(process):
            return
        time.sleep(0.05)
    raise AssertionError(f"{process} still runs")


async def courier_of(asked: "asyncio.Task[Exchange]", server: RawServer) -> int:
    """Return the courier's process once the request that hangs has reached the server."""
    while not server.heads:
        await asyncio.sleep(0.02)
        assert not asked.done()
    (courier,) = couriers_of(os.getpid())
    return courier


@given(st.lists(st.tuples(st.integers(0, 2**40), REQUESTS)), st.lists(st.integers(0, 4_000)))
def test_requests_arrive_whole_in_whatever_pieces(
    sent: list[tuple[int, OutgoingRequest]], cuts: list[int]
) -> None:
    stream = b"".join(frames.pack_request(number, request) for number, request in sent)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    reader = frames.FrameReader()
    found = [
        frames.unpack_request(document, body)
        for begin, end in pairwise(places)
        for document, body in reader.feed(stream[begin:end])
    ]
    assert found == sent


@given(st.integers(0, 2**40), ENDS)
def test_what_came_of_a_request_arrives_unchanged(number: int, end: Exchange) -> None:
    (frame,) = frames.FrameReader().feed(frames.pack_exchange(number, end))
    assert frames.unpack_exchange(*frame) == (number, end)


def test_answer_comes_back_with_its_times_and_its_peer() -> None:
    async def run() -> Exchange:
        async with open_sender() as sender:
            return await sender.post(to(server))

    with serving(send(OK)) as server:
        end = asyncio.run(run())
    assert end.reply == Reply(
        200, {"content-length": "8", "content-type": "text/plain"}, b"Accepted"
    )
    assert end.remote_address == "127.0.0.1"
    assert end.timings.connect_ms is not None
    assert server.bodies == [b'{"n":1}']
    assert "user-agent: membershub/1" in server.heads[0]


def test_courier_refuses_inner_addresses() -> None:
    async def run() -> Exchange:
        async with open_sender(NOTHING) as sender:
            return await sender.post(to(server))

    with serving(send(OK)) as server:
        end = asyncio.run(run())
    assert end.fault is not None
    assert (end.fault.error_class, end.fault.was_sent) == ("invalid_target", False)
    assert server.connections == 0


def test_many_and_large_requests_go_through_at_once() -> None:
    large = b"x" * 4_000_000

    async def run() -> list[Exchange]:
        async with open_sender() as sender:
            few = [sender.post(to(server, large)) for _ in range(3)]
            return await asyncio.gather(*few, *(sender.post(to(server)) for _ in range(200)))

    with serving(send(OK)) as server:
        ends = asyncio.run(run())
    assert {end.reply.status for end in ends if end.reply} == {200}
    assert len(ends) == len(server.bodies) == 203
    assert server.bodies.count(large) == 3


def test_header_that_is_no_text_is_a_fault() -> None:
    async def run() -> Exchange:
        async with open_sender() as sender:
            return await sender.post(OutgoingRequest("http://127.0.0.1", {"x": "\udc80"}, b""))

    end = asyncio.run(run())
    assert end.fault is not None
    assert (end.fault.error_class, end.fault.was_sent) == ("invalid_target", False)


def test_request_that_the_courier_fails_at_is_a_fault_without_its_address(
    capfd: pytest.CaptureFixture[str],
) -> None:
    headers: Any = {"x-number": 5}

    async def run() -> Exchange:
        async with open_sender() as sender:
            return await sender.post(OutgoingRequest(to(server).url, headers, b""))

    with serving(send(OK)) as server:
        end = asyncio.run(run())
    assert end.fault is not None
    assert (end.fault.error_class, end.fault.was_sent) == ("config", True)
    logged = capfd.readouterr().err
    assert "send_failed" in logged
    assert "hush" not in logged + repr(end)


def test_courier_that_is_killed_loses_no_request_and_is_replaced() -> None:
    async def run() -> tuple[Exchange, Exchange]:
        async with open_sender() as sender:
            asked = asyncio.create_task(sender.post(to(mute)))
            os.kill(await courier_of(asked, mute), signal.SIGKILL)
            return await asked, await sender.post(to(server))

    with serving(send()) as mute, serving(send(OK)) as server:
        lost, after = asyncio.run(run())
    assert lost.fault is not None
    assert (lost.fault.error_class, lost.fault.was_sent) == ("connect", True)
    assert after.reply is not None
    assert not couriers_of(os.getpid())


def test_courier_that_is_stuck_is_ended() -> None:
    async def run() -> Exchange:
        async with open_sender(patience_seconds=-1.5) as sender:
            asked = asyncio.create_task(sender.post(to(mute)))
            os.kill(await courier_of(asked, mute), signal.SIGSTOP)
            return await asked

    with serving(send()) as mute:
        end = asyncio.run(run())
    assert end.fault is not None
    assert (end.fault.error_class, end.fault.was_sent) == ("connect", True)


def test_signals_to_the_whole_group_leave_requests_under_way() -> None:
    """Ctrl-C reaches every process of the terminal; the worker decides what is still waited for."""

    async def run() -> Exchange:
        async with open_sender() as sender:
            asked = asyncio.create_task(sender.post(to(slow)))
            courier = await courier_of(asked, slow)
            os.kill(courier, signal.SIGINT)
            os.kill(courier, signal.SIGTERM)
            answer.set()
            return await asked

    answer = threading.Event()

    async def answer_late(writer: asyncio.StreamWriter) -> None:
        await asyncio.to_thread(answer.wait, 10)
        writer.write(OK)

    with serving(answer_late) as slow:
        end = asyncio.run(run())
    assert end.reply is not None


def test_courier_ends_with_a_worker_that_is_killed() -> None:
    code = (
        "import asyncio, sys\n"
        "from lib.courier.sender import CourierSender\n"
        "from lib.outgoing.exchange import OutgoingRequest\n"
        "from lib.settings import Settings\n"
        "async def run():\n"
        "    async with CourierSender(Settings(), 5) as sender:\n"
        "        await sender.post(OutgoingRequest('http://127.0.0.1', {}, b''))\n"
        "        print('ready', flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(run())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as worker:
        assert worker.stdout is not None
        assert b"ready\n" in worker.stdout
        (courier,) = couriers_of(worker.pid)
        worker.kill()
    wait_for_end(courier)


def test_courier_knows_neither_keys_nor_database(monkeypatch: pytest.MonkeyPatch) -> None:
    key = base64.b64encode(bytes(32)).decode()
    monkeypatch.setenv("HUB_MASTER_KEYS", key)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "hush-token")
    monkeypatch.setenv("PGPASSWORD", "hush-password")
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ssl/own.pem")
    monkeypatch.setenv("HUB_DATABASE_URL", "sqlite:///hush.db")

    async def run() -> tuple[bytes, Exchange]:
        async with CourierSender(Settings(allowed_private_networks=LOOPBACK), 5) as sender:
            end = await sender.post(to(server))
            (courier,) = couriers_of(os.getpid())
            return environment_of(courier), end

    with serving(send(OK)) as server:
        environment, end = asyncio.run(run())
    assert b"PATH=" in environment
    assert key.encode() not in environment
    assert b"hush" not in environment
    assert b"SSL_CERT_FILE=/etc/ssl/own.pem" in environment
    assert b"HUB_" not in environment
    assert end.reply is not None
