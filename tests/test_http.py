"""The vendor client: what it sends, keeps, caps and hides."""

import asyncio
import errno
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from lib import http
from lib.errors import ProviderError
from lib.http import MAX_ANSWER_BYTES, VendorClient
from tests.certificates import Authority
from tests.fakes.server import running
from tests.fakes.vectors import load
from tests.networks import LOOPBACK, NameServer, parse_networks
from tests.raw_server import OK, send, serving


async def _echo(request: Request) -> Response:
    return JSONResponse({"agent": request.headers["user-agent"], "query": request.url.query})


async def _big(_: Request) -> Response:
    return PlainTextResponse("x" * (MAX_ANSWER_BYTES + 5000), headers={"X-Odd-Case": "1"})


async def _moved(_: Request) -> Response:
    return RedirectResponse("/echo")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    paths = {"/echo": _echo, "/big": _big, "/moved": _moved}
    with running(Starlette(routes=[Route(path, call) for path, call in paths.items()])) as base:
        yield base


def test_records_path_without_query_and_sends_a_plain_name(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with VendorClient(LOOPBACK) as client:
        answer = client.request("GET", f"{url}/echo?token=hush", params={"a": "b"})
        client.request("GET", f"{url}/echo", secret_path=True)
    assert answer.json() == {"agent": "MembersHub/1.0", "query": "token=hush&a=b"}
    assert [(call.path, call.status) for call in client.calls] == [("/echo", 200), ("/•••", 200)]
    assert "hush" not in repr(client)
    assert "hush" not in repr(answer)


def test_caps_the_answer_and_follows_no_redirect(url: str) -> None:
    with VendorClient(LOOPBACK) as client:
        big = client.request("GET", f"{url}/big")
        assert client.request("GET", f"{url}/moved").status == 307
    assert len(big.text) == MAX_ANSWER_BYTES
    assert big.headers["x-odd-case"] == "1"
    with pytest.raises(ProviderError):
        big.json()


def test_refused_connection_is_retryable_and_hides_the_address() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with VendorClient(LOOPBACK) as client, pytest.raises(ProviderError) as caught:
        client.request("POST", f"http://127.0.0.1:{port}/hush", secret_path=True)
    assert not caught.value.permanent
    assert caught.value.__context__ is None
    assert "hush" not in f"{caught.value} {client.calls}"
    assert client.calls[0].error == "connect"


def test_silence_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        VendorClient(LOOPBACK) as client,
        pytest.raises(ProviderError) as caught,
    ):
        client.request("GET", f"http://127.0.0.1:{listener.getsockname()[1]}/x")
    assert not caught.value.permanent
    assert client.calls[0].error == "timeout"


def test_plain_text_on_a_tls_address_is_explained(url: str) -> None:
    with VendorClient(LOOPBACK) as client, pytest.raises(ProviderError) as caught:
        client.request("GET", url.replace("http:", "https:"))
    assert client.calls[0].error == "tls"
    assert not caught.value.permanent


def test_an_address_that_is_none_is_permanent() -> None:
    with VendorClient(LOOPBACK) as client, pytest.raises(ProviderError) as caught:
        client.request("GET", "nonsense")
    assert caught.value.permanent


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> NameServer:
    """A name server that knows nothing until it is told."""
    return NameServer(monkeypatch)


def refusal_of(client: VendorClient, url: str) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        client.request("POST", url, secret_path=True)
    assert client.calls[-1].error == "refused address"
    assert caught.value.__context__ is None
    assert "hush" not in f"{caught.value} {client.calls}"
    return caught.value


def test_trap_8_test_button_refuses_what_deliveries_refuse(names: NameServer) -> None:
    vectors = load("ssrf")
    with VendorClient() as client:
        for address in vectors["block_ip"]:
            names.answer("hook.example", [address])
            host = f"[{address}]" if ":" in address else address
            for url in (f"https://hook.example/hush{address}", f"https://{host}/hush"):
                error = refusal_of(client, url)
                assert error.permanent
                assert "HUB_ALLOWED_PRIVATE_NETWORKS" in error.message
        for url in ("http://example.com/hush", "http://localhost/hush", "http://2130706433/hush"):
            assert refusal_of(client, url).permanent


def test_mixed_public_and_private_records_are_refused(names: NameServer) -> None:
    names.answer("hook.example", ["8.8.8.8", "10.0.0.1"])
    with VendorClient() as client:
        refusal_of(client, "https://hook.example/hush")


