"""Filling a fresh hub: users and integrations first, then two days of signed requests."""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

import requests
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlmodel import col, select
from starlette.applications import Starlette

from lib.access import Actor, Role
from lib.clock import now, shifted
from lib.connections import integrations
from lib.connections.integrations import Issued
from lib.demo.finds import add_finds
from lib.demo.onwards import DemoSender, add_places, deliver_due
from lib.demo.senders import platform_request, service_request
from lib.demo.traffic import LOCATION, TWILIO_ACCOUNT, Happening, happenings
from lib.errors import HubError, InvalidInput
from lib.hub import Hub, prepare_hub
from lib.models import User
from lib.people import users
from lib.processing.batch import process_batch
from lib.providers.registry import get_provider
from lib.providers.sending import Signed
from lib.settings import Settings

# The receiver is handed in, because lib knows no routes.
MakeReceiver = Callable[[Hub], Starlette]

MEMBER = "demo-member@example.com"
_AUTH_TOKEN = "demo" * 8
_QUARTERS = 4 * 48
_QUARTER = timedelta(minutes=15)
# The same dice each time, so that screenshots can be compared.
_SEED = 20_261_123
_VALUES: dict[str, dict[str, str]] = {
    "twilio": {"account_sid": TWILIO_ACCOUNT, "auth_token": _AUTH_TOKEN},
    "gohighlevel": {"location_id": LOCATION},
    "make": {},
    "zapier": {},
}
_NAMES = {
    "twilio": "Front desk number (demo)",
    "gohighlevel": "Studio CRM (demo)",
    "make": "Order scenarios (demo)",
    "zapier": "Form zaps (demo)",
}


@dataclass(frozen=True, repr=False)
class Filled:
    """How to look at the demo: the member, the one-time password, and what was answered."""

    email: str
    password: str | None
    answers: Mapping[int, int]


def fill(settings: Settings, make_receiver: MakeReceiver) -> Filled:
    """Fill the hub of `settings` with two days of marked traffic through a receiver of its own.

    GoHighLevel's private key is HighLevel's alone, so that receiver believes a key made for
    this one run. Raises InvalidInput when the demo is there already.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    hub = prepare_hub(settings.model_copy(update={"gohighlevel_ed25519_key": pem.decode()}))
    try:
        return _fill(hub, make_receiver, key=key)
    finally:
        hub.close()


def _fill(hub: Hub, make_receiver: MakeReceiver, *, key: Ed25519PrivateKey) -> Filled:
    with hub.database.read() as session:
        if session.exec(select(User).where(col(User.email) == MEMBER)).first():
            raise InvalidInput("This hub has the demo data already.", field="demo")
    member, password = users.add_user(hub, email=MEMBER, name="Demo member", role=Role.MEMBER)
    issued = _add_integrations(hub, member)
    dice = random.Random(_SEED)  # noqa: S311 - invents data, guards nothing
    sender = DemoSender(random.Random(_SEED))  # noqa: S311 - the same
    answers: Counter[int] = Counter()
    with _receiving(make_receiver(hub)) as origin, requests.Session() as http:
        for sendings in _traffic(issued, dice, key=key):
            answers.update(_post_all(hub, http, origin, sendings=sendings))
            _work(hub, sender)
    add_finds(hub, member, issued)
    return Filled(MEMBER, password, answers)


def _quarters() -> Iterator[int]:
    """Let the clock stand at each quarter of an hour of the last two days in turn."""
    for quarter in range(_QUARTERS, 0, -1):
        with shifted(-_QUARTER * quarter):
            yield quarter


def _add_integrations(hub: Hub, member: Actor) -> dict[str, Issued]:
    with shifted(-_QUARTER * (_QUARTERS + 1)):
        issued = {
            service: integrations.add(
                hub, member, service_name=service, name=_NAMES[service], values=values
            )
            for service, values in _VALUES.items()
        }
        add_places(hub, member, issued)
        return issued


def _traffic(
    issued: Mapping[str, Issued], dice: random.Random, *, key: Ed25519PrivateKey
) -> Iterator[list[Signed]]:
    """Yield the requests that come together, while the clock stands at their moment."""
    for quarter in _quarters():
        found = sorted(happenings(now(), dice), key=lambda happening: happening.after)
        for after, together in groupby(found, key=lambda happening: happening.after):
            with shifted(after - _QUARTER * quarter):
                yield [_sign(each, issued[each.service_name], key=key) for each in together]


def _work(hub: Hub, sender: DemoSender) -> None:
    """Do what a worker would have done by now."""
    while process_batch(hub):
        pass
    deliver_due(hub, sender)


def _sign(happening: Happening, issued: Issued, *, key: Ed25519PrivateKey) -> Signed:
    service, url = happening.service_name, issued.integration.webhook_url
    if service == "gohighlevel":
        return platform_request(url, happening.fields, key)
    field = get_provider(service).signing_field
    secret = issued.inbound_secret or ("another token" if happening.is_forged else _AUTH_TOKEN)
    return service_request(service, url, happening.fields, values={field: secret})


def _post_all(
    hub: Hub, http: requests.Session, origin: str, *, sendings: Sequence[Signed]
) -> list[int]:
    local = (each.url.replace(hub.settings.public_url, origin) for each in sendings)
    return [_post(http, url, sending=each) for url, each in zip(local, sendings, strict=True)]


def _post(http: requests.Session, url: str, *, sending: Signed) -> int:
    answer = http.post(url, data=sending.body, headers=dict(sending.headers), timeout=30)
    return answer.status_code


@contextmanager
def _receiving(receiver: Starlette) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(receiver, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            _wait_until(server)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def _wait_until(server: uvicorn.Server) -> None:
    for _ in range(500):
        if server.started:
            return
        time.sleep(0.01)
    raise HubError("The demo's receiver did not start. Look at the log above.")
