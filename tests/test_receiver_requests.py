"""What a request says about itself, and what of that is believed behind a proxy."""

import ipaddress
from typing import Any

import pytest

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
