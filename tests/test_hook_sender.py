"""One outgoing request against servers that behave and servers that do not."""

import asyncio
import gzip
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import aiohttp
import pytest
import uvloop

from lib.outgoing.attempt import judge
from lib.outgoing.connector import GuardedConnector, begin_marks
from lib.outgoing.exchange import KEPT_BODY_BYTES, Exchange, OutgoingRequest
from lib.outgoing.hook_sender import HookSender
from lib.providers.registry import get_target
from lib.settings import Network, Settings
from tests.certificates import Authority
from tests.fakes.vectors import load
from tests.networks import LOOPBACK, NOTHING, NameServer, parse_networks
from tests.raw_server import OK, Answer, RawServer, send, serving

ROOT = Path(__file__).parent.parent
VECTORS = load("ssrf")
BLOCKED: list[str] = VECTORS["block_ip"]
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
HOOK = "hook.example"
HEADERS = {"content-type": "application/json", "user-agent": "MembersHub/1"}


async def post_each(
    urls: Sequence[str], allowed: Sequence[Network], total_seconds: float
) -> list[Exchange]:
    async with HookSender(allowed, total_seconds) as sender:
        return [await sender.post(OutgoingRequest(url, HEADERS, b'{"n":1}')) for url in urls]


def post(
    *urls: str, allowed: Sequence[Network] = LOOPBACK, total_seconds: float = 5
) -> list[Exchange]:
    """Send to each address in turn; none may show in what comes of it."""
    found = asyncio.run(post_each(urls, allowed, total_seconds))
    assert "hush" not in repr(found)
    return found


def local(server: RawServer, host: str = "127.0.0.1") -> str:
    return f"http://{host}:{server.port}/hush"


def secure(server: RawServer, host: str = HOOK) -> str:
    return f"https://{host}:{server.port}/hush"


