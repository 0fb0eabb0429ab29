"""The self-test of the public address: it tells ourselves from strangers and from silence."""

import socket
from threading import Event

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from lib import public_address
from lib.access import Actor
from lib.errors import NotAllowed
from lib.hub import Hub
from lib.public_address import list_environment, probe_public_url
from tests.factories import make_user
from tests.fakes.server import running
from tests.processes import free_port
from tests.receiving import trusting
from webhook_receiver.app import create_app


@pytest.fixture
def staff(hub: Hub) -> Actor:
    return make_user(hub, "sam@example.com", "staff")


def test_our_own_receiver_is_known_by_its_proof(hub: Hub, staff: Actor) -> None:
    with running(create_app(hub), has_lifespan=True) as url:
        found = probe_public_url(trusting(hub, public_url=url), staff)
    assert (found.outcome, found.seen_ip) == ("local", "127.0.0.1")


def test_a_stranger_is_told_from_us(hub: Hub, staff: Actor) -> None:
    app = Starlette(
        routes=[Route("/healthz", lambda _: JSONResponse({"status": "ok", "proof": "0" * 64}))]
    )
    with running(app) as url:
        assert probe_public_url(trusting(hub, public_url=url), staff).outcome == "stranger"


def test_silence_is_told_apart(hub: Hub, staff: Actor) -> None:
    silent = trusting(hub, public_url=f"http://127.0.0.1:{free_port()}")
    assert probe_public_url(silent, staff).outcome == "refused"
    nameless = trusting(hub, public_url="https://hub.invalid")
    assert probe_public_url(nameless, staff).outcome == "dns"


def test_a_look_up_without_an_end_is_given_up(
    hub: Hub, staff: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = Event()
    monkeypatch.setattr(public_address, "_SECONDS", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: answered.wait(10))
    found = probe_public_url(trusting(hub, public_url="https://slow.example.com"), staff)
    answered.set()
    assert found.outcome == "dns"


def test_credentials_within_an_address_are_not_shown(hub: Hub, staff: Actor) -> None:
    secret = trusting(hub, make_api_url="https://user:geheim@make.example.com")
    assert "geheim" not in repr(list_environment(secret, staff))


@pytest.mark.parametrize("role", ["member", "analyst"])
def test_only_staff_ask(hub: Hub, role: str) -> None:
    eve = make_user(hub, "eve@example.com", role)
    for refused in (probe_public_url, list_environment):
        with pytest.raises(NotAllowed):
            refused(hub, eve)
