"""Messages asked for over the API: one key sends one message, whatever becomes of the answer."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from lib import http, idempotency
from lib.clock import now
from lib.hub import Hub
from lib.models import ApiCall
from tests.acting import PHONE, Vendors, connect_twilio, near, vendors
from tests.calling import ApiCaller, calling, refused
from tests.fakes import twilio
from tests.networks import LOOPBACK

SMS = {"to": PHONE, "body": "Hello Grace"}
OUTAGE = OperationalError("UPDATE", {}, Exception("database is locked"))


@pytest.fixture(scope="module")
def fakes() -> Iterator[Vendors]:
    with vendors("twilio") as found:
        yield found


@pytest.fixture
def acting(hub: Hub, fakes: Vendors, monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setattr(http, "READ_SECONDS", 0.3)
    fakes.apps["twilio"].state.sent.clear()
    return near(hub, fakes)


@pytest.fixture
def ada(acting: Hub) -> Iterator[ApiCaller]:
    with calling(acting, allowed_private_networks=LOOPBACK) as caller:
        yield caller


def connect(acting: Hub, ada: ApiCaller, token: str) -> str:
    """Return the address of an integration's actions; its token decides what the fake does."""
    item = connect_twilio(acting, ada.actor, auth_token=token)
    return f"/api/integrations/{item.id}/actions"


def asked(hub: Hub) -> int:
    """Return how often the service was asked to send."""
    with hub.database.read() as session:
        return len(session.exec(select(ApiCall).where(ApiCall.method == "POST")).all())


@pytest.mark.parametrize("token", ["MAGIC500", "MAGICSLOW", "MAGICBROKEN"])
def test_a_message_that_may_have_gone_out_is_not_sent_again_under_its_key(
    acting: Hub, ada: ApiCaller, token: str
) -> None:
    address = f"{connect(acting, ada, token)}/send_message"
    first = ada.call("POST", address, SMS, idempotency_key="order-1")
    said = refused(first, 502)
    assert "It may have been done, so it is not repeated." in said
    assert "ry again" not in said
    for minutes in (0, 3):
        with time_machine.travel(now() + timedelta(minutes=minutes)):
            again = ada.call("POST", address, SMS, idempotency_key="order-1")
        assert refused(again, 502) == said
        assert again.headers["idempotency-replayed"] == "true"
    assert asked(acting) == 1
    refused(ada.call("POST", address, SMS, idempotency_key="order-2"), 502)
    assert asked(acting) == 2


@pytest.mark.parametrize(
    ("token", "status"), [("MAGIC429", 429), (twilio.FAILING_TOKEN, 502), ("wrong", 422)]
)
def test_a_message_that_was_certainly_not_sent_may_be_sent_under_its_key(
    acting: Hub, ada: ApiCaller, fakes: Vendors, token: str, status: int
) -> None:
    address = connect(acting, ada, token)
    answer = ada.call("POST", f"{address}/send_message", SMS, idempotency_key="order-1")
    assert "may have been done" not in refused(answer, status)
    place = address.removesuffix("/actions")
    changed = {"credentials": {"auth_token": twilio.AUTH_TOKEN}}
    assert ada.call("PUT", place, changed).status_code == 200
    ada.post(f"{address}/send_message", SMS, status=200, idempotency_key="order-1")
    assert len(fakes.apps["twilio"].state.sent) == 1


def test_what_only_reads_may_be_asked_again_under_its_key(acting: Hub, ada: ApiCaller) -> None:
    address = f"{connect(acting, ada, 'MAGIC500')}/list_messages"
    for _ in range(2):
        answer = ada.call("POST", address, {}, idempotency_key="look-1")
        assert "idempotency-replayed" not in answer.headers
        assert "may have been done" not in refused(answer, 502)


def test_an_answer_that_cannot_be_kept_is_given_and_its_message_not_sent_again(
    acting: Hub, ada: ApiCaller, fakes: Vendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{connect(acting, ada, twilio.AUTH_TOKEN)}/send_message"

    def fail(*_: object) -> None:
        raise OUTAGE

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "finish", fail)
        ada.post(address, SMS, status=200, idempotency_key="order-1")
    refused(ada.call("POST", address, SMS, idempotency_key="order-1"), 409)
    with time_machine.travel(now() + timedelta(minutes=3)):
        answer = ada.call("POST", address, SMS, idempotency_key="order-1")
    said = refused(answer, 502)
    assert said.startswith("The first request with this Idempotency-Key was cut off.")
    assert "may have been done" in said
    assert len(fakes.apps["twilio"].state.sent) == 1


def test_a_fault_after_the_message_went_out_leaves_its_key_taken(
    acting: Hub, ada: ApiCaller, fakes: Vendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{connect(acting, ada, twilio.AUTH_TOKEN)}/send_message"

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("lib.vendors.action_runs.keep_calls", fail)
        with pytest.raises(RuntimeError):
            ada.call("POST", address, SMS, idempotency_key="order-1")
    refused(ada.call("POST", address, SMS, idempotency_key="order-1"), 409)
    assert len(fakes.apps["twilio"].state.sent) == 1


def test_an_outage_before_the_message_frees_its_key(
    acting: Hub, ada: ApiCaller, fakes: Vendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{connect(acting, ada, twilio.AUTH_TOKEN)}/send_message"

    def fail(*_: Any, **__: Any) -> None:
        raise OUTAGE

    with monkeypatch.context() as patch:
        patch.setattr("lib.vendors.actions.audit.record", fail)
        refused(ada.call("POST", address, SMS, idempotency_key="order-1"), 503)
    ada.post(address, SMS, status=200, idempotency_key="order-1")
    assert len(fakes.apps["twilio"].state.sent) == 1