def literal(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def fault_of(exchange: Exchange) -> tuple[str, bool]:
    assert exchange.reply is None
    assert exchange.fault is not None
    assert exchange.fault.message.endswith(".")
    return exchange.fault.error_class, exchange.fault.was_sent


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> NameServer:
    """A name server that knows the hook's name as loopback."""
    server = NameServer(monkeypatch)
    server.answer(HOOK, ["127.0.0.1"])
    return server


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that this process trusts."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.path))
    return made


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_reply_is_kept_with_its_times_and_its_peer() -> None:
    with serving(send(OK)) as server:
        (exchange,) = post(local(server))
    assert exchange.fault is None
    assert exchange.reply is not None
    assert (exchange.reply.status, exchange.reply.body) == (200, b"Accepted")
    assert exchange.reply.headers == {"content-length": "8", "content-type": "text/plain"}
    assert exchange.remote_address == "127.0.0.1"
    times = exchange.timings
    assert (times.dns_ms, times.tls_ms) == (None, None)
    assert times.connect_ms is not None
    assert times.first_byte_ms is not None
    assert times.total_ms >= times.connect_ms + times.first_byte_ms
    assert server.bodies == [b'{"n":1}']
    assert "content-type: application/json\r\n" in server.heads[0]
    assert "user-agent: membershub/1\r\n" in server.heads[0]


def test_kept_connection_is_used_again_without_new_steps() -> None:
    with serving(send(OK)) as server:
        first, second = post(local(server), local(server))
    assert server.connections == 1
    assert first.timings.connect_ms is not None
    assert second.timings.connect_ms is None
    assert second.timings.first_byte_ms is not None
    assert second.remote_address == "127.0.0.1"


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_every_step_of_https_is_timed(run: object, names: NameServer, authority: Authority) -> None:
    with serving(send(OK), tls=authority.server_context(HOOK)) as server:
        (exchange,) = run(post_each([secure(server)], LOOPBACK, 5))  # type: ignore[operator]
    times = exchange.timings
    steps = (times.dns_ms, times.connect_ms, times.tls_ms, times.first_byte_ms)
    assert all(step is not None and step > 0 for step in steps)
    assert sum(step or 0 for step in steps) <= times.total_ms


def test_certificate_and_sni_are_of_the_host_name_although_an_ip_is_dialled(
    names: NameServer, authority: Authority
) -> None:
    with serving(send(OK), tls=authority.server_context(HOOK)) as server:
        (exchange,) = post(secure(server))
        assert server.server_names == [HOOK]
    assert exchange.reply is not None
    assert exchange.remote_address == "127.0.0.1"


@pytest.mark.parametrize("name", ["other.example", "127.0.0.1"])
def test_certificate_for_another_name_is_refused(
    name: str, names: NameServer, authority: Authority
) -> None:
    with serving(send(OK), tls=authority.server_context(name)) as server:
        (exchange,) = post(secure(server))
        assert server.heads == []
    assert fault_of(exchange) == ("tls", False)


def test_certificate_of_a_stranger_is_refused(names: NameServer, tmp_path: Path) -> None:
    with serving(send(OK), tls=Authority(tmp_path).server_context(HOOK)) as server:
        (exchange,) = post(secure(server))
    assert fault_of(exchange) == ("tls", False)


def test_blocked_address_is_refused_as_literal_and_behind_a_name(names: NameServer) -> None:
    for number, address in enumerate(BLOCKED):
        names.answer(f"n{number}.example", [address])
    hosts = [*(f"n{number}.example" for number in range(len(BLOCKED))), *map(literal, BLOCKED)]
    exchanges = post(*(f"https://{host}/hush" for host in hosts), allowed=NOTHING)
    ends = {
        host: (*fault_of(item), item.remote_address)
        for host, item in zip(hosts, exchanges, strict=True)
    }
    assert ends == dict.fromkeys(hosts, ("invalid_target", False, None))


def test_blocked_address_is_refused_where_it_is_dialled(names: NameServer) -> None:
    for number, address in enumerate(BLOCKED):
        names.answer(f"n{number}.example", [address])
        names.answer(f"several{number}.example", [address, "127.0.0.1", "::1"])

    async def dial_all() -> None:
        connector = GuardedConnector(NOTHING)
        # As if each name had passed the check of names before it changed its mind.
        connector._resolver = aiohttp.ThreadedResolver()
        async with aiohttp.ClientSession(connector=connector) as session:
            for number, address in enumerate(BLOCKED):
                for host in (literal(address), f"n{number}.example", f"several{number}.example"):
                    marks = begin_marks()
                    with pytest.raises(aiohttp.ClientConnectorError):
                        await session.post(f"http://{host}:9/")
                    assert marks.refusal is not None
                    assert marks.step == "connect"

    asyncio.run(dial_all())


def test_trick_url_is_refused_before_anything_is_resolved(names: NameServer) -> None:
    urls = [url.partition(" (")[0] for url in VECTORS["block_url"]]
    for url, exchange in zip(urls, post(*urls, allowed=NOTHING), strict=True):
        assert fault_of(exchange) == ("invalid_target", False), url
    assert names.asked == {}


def test_public_name_for_loopback_is_refused(names: NameServer) -> None:
    names.answer("localtest.me", ["127.0.0.1"])
    (exchange,) = post("https://localtest.me/hush", allowed=NOTHING)
    assert fault_of(exchange) == ("invalid_target", False)


def test_trap_8_name_that_passed_at_save_is_checked_again_at_connect(names: NameServer) -> None:
    url = f"https://{HOOK}/hush"
    get_target("http").check_url(url, Settings())
    names.answer(HOOK, ["169.254.169.254"])
    (exchange,) = post(url, allowed=NOTHING)
    assert fault_of(exchange) == ("invalid_target", False)
    assert judge(get_target("http"), exchange).outcome == "dead"


def test_mixed_public_and_private_records_are_refused(names: NameServer) -> None:
    with serving(send(OK)) as server:
        names.answer("a.localhost", ["127.0.0.1", "10.0.0.1"])
        (exchange,) = post(local(server, "a.localhost"))
        assert server.connections == 0
    assert fault_of(exchange) == ("invalid_target", False)


def test_rebinding_reaches_only_addresses_that_were_checked(names: NameServer) -> None:
    only_one = parse_networks("127.0.0.1/32")
    close = send(OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
    names.answer("a.localhost", ["127.0.0.1"], ["127.0.0.2"])

    async def post_twice(url: str) -> list[Exchange]:
        async with HookSender(only_one) as sender:
            first = await sender.post(OutgoingRequest(url, HEADERS, b"{}"))
            connector = sender._session.connector
            assert isinstance(connector, aiohttp.TCPConnector)
            connector.clear_dns_cache()
            return [first, await sender.post(OutgoingRequest(url, HEADERS, b"{}"))]

    with serving(close) as server:
        first, second = asyncio.run(post_twice(local(server, "a.localhost")))
        assert server.connections == 1
    assert first.remote_address == "127.0.0.1"
    assert names.asked == {"a.localhost": 2}
    assert fault_of(second) == ("invalid_target", False)


def test_redirect_to_loopback_is_not_followed() -> None:
    with serving(send(OK)) as inner:
        place = f"location: http://127.0.0.1:{inner.port}/"
        moved = f"HTTP/1.1 302 Found\r\n{place}\r\ncontent-length: 0\r\n\r\n"
        with serving(send(moved.encode())) as outer:
            (exchange,) = post(local(outer))
        assert inner.connections == 0
    assert exchange.reply is not None
    assert exchange.reply.status == 302
    assert judge(get_target("http"), exchange).error_class == "http_3xx"


@pytest.mark.parametrize("host", ["localhost.", "localhost", "a.localhost"])
def test_localhost_in_any_spelling_is_refused(host: str, names: NameServer) -> None:
    (exchange,) = post(f"https://{host}/hush", allowed=NOTHING)
    assert fault_of(exchange) == ("invalid_target", False)


def test_allow_list_opens_its_networks_and_no_others() -> None:
    with serving(send(OK)) as server:
        (opened,) = post(local(server), allowed=parse_networks("127.0.0.0/30"))
        (closed,) = post(local(server), allowed=parse_networks("10.0.0.0/8", "127.1.0.0/16"))
        assert server.connections == 1
    assert opened.reply is not None
    assert fault_of(closed) == ("invalid_target", False)


def test_proxies_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    with serving(send(OK)) as server:
        (exchange,) = post(local(server))
    assert exchange.reply is not None


def test_cookies_are_not_kept() -> None:
    baked = OK.replace(b"\r\n\r\n", b"\r\nset-cookie: a=b\r\n\r\n")
    with serving(send(baked)) as server:
        post(local(server), local(server))
    assert "cookie" not in server.heads[1]


def drip(head: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    return answer


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: "]
)
def test_slow_drip_ends_with_the_total_time(head: bytes) -> None:
    begun = time.monotonic()
    with serving(drip(head)) as server:
        (exchange,) = post(local(server), total_seconds=0.3)
    assert fault_of(exchange) == ("timeout", True)
    assert time.monotonic() - begun < 3
    assert 250 < exchange.timings.total_ms < 2000


def test_silence_is_a_timeout() -> None:
    with serving(send()) as server:
        (exchange,) = post(local(server), total_seconds=0.2)
    assert fault_of(exchange) == ("timeout", True)
    assert judge(get_target("http"), exchange).outcome == "retry"


@pytest.mark.parametrize(
    "flood",
    [b"".join(b"x-%d: y\r\n" % number for number in range(500)), b"x: " + b"y" * 40_000 + b"\r\n"],
    ids=["many", "long"],
)
def test_header_flood_is_cut_off(flood: bytes) -> None:
    with serving(send(b"HTTP/1.1 200 OK\r\n" + flood + b"content-length: 0\r\n\r\n")) as server:
        (exchange,) = post(local(server))
    assert fault_of(exchange) == ("connect", True)


def test_kept_headers_have_a_cap_and_can_be_stored() -> None:
    large = b"".join(b"x-%d: %s\r\n" % (number, b"y" * 6000) for number in range(20))
    head = b"HTTP/1.1 200 OK\r\nx-odd: \xff\xc3\xa9\r\nX-Case: 1\r\n" + large
    with serving(send(head + b"content-length: 0\r\n\r\n")) as server:
        (exchange,) = post(local(server))
    assert exchange.reply is not None
    kept = exchange.reply.headers
    assert kept["x-case"] == "1"
    assert kept["x-odd"].encode()
    assert sum(len(name) + len(value) for name, value in kept.items()) <= 16_384


def test_huge_body_is_cut_and_its_connection_closed() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 200000000\r\n\r\n"
    with serving(send(head, *[b"z" * 65_536] * 3000)) as server:
        begun = time.monotonic()
        exchanges = post(local(server), local(server))
        assert server.connections == 2
    assert time.monotonic() - begun < 5
    for exchange in exchanges:
        assert exchange.reply is not None
        assert exchange.reply.body == b"z" * KEPT_BODY_BYTES


def test_body_of_just_the_cap_keeps_its_connection() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % KEPT_BODY_BYTES
    with serving(send(head, b"z" * KEPT_BODY_BYTES)) as server:
        exchanges = post(local(server), local(server))
    assert server.connections == 1
    assert all(item.reply and len(item.reply.body) == KEPT_BODY_BYTES for item in exchanges)


def packed(body: bytes) -> Answer:
    head = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n"
    return send(head.format(len(body)).encode(), body)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (gzip.compress(b"Queue is full"), b"Queue is full"),
        (gzip.compress(bytes(8_000_000)), bytes(KEPT_BODY_BYTES)),
        (b"not packed", b"not packed"),
    ],
    ids=["text", "bomb", "lie"],
)
def test_packed_body_is_unpacked_under_the_cap(body: bytes, kept: bytes) -> None:
    with serving(packed(body)) as server:
        (exchange,) = post(local(server))
    assert exchange.reply is not None
    assert exchange.reply.body == kept
    assert "accept-encoding: identity" in server.heads[0]


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def test_hanging_up_at_once_may_have_been_sent() -> None:
    with serving(hang_up) as server:
        (exchange,) = post(local(server))
    assert fault_of(exchange) == ("connect", True)
    assert judge(get_target("http"), exchange).outcome == "retry"