def test_rebinding_reaches_only_addresses_that_were_checked(names: NameServer) -> None:
    names.answer("a.localhost", ["127.0.0.1"], ["127.0.0.2"])
    with serving(send(OK)) as server, VendorClient(parse_networks("127.0.0.1/32")) as client:
        # The name is asked once for a connection, and never again while that is dialled.
        assert client.request("POST", f"http://a.localhost:{server.port}/").status == 200
        assert names.asked["a.localhost"] == 1
        client.close()
        refusal_of(client, f"http://a.localhost:{server.port}/hush")
        assert server.connections == 1
    assert f"host: a.localhost:{server.port}" in server.heads[0]


def test_the_next_address_is_tried_when_one_does_not_answer(names: NameServer) -> None:
    names.answer("a.localhost", ["127.0.0.2", "127.0.0.1"])
    with serving(send(OK)) as server, VendorClient(LOOPBACK) as client:
        assert client.request("POST", f"http://a.localhost:{server.port}/").status == 200


def test_certificate_and_sni_are_of_the_host_name_although_an_ip_is_dialled(
    names: NameServer, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    names.answer("hook.example", ["127.0.0.1"])
    for name, end in (("hook.example", 200), ("other.example", "tls")):
        with (
            serving(send(OK), tls=authority.server_context(name)) as server,
            VendorClient(LOOPBACK) as client,
        ):
            client._open()._session.verify = str(authority.path)
            with suppress(ProviderError):
                client.request("POST", f"https://hook.example:{server.port}/")
            assert (client.calls[0].status or client.calls[0].error) == end
            assert server.server_names == ["hook.example"]


@pytest.mark.parametrize("vouched", [(), ("https://no.example",)], ids=["guarded", "vouched"])
@pytest.mark.parametrize(
    "failure",
    [
        socket.gaierror(socket.EAI_NONAME, "unknown"),
        socket.gaierror(socket.EAI_AGAIN, "try again"),
        OSError(errno.EMFILE, "too many open files"),
    ],
)
def test_trap_14_failed_look_up_is_retryable_and_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch, failure: OSError, vouched: tuple[str, ...]
) -> None:
    def look_up(*_: object, **__: object) -> list[object]:
        raise failure

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with VendorClient((), vouched) as client, pytest.raises(ProviderError) as caught:
        client.request("POST", "https://no.example/hush", secret_path=True)
    assert client.calls[0].error == "connect"
    assert not caught.value.permanent
    assert caught.value.is_unprocessed
    assert caught.value.__context__ is None
    assert "hush" not in f"{caught.value} {client.calls}"


def test_only_the_operators_own_addresses_are_exempt(url: str, names: NameServer) -> None:
    with VendorClient((), (url,)) as client:
        assert client.request("GET", f"{url}/echo").status == 200
        refusal_of(client, "http://127.0.0.1:1/hush")
        refusal_of(client, url.replace("127.0.0.1", "127.0.0.2") + "/hush")
    names.answer("api.example.evil.example", ["10.0.0.1"])
    with VendorClient((), ("https://api.example",)) as client:
        refusal_of(client, "https://api.example.evil.example/hush")


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


def test_says_whether_anything_can_have_been_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.3)

    def is_unprocessed(address: str) -> bool:
        with VendorClient(LOOPBACK) as client, pytest.raises(ProviderError) as caught:
            client.request("POST", address, data={"a": "b"})
        return caught.value.is_unprocessed

    assert is_unprocessed("http://127.0.0.1:9/x")
    assert is_unprocessed("http://10.0.0.1/x")
    for answer in (_hang_up, send(), send(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nAc")):
        with serving(answer) as server:
            assert not is_unprocessed(f"http://127.0.0.1:{server.port}/x")
            assert server.bodies == [b"a=b"]
    context = Authority(tmp_path).server_context("127.0.0.1")
    with serving(send(OK), tls=context) as server:
        assert is_unprocessed(f"https://127.0.0.1:{server.port}/x")
        assert server.bodies == []


def test_a_call_may_wait_longer_than_others(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.1)

    async def slow(_: Request) -> Response:
        await asyncio.sleep(0.5)
        return PlainTextResponse("done")

    with running(Starlette(routes=[Route("/", slow)])) as base, VendorClient(LOOPBACK) as client:
        with pytest.raises(ProviderError):
            client.request("GET", base)
        assert client.request("GET", base, read_seconds=3.0).text == "done"
