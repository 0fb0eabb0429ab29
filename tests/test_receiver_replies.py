"""The receiver answers calls and messages by the integration's own reply, as it is set now."""

from lib.connections import integrations
from lib.hub import Hub
from tests.factories import make_user
from tests.receiving import connect, post, receiving, sign, stored_events

MESSAGE = {"MessageSid": "SM" + "1" * 32, "SmsStatus": "received", "Body": "Hi", "From": "+12"}
CALL = {"CallSid": "CA" + "1" * 32, "CallStatus": "ringing", "Direction": "inbound"}


def test_each_question_gets_its_reply_and_a_duplicate_the_same(hub: Hub) -> None:
    issued = connect(
        hub, make_user(hub), "twilio", message_reply="Tom & Ann", voice_reply='[{"verb": "hangup"}]'
    )
    url = issued.integration.webhook_url
    with receiving(hub) as client:
        first = post(client, url, sign(issued, MESSAGE))
        again = post(client, url, sign(issued, MESSAGE))
        called = post(client, url, sign(issued, CALL))
        gathered = post(client, url, sign(issued, {**CALL, "Digits": "1"}))
    assert first.text.endswith("<Message><Body>Tom &amp; Ann</Body></Message></Response>")
    assert (again.text, again.status_code) == (first.text, 200)
    assert called.headers["content-type"] == "text/xml"
    assert called.text.endswith("<Response><Hangup/></Response>")
    assert gathered.text.endswith("<Response/>")
    assert len(stored_events(hub)) == 3


def test_a_changed_reply_is_given_from_then_on(hub: Hub) -> None:
    ada = make_user(hub)
    issued = connect(hub, ada, "twilio")
    item = issued.integration
    with receiving(hub) as client:
        before = post(client, item.webhook_url, sign(issued, MESSAGE))
        values = {**item.config_data, "message_reply": "Thanks"}
        integrations.update(hub, ada, item.id, name=item.name, values=values)
    with receiving(hub) as client:
        after = post(client, item.webhook_url, sign(issued, {**MESSAGE, "Body": "More"}))
    assert before.text.endswith("<Response/>")
    assert "<Body>Thanks</Body>" in after.text