def test_kept_connection_that_closes_under_the_request_is_retried_later_not_at_once() -> None:
    answered: list[bool] = []

    async def answer_once(writer: asyncio.StreamWriter) -> None:
        if answered:
            writer.close()
            return
        answered.append(True)
        await send(OK)(writer)

    with serving(answer_once) as server:
        first, second = post(local(server), local(server))
        assert len(server.heads) == 2
    assert first.reply is not None
    assert fault_of(second) == ("connect", True)
    assert second.timings.connect_ms is None


def test_body_that_breaks_off_is_no_reply() -> None:
    async def cut(writer: asyncio.StreamWriter) -> None:
        await send(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nAcc")(writer)
        writer.close()

    with serving(cut) as server:
        (exchange,) = post(local(server))
    assert fault_of(exchange) == ("connect", True)


@pytest.mark.parametrize("said", [b"hello\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 40])
def test_answer_that_is_not_http_is_a_fault(said: bytes) -> None:
    with serving(send(said)) as server:
        (exchange,) = post(local(server))
    assert fault_of(exchange) == ("connect", True)


def test_trap_14_network_errors_are_retryable(
    names: NameServer, authority: Authority, closed_port: int
) -> None:
    refused, unknown = post(f"http://127.0.0.1:{closed_port}/hush", "https://no.example/hush")
    with serving(send(OK), tls=authority.server_context("other.example")) as server:
        (mistrusted,) = post(secure(server))
    for exchange, error_class in ((refused, "connect"), (unknown, "dns"), (mistrusted, "tls")):
        assert fault_of(exchange) == (error_class, False)
        assert judge(get_target("http"), exchange).outcome == "retry"


def test_handshake_that_hangs_is_a_tls_fault(names: NameServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        (exchange,) = post(f"https://{HOOK}:{port}/hush", total_seconds=0.2)
    assert fault_of(exchange) == ("tls", False)
    assert exchange.timings.connect_ms is not None
    assert exchange.timings.tls_ms is None


def test_plain_text_on_a_tls_address_is_a_tls_fault(names: NameServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_in_clear() -> None:
            with listener.accept()[0] as taken:
                taken.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                taken.recv(4096)

        thread = threading.Thread(target=answer_in_clear)
        thread.start()
        (exchange,) = post(f"https://{HOOK}:{listener.getsockname()[1]}/hush")
        thread.join(10)
    assert fault_of(exchange) == ("tls", False)


def test_name_server_that_hangs_is_a_dns_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(0.5) or [])
    (exchange,) = post(f"https://{HOOK}/hush", total_seconds=0.1)
    assert fault_of(exchange) == ("dns", False)


def test_look_ups_that_hang_hold_no_other_destination(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(host: str, *_: object, **__: object) -> list[object]:
        time.sleep(0.4)
        raise socket.gaierror(socket.EAI_AGAIN, host)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    async def post_beside(url: str) -> tuple[Exchange, list[Exchange]]:
        async with HookSender(LOOPBACK) as sender:
            hanging = [
                asyncio.create_task(
                    sender.post(OutgoingRequest(f"https://{n % 8}.example/", HEADERS, b"{}"))
                )
                for n in range(200)
            ]
            await asyncio.sleep(0.05)
            free = await sender.post(OutgoingRequest(url, HEADERS, b"{}"))
            assert await asyncio.to_thread(lambda: True)
            assert not any(task.done() for task in hanging)
            return free, await asyncio.gather(*hanging)

    with serving(send(OK)) as server:
        free, hung = asyncio.run(post_beside(local(server)))
    assert free.reply is not None
    assert {fault_of(exchange) for exchange in hung} == {("dns", False)}


def test_large_body_goes_out_whole() -> None:
    body = b"z" * 5_000_000

    async def post_large(url: str) -> Exchange:
        async with HookSender(LOOPBACK) as sender:
            return await sender.post(OutgoingRequest(url, HEADERS, body))

    with serving(send(OK)) as server:
        assert asyncio.run(post_large(local(server))).reply is not None
    assert server.bodies == [body]
    assert "content-type: application/json" in server.heads[0]


def test_header_that_http_cannot_carry_is_a_fault() -> None:
    async def post_odd(url: str) -> Exchange:
        async with HookSender(LOOPBACK) as sender:
            return await sender.post(OutgoingRequest(url, {"x-a": "b\r\nc: d"}, b"{}"))

    with serving(send(OK)) as server:
        exchange = asyncio.run(post_odd(local(server)))
        assert server.heads == []
    assert fault_of(exchange)[0] == "invalid_target"


def test_faults_are_not_logged(caplog: pytest.LogCaptureFixture, closed_port: int) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(hang_up) as server:
        post(local(server), f"http://127.0.0.1:{closed_port}/hush", "https://user@hush.example/")
    assert "hush" not in caplog.text


def test_many_requests_at_once_are_not_limited_here() -> None:
    async def wait_then_answer(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await send(OK)(writer)

    async def post_all(url: str) -> list[Exchange]:
        async with HookSender(LOOPBACK) as sender:
            request = OutgoingRequest(url, HEADERS, b"{}")
            return await asyncio.gather(*(sender.post(request) for _ in range(150)))

    with serving(wait_then_answer) as server:
        exchanges = asyncio.run(post_all(local(server)))
        assert server.connections == 150
    assert all(exchange.reply for exchange in exchanges)


def test_receiver_does_not_load_what_only_sending_needs() -> None:
    script = (
        "import sys, webhook_receiver.app, lib.outgoing.exchange, lib.outgoing.signing\n"
        "sys.exit('aiohttp' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
