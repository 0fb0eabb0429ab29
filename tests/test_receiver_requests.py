"""What a request says about itself, and what of that is believed behind a proxy."""

import asyncio
import ipaddress
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from lib.access import Actor
from lib.hub import Hub
from tests.factories import make_user
from tests.receiving import (
    Signed,
    connect,
    load_vectors,
    post,
    receiving,
    sign,
    sign_form,
    stored_events,
)
from webhook_receiver.requests import BodyTooLarge, read_body

TWILIO = load_vectors("twilio_webhook_params.json")["fixtures"]
SMS: dict[str, Any] = TWILIO[0]["params"]


@pytest.fixture
def member(hub: Hub) -> Actor:
    return make_user(hub)


@pytest.mark.parametrize(
    ("public_url", "inside_prefix"),
    [
        ("https://hub.example.com", ""),
        ("https://hub.example.com:8443", ""),
        ("https://example.com/hub", ""),
        ("https://example.com/hub", "/hub"),
        ("http://hub.example.com:8080", ""),
    ],
)
def test_proxy_matrix_for_twilio(
    hub: Hub, member: Actor, public_url: str, inside_prefix: str
) -> None:
    hub = Hub(hub.settings.model_copy(update={"public_url": public_url}), hub.database, hub.vault)
    issued = connect(hub, member, "twilio")
    path = "/api/" + issued.integration.webhook_url.partition("/api/")[2]
    with receiving(hub) as client:
        for number, query in enumerate(("", "?room=a%20b&x=1")):
            fields = {**SMS, "MessageSid": f"SM{number}"}
            signed = sign_form(issued.integration.webhook_url + query, fields)
            answer = client.post(
                inside_prefix + path + query,
                content=signed.body,
                headers={**signed.headers, "host": "inside", "x-forwarded-host": "evil.example"},
            )
            assert answer.status_code == 200
    assert len(stored_events(hub)) == 2


def test_sender_address_comes_from_trusted_proxies_alone(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "make")
    forwarded = {"x-forwarded-for": "198.51.100.7, 192.0.2.9"}
    url = issued.integration.webhook_url

    def source_ip(number: int, **changes: Any) -> str:
        signed = sign(issued, {"n": number})
        with receiving(hub, **changes) as client:
            client._transport.client = ("192.0.2.1", 5000)  # type: ignore[attr-defined]
            post(client, url, Signed(signed.body, {**signed.headers, **forwarded}))
        return stored_events(hub)[-1].source_ip

    proxies = tuple(ipaddress.ip_network(n) for n in ("192.0.2.1/32", "192.0.2.9/32"))
    assert source_ip(1) == "192.0.2.1"
    assert source_ip(2, trusted_proxies=proxies[:1]) == "192.0.2.9"
    assert source_ip(3, trusted_proxies=proxies) == "198.51.100.7"


def read_parts(*parts: bytes | None, headers: dict[str, str] | None = None) -> bytes:
    """Read a body that comes in parts, of at most 8 bytes; None is a sender that hangs up."""
    waiting = list(parts)

    async def receive() -> Message:
        part = waiting.pop(0)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": bool(waiting)}

    return asyncio.run(read_body(receive, headers or {}, most_bytes=8))


@pytest.mark.parametrize("path", ["/api/web%68ooks/twilio", "/api%2Fwebhooks/twilio/{token}"])
def test_an_address_that_is_spelt_otherwise_is_unknown(hub: Hub, member: Actor, path: str) -> None:
    url = connect(hub, member, "twilio").integration.webhook_url
    with receiving(hub) as client:
        given = path.format(token=url.rpartition("/")[2])
        answer = client.post(f"http://localhost:8000{given}", content=b"Body=x")
        unknown = client.post("http://localhost:8000/api/webhooks/twilio/none")
    assert (answer.status_code, answer.json()) == (404, unknown.json())
    assert stored_events(hub) == []


def test_body_is_joined_from_its_parts() -> None:
    assert read_parts(b"") == b""
    assert read_parts(b"whole") == b"whole"
    assert read_parts(b"in ", b"", b"parts") == b"in parts"


def test_body_is_capped_whatever_is_announced() -> None:
    with pytest.raises(BodyTooLarge) as caught:
        read_parts(headers={"content-length": "9"})
    assert caught.value.announced == 9
    for announced in ({}, {"content-length": "1"}, {"content-length": "many"}):
        with pytest.raises(BodyTooLarge) as caught:
            read_parts(b"12345", b"6789", headers=announced)
        assert caught.value.announced is None


def test_body_that_breaks_off_is_none() -> None:
    with pytest.raises(ClientDisconnect):
        read_parts(b"half", None)
