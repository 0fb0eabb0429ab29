"""TwiML against Twilio's own builder, and the replies that integrations give."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.twiml.messaging_response import Message as TheirMessage
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Gather, VoiceResponse

from lib.errors import InvalidInput
from lib.providers.base import ParsedEvent
from lib.providers.twilio import Twilio
from lib.providers.twilio.twiml import _UNWRITABLE, read_reply, render, render_reply
from tests.providers.samples import ACCOUNT, SETTINGS

TWILIO = Twilio()
VALUES = {"account_sid": ACCOUNT, "auth_token": "12345"}
URL = "https://x.example/a?b=1&c='2'"


def document(field: str, verbs: Any) -> str:
    return ET.canonicalize(render(read_reply(field, json.dumps(verbs))).decode())


def test_voice_verbs_are_written_as_twilio_writes_them() -> None:
    verbs = [
        {"verb": "say", "text": "A < B & \"C\" ☃", "voice": "Polly.Joanna", "language": "en-GB",
         "loop": 2},
        {"verb": "play", "url": URL, "loop": 3},
        {"verb": "pause", "length": 2},
        {"verb": "gather", "input": "dtmf speech", "num_digits": 1, "timeout": 4,
         "finish_on_key": "#", "action": URL,
         "prompt": [{"verb": "say", "text": "Press 1"}, {"verb": "pause"}]},
        {"verb": "dial", "number": "+14155550123", "caller_id": "+15005550006", "timeout": 20,
         "time_limit": 600, "record": "record-from-answer"},
        {"verb": "record", "max_length": 30, "play_beep": False, "timeout": 5,
         "finish_on_key": "*"},
        {"verb": "redirect", "url": URL},
        {"verb": "hangup"},
        {"verb": "reject", "reason": "busy"},
    ]  # fmt: skip
    theirs = VoiceResponse()
    theirs.say('A < B & "C" ☃', voice="Polly.Joanna", language="en-GB", loop=2)
    theirs.play(URL, loop=3)
    theirs.pause(length=2)
    gather = Gather(input="dtmf speech", num_digits=1, timeout=4, finish_on_key="#", action=URL)
    gather.say("Press 1")
    gather.pause()
    theirs.append(gather)
    theirs.dial(
        "+14155550123", caller_id="+15005550006", timeout=20, time_limit=600,
        record="record-from-answer",
    )  # fmt: skip
    theirs.record(max_length=30, play_beep=False, timeout=5, finish_on_key="*")
    theirs.redirect(URL)
    theirs.hangup()
    theirs.reject(reason="busy")
    assert document("voice_reply", verbs) == ET.canonicalize(str(theirs))


def test_a_message_is_written_as_twilio_writes_it() -> None:
    verbs = [{"verb": "message", "body": "Tom & Ann <3", "media_urls": [URL]}]
    message = TheirMessage()
    message.body("Tom & Ann <3")
    message.media(URL)
    theirs = MessagingResponse()
    theirs.append(message)
    assert document("message_reply", verbs) == ET.canonicalize(str(theirs))


@given(st.text(min_size=1, max_size=200))
def test_any_text_is_refused_or_comes_back_as_it_was(text: str) -> None:
    verbs = json.dumps([{"verb": "say", "text": text}])
    if _UNWRITABLE.search(text):
        with pytest.raises(InvalidInput, match="control characters"):
            read_reply("voice_reply", verbs)
        return
    written = render(read_reply("voice_reply", verbs))
    (said,) = ET.fromstring(written)
    assert (said.text or "").replace("\r\n", "\n").replace("\r", "\n") == text.replace(
        "\r\n", "\n"
    ).replace("\r", "\n")


def test_plain_text_is_said_or_sent() -> None:
    said = render_reply("voice_reply", "We call you back.")
    sent = render_reply("message_reply", "Thank you.")
    assert said.endswith(b"<Response><Say>We call you back.</Say></Response>")
    assert sent.endswith(b"<Response><Message><Body>Thank you.</Body></Message></Response>")


@pytest.mark.parametrize(
    "verbs",
    [
        [{"verb": "shout", "text": "x"}],
        [{"verb": "say"}],
        [{"verb": "say", "text": "x", "onload": "y"}],
        [{"verb": "say", "text": "x", "voice": '" y="'}],
        [{"verb": "play", "url": "javascript:x"}],
        [{"verb": "gather", "prompt": [{"verb": "dial", "number": "+14155550123"}]}],
        [{"verb": "message", "body": "x"}],
        [{"verb": "hangup"}] * 21,
        ["x"],
    ],
)
def test_what_is_no_verb_is_refused_where_it_stands(verbs: Any) -> None:
    with pytest.raises(InvalidInput, match="reply is not right") as caught:
        TWILIO.validate({**VALUES, "voice_reply": json.dumps(verbs)}, SETTINGS)
    assert caught.value.field == "voice_reply"


def test_a_list_that_is_no_json_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no JSON"):
        TWILIO.validate({**VALUES, "message_reply": "[1"}, SETTINGS)


def event(event_type: str) -> ParsedEvent:
    return ParsedEvent(event_type, "key")


def test_only_the_first_question_gets_the_reply() -> None:
    values = {**VALUES, "voice_reply": "Hello", "message_reply": "Thanks"}
    assert TWILIO.validate(values, SETTINGS) == values
    assert b"<Say>Hello" in TWILIO.answer("evt_1", event("call.inbound"), values).body
    assert b"<Body>Thanks" in TWILIO.answer("evt_1", event("message.inbound"), values).body
    empty = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    for quiet in ("call.gather", "call.recorded", "call.outbound", "call.dial", "unknown"):
        assert TWILIO.answer("evt_1", event(quiet), values).body == empty
    for noted in ("message.status", "call.status"):
        assert TWILIO.answer("evt_1", event(noted), values).status == 204
    for asked in ("call.inbound", "message.inbound"):
        answer = TWILIO.answer("evt_1", event(asked), VALUES)
        assert (answer.body, answer.content_type) == (empty, "text/xml")


def test_a_stored_reply_that_is_no_longer_right_keeps_no_event_out() -> None:
    values = {**VALUES, "voice_reply": '[{"verb": "shout"}]'}
    assert TWILIO.answer("evt_1", event("call.inbound"), values).body.endswith(b"<Response/>")


def test_a_reply_is_written_once() -> None:
    values = {**VALUES, "voice_reply": "Only once"}
    first = TWILIO.answer("evt_1", event("call.inbound"), values).body
    assert TWILIO.answer("evt_2", event("call.inbound"), values).body is first


def test_the_screen_previews_what_is_answered() -> None:
    shown = TWILIO.previews({"voice_reply": "Hello", "account_sid": ACCOUNT})
    assert list(shown) == ["Answer to calls"]
    assert shown["Answer to calls"].endswith("<Response><Say>Hello</Say></Response>")
