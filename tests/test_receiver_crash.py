"""A receiver that dies in the middle of a burst loses nothing that it has acknowledged."""

import json
import threading
import time

import requests

from lib.hub import Hub
from tests.factories import make_user
from tests.processes import free_port, receiver_process
from tests.receiving import connect, stored_events

SENDERS = 8


def test_killed_receiver_keeps_every_acknowledged_event_once(hub: Hub) -> None:
    issued = connect(hub, make_user(hub), "make")
    port = free_port()
    url = issued.integration.webhook_url.replace(":8000", f":{port}")
    headers = {"x-hub-secret": issued.inbound_secret or "", "content-type": "application/json"}
    acknowledged: dict[str, str] = {}
    unanswered: list[str] = []

    def send(session: requests.Session, name: str) -> bool:
        body = json.dumps({"type": "order.created", "name": name})
        try:
            answer = session.post(url, data=body, headers=headers, timeout=10)
        except requests.ConnectionError:
            unanswered.append(name)
            return False
        assert answer.status_code == 200
        acknowledged[name] = answer.json()["id"]
        return True

    def burst(sender: int) -> None:
        with requests.Session() as session:
            for number in range(10_000):
                if not send(session, f"{sender}/{number}"):
                    return

    with receiver_process(hub.settings, port) as process:
        threads = [threading.Thread(target=burst, args=(sender,)) for sender in range(SENDERS)]
        for thread in threads:
            thread.start()
        while len(acknowledged) < 500:
            time.sleep(0.01)
        process.kill()
        for thread in threads:
            thread.join()
    assert len(unanswered) == SENDERS
    with receiver_process(hub.settings, port), requests.Session() as session:
        for name in list(unanswered):
            assert send(session, name)
    events = stored_events(hub)
    by_name = {json.loads(event.payload)["name"]: event.id for event in events}
    assert len(by_name) == len(events), "no event is there twice"
    assert by_name == acknowledged, "what is stored is what was acknowledged"
