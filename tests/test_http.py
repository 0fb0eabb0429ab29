"""The vendor client: what it sends, keeps, caps and hides."""

import socket
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from lib import http
from lib.errors import ProviderError
from lib.http import MAX_ANSWER_BYTES, VendorClient
from tests.fakes.server import running


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
    with VendorClient() as client:
        answer = client.request("GET", f"{url}/echo?token=hush", params={"a": "b"})
        client.request("GET", f"{url}/echo", secret_path=True)
    assert answer.json() == {"agent": "MembersHub/1.0", "query": "token=hush&a=b"}
    assert [(call.path, call.status) for call in client.calls] == [("/echo", 200), ("/•••", 200)]
    assert "hush" not in repr(client)
    assert "hush" not in repr(answer)


def test_caps_the_answer_and_follows_no_redirect(url: str) -> None:
    with VendorClient() as client:
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
    with VendorClient() as client, pytest.raises(ProviderError) as caught:
        client.request("POST", f"http://127.0.0.1:{port}/hush", secret_path=True)
    assert not caught.value.permanent
    assert caught.value.__context__ is None
    assert "hush" not in f"{caught.value} {client.calls}"
    assert client.calls[0].error == "connect"


def test_silence_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        VendorClient() as client,
        pytest.raises(ProviderError) as caught,
    ):
        client.request("GET", f"http://127.0.0.1:{listener.getsockname()[1]}/x")
    assert not caught.value.permanent
    assert client.calls[0].error == "timeout"


def test_plain_text_on_a_tls_address_is_explained(url: str) -> None:
    with VendorClient() as client, pytest.raises(ProviderError) as caught:
        client.request("GET", url.replace("http:", "https:"))
    assert client.calls[0].error == "tls"
    assert not caught.value.permanent


def test_an_address_that_is_none_is_permanent() -> None:
    with VendorClient() as client, pytest.raises(ProviderError) as caught:
        client.request("GET", "nonsense")
    assert caught.value.permanent
