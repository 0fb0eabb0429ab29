"""Twilio's actions against the fake, and against Twilio's own client on the same fake."""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from twilio.base.exceptions import TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from lib import http
from lib.clock import now
from lib.errors import InvalidInput, ProviderError
from lib.providers.twilio.api import api_url
from lib.providers.twilio.errors import CODES, explain_code
from lib.providers.twilio.segments import count_segments
from lib.vendors.action_runs import check_input, find_action
from tests.acting import PHONE, SENDER, TWILIO_VALUES, WEBHOOK_URL, Vendors, act, vendors
from tests.fakes import twilio
from tests.fakes.vectors import load

SERVICE = "MG" + "a" * 32
SEND = find_action("twilio", "send_message")
CALL = find_action("twilio", "place_call")


@pytest.fixture
def found() -> Iterator[Vendors]:
    with vendors("twilio") as found:
        yield found


def send(found: Vendors, values: dict[str, str] | None = None, **given: Any) -> Any:
    merged = {"to": PHONE, "body": "Hello", **given}
    return act(found, "twilio", "send_message", values or TWILIO_VALUES, **merged)[0]


def refused(name: str, **given: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        check_input(find_action("twilio", name), given)
    return caught.value


def last_pairs(found: Vendors) -> list[tuple[str, str]]:
    return found.apps["twilio"].state.pairs[-1]


def test_a_message_goes_out_as_twilio_documents_it(found: Vendors) -> None:
    result, calls = act(
        found, "twilio", "send_message", TWILIO_VALUES, to=PHONE, body="Hello ☃",
        media_urls=["https://x.example/a.png", "https://x.example/b.png"], validity_seconds=600,
    )  # fmt: skip
    assert last_pairs(found) == [
        ("To", PHONE),
        ("From", SENDER),
        ("Body", "Hello ☃"),
        ("MediaUrl", "https://x.example/a.png"),
        ("MediaUrl", "https://x.example/b.png"),
        ("StatusCallback", WEBHOOK_URL),
        ("ValidityPeriod", "600"),
    ]
    assert result["status"] == "queued"
    assert result["segments"] == {"count": 1, "encoding": "UCS-2", "units": 7}
    assert [(call.method, call.status) for call in calls] == [("POST", 201)]
    assert twilio.AUTH_TOKEN not in repr((result, calls))


def test_a_messaging_service_chooses_the_sender_and_the_time(found: Vendors) -> None:
    moment = now() + timedelta(hours=1)
    send(found, messaging_service_sid=SERVICE, send_at=moment.isoformat())
    form = dict(last_pairs(found))
    assert form["MessagingServiceSid"] == SERVICE
    assert "From" not in form
    assert (form["ScheduleType"], form["SendAt"][:16]) == ("fixed", moment.isoformat()[:16])


def test_the_api_key_is_used_where_there_is_one(found: Vendors) -> None:
    sid, secret = twilio.STANDARD_KEY
    values = {**TWILIO_VALUES, "auth_token": "wrong", "api_key_sid": sid, "api_key_secret": secret}
    assert send(found, values)["sid"].startswith("SM")


@pytest.mark.parametrize(
    ("webhook_host", "is_reported"),
    [("localhost:8000", False), ("127.0.0.1", False), ("a_b.example.com", False), ("h.io", True)],
)
def test_an_address_that_twilio_refuses_is_left_out(
    found: Vendors, webhook_host: str, is_reported: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.acting.WEBHOOK_URL", f"http://{webhook_host}/api/webhooks/x/y")
    send(found)
    assert ("StatusCallback" in dict(last_pairs(found))) is is_reported


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"to": "0049123"}, "to"),
        ({"to": PHONE + "\n1"}, "to"),
        ({}, "to"),
        ({"to": PHONE}, "body"),
        ({"to": PHONE, "body": "x" * 1601}, "body"),
        ({"to": PHONE, "media_urls": ["https://x.example"] * 11}, "media_urls"),
        ({"to": PHONE, "media_urls": ["ftp://x.example"]}, "media_urls.0"),
        ({"to": PHONE, "body": "x", "from_number": "bad number!!"}, "from_number"),
        (
            {"to": PHONE, "body": "x", "from": SENDER, "messaging_service_sid": SERVICE},
            "messaging_service_sid",
        ),
        ({"to": PHONE, "body": "x", "validity_seconds": 0}, "validity_seconds"),
        ({"to": PHONE, "body": "x", "send_at": "2030-01-01T00:00:00Z"}, "send_at"),
        ({"to": PHONE, "body": "x", "colour": "red"}, "colour"),
    ],
)
def test_a_bad_message_names_its_first_bad_field(given: dict[str, Any], field: str) -> None:
    error = refused("send_message", **given)
    assert error.field == field
    assert error.message.endswith(".")
    assert "0049123" not in error.message


@pytest.mark.parametrize("ahead", [timedelta(minutes=1), timedelta(days=36)])
def test_a_time_that_twilio_does_not_take_is_refused(ahead: timedelta) -> None:
    moment = (now() + ahead).isoformat()
    error = refused(
        "send_message", to=PHONE, body="x", messaging_service_sid=SERVICE, send_at=moment
    )
    assert error.field == "send_at"


def test_numbers_are_taken_as_the_vectors_say() -> None:
    vectors = load("e164")
    for number in [*vectors["valid"], "whatsapp:+14155550123", "messenger:123456789", "12345"]:
        assert check_input(SEND, {"to": number, "body": "x"})
    # Blanks at the ends are stripped before, so a newline there is no number's part.
    for number in [each for each in vectors["invalid"] if not each.endswith("\n")]:
        assert refused("send_message", to=number, body="x").field == "to"
    for address in ("client:alice", "sip:bob@example.com", PHONE):
        assert check_input(CALL, {"to": address, "say": "Hi"})


def test_a_missing_sender_and_mixed_channels_are_said(found: Vendors) -> None:
    nameless = {name: text for name, text in TWILIO_VALUES.items() if name != "from_number"}
    with pytest.raises(InvalidInput, match="sender is missing") as caught:
        send(found, nameless)
    assert caught.value.field == "from_number"
    with pytest.raises(InvalidInput, match="different channels"):
        send(found, to=f"whatsapp:{PHONE}")
    assert found.apps["twilio"].state.sent == []


def test_a_call_goes_out_as_twilio_documents_it(found: Vendors) -> None:
    result, _ = act(
        found, "twilio", "place_call", TWILIO_VALUES, to=PHONE, say="Tom & Ann <3",
        timeout_seconds=20, record=True, machine_detection="Enable",
    )  # fmt: skip
    pairs = last_pairs(found)
    assert dict(pairs)["Twiml"].endswith("<Response><Say>Tom &amp; Ann &lt;3</Say></Response>")
    assert [value for name, value in pairs if name == "StatusCallbackEvent"] == [
        "initiated",
        "ringing",
        "answered",
        "completed",
    ]
    assert {"Timeout": "20", "Record": "true", "MachineDetection": "Enable"}.items() <= dict(
        pairs
    ).items()
    assert (result["sid"], result["status"]) == (twilio.CALL_SID, "queued")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "say"),
        ({"say": "x", "url": "https://x.example/t"}, "url"),
        ({"twiml": "<Say>x</Say>"}, "twiml"),
        ({"twiml": "<Response>" + "x" * 4000 + "</Response>"}, "twiml"),
        ({"say": "x", "timeout_seconds": 1}, "timeout_seconds"),
        ({"say": "x", "status_events": ["paused"]}, "status_events.0"),
    ],
)
def test_a_bad_call_names_its_first_bad_field(given: dict[str, Any], field: str) -> None:
    assert refused("place_call", to=PHONE, **given).field == field


@pytest.mark.parametrize(
    ("side", "kind"),
    [("To", "SMS"), ("From", "SMS"), ("To", "Call"), ("From", "Call")],
)
def test_each_magic_number_is_refused_in_plain_words(found: Vendors, side: str, kind: str) -> None:
    magic = [
        (each["number"], each["error"])
        for each in load("twilio_api")["magic_numbers"]
        if each["use"] == f"{kind} {side}" and "error" in each
    ]
    assert magic
    name = "send_message" if kind == "SMS" else "place_call"
    text = {"body": "x"} if kind == "SMS" else {"say": "x"}
    for number, code in magic:
        given = {"to": PHONE, **text, "to" if side == "To" else "from_number": number}
        with pytest.raises(ProviderError) as caught:
            act(found, "twilio", name, TWILIO_VALUES, **given)
        error = caught.value
        is_full = code == 21611
        assert (error.status, error.code) == (400, str(code))
        # What a full queue did not take may be taken later.
        assert (error.permanent, error.is_unprocessed) == (not is_full, is_full)
        assert error.message == explain_code(code)
        assert number not in error.message


def test_every_known_code_says_cause_step_and_link() -> None:
    listed = {
        20003, 20404, 20429, 21211, 21212, 21408, 21606, 21608, 21610, 21611, 21612, 21614, 21617,
        21620, 30003, 30004, 30005, 30006, 30007, 30008, 30032, 30034, 21217, 21214, 21215, 21216,
        21422, 21421, 30001,
    }  # fmt: skip
    assert {str(code) for code in listed} <= CODES.keys()
    for code in CODES:
        told = explain_code(code) or ""
        assert told.count(". ") >= 1
        assert f"https://www.twilio.com/docs/errors/{code}" in told
    assert explain_code(99999) is None
    assert explain_code("x") is None


@pytest.mark.parametrize(
    ("token", "permanent", "is_unprocessed", "status"),
    [
        ("wrong", True, False, 401),
        (twilio.TEST_AUTH_TOKEN, True, False, 403),
        ("MAGIC429", False, True, 429),
        (twilio.FAILING_TOKEN, False, True, 500),
        ("MAGIC500", False, False, 500),
        ("MAGICBROKEN", False, False, 200),
        ("MAGICSLOW", False, False, None),
    ],
)
def test_only_a_send_that_was_certainly_not_done_may_be_repeated(
    found: Vendors,
    token: str,
    permanent: bool,
    is_unprocessed: bool,
    status: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.3)
    with pytest.raises(ProviderError) as caught:
        send(found, {**TWILIO_VALUES, "auth_token": token})
    error = caught.value
    assert (error.permanent, error.is_unprocessed, error.status) == (
        permanent,
        is_unprocessed,
        status,
    )
    assert token not in error.message


def test_no_connection_means_nothing_was_sent(found: Vendors) -> None:
    away = Vendors(
        found.apps, found.urls, found.settings.model_copy(update={"twilio_api_url": "http://127.0.0.1:9"})
    )  # fmt: skip
    with pytest.raises(ProviderError) as caught:
        send(away)
    assert (caught.value.is_unprocessed, caught.value.permanent) == (True, False)


def test_messages_and_calls_are_read(found: Vendors) -> None:
    sent = [send(found, body=f"Number {number}") for number in range(3)]
    one, _ = act(found, "twilio", "get_message", TWILIO_VALUES, sid=sent[1]["sid"])
    assert one["body"] == "Number 1"
    listed, _ = act(found, "twilio", "list_messages", TWILIO_VALUES, to=PHONE, page_size=2)
    assert [each["body"] for each in listed["messages"]] == ["Number 2", "Number 1"]
    assert listed["has_more"]
    call, _ = act(found, "twilio", "get_call", TWILIO_VALUES, sid=twilio.CALL_SID)
    assert (call["status"], call["duration"]) == ("completed", "12")
    with pytest.raises(ProviderError, match="does not know"):
        act(found, "twilio", "get_message", TWILIO_VALUES, sid="SM" + "f" * 32)


def test_an_undelivered_message_says_why(found: Vendors) -> None:
    sid = send(found)["sid"]
    found.apps["twilio"].state.messages[0] |= {"status": "undelivered", "error_code": 30006}
    one, _ = act(found, "twilio", "get_message", TWILIO_VALUES, sid=sid)
    assert "landline" in one["explanation"]


class Rewriting(HttpClient):  # type: ignore[misc]
    """Sends what Twilio's client asks for to the fake."""

    def __init__(self, url: str) -> None:
        super().__init__(logging.getLogger("twilio"), is_async=False)
        self._url = url

    def request(
        self,
        method: str,
        uri: str,
        params: Any = None,
        data: Any = None,
        headers: Any = None,
        auth: Any = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Send one request."""
        url = uri.replace("https://api.twilio.com", self._url)
        answer = requests.request(
            method, url, params=params, data=data, headers=headers, auth=auth, timeout=5
        )
        return Response(answer.status_code, answer.text, answer.headers)


def test_twilios_own_client_and_our_actions_agree(found: Vendors) -> None:
    client = Client(
        twilio.ACCOUNT_SID,
        twilio.AUTH_TOKEN,
        http_client=Rewriting(found.urls["twilio"]),
        user_agent_extensions=[],
    )
    theirs = client.messages.create(
        to=PHONE, from_=SENDER, body="Hello", media_url=["https://x.example/a.png"],
        status_callback=WEBHOOK_URL, validity_period=600,
    )  # fmt: skip
    ours = send(found, media_urls=["https://x.example/a.png"], validity_seconds=600)
    first, second = found.apps["twilio"].state.pairs
    assert sorted(first) == sorted(second)
    assert client.messages(ours["sid"]).fetch().body == "Hello"
    read, _ = act(found, "twilio", "get_message", TWILIO_VALUES, sid=theirs.sid)
    assert (read["to"], read["status"]) == (theirs.to, theirs.status)
    listed, _ = act(found, "twilio", "list_messages", TWILIO_VALUES, from_number=SENDER)
    assert [each["sid"] for each in listed["messages"]] == [
        each.sid for each in client.messages.list(from_=SENDER, limit=10)
    ]
    call = client.calls.create(
        to=PHONE, from_=SENDER, twiml="<Response/>", status_callback=WEBHOOK_URL,
        status_callback_event=["initiated", "ringing", "answered", "completed"],
    )  # fmt: skip
    act(found, "twilio", "place_call", TWILIO_VALUES, to=PHONE, twiml="<Response/>")
    *_, third, fourth = found.apps["twilio"].state.pairs
    assert sorted(third) == sorted(fourth)
    assert call.sid == twilio.CALL_SID
    with pytest.raises(TwilioRestException) as caught:
        client.messages.create(to="+15005550004", from_=SENDER, body="x")
    with pytest.raises(ProviderError) as mine:
        send(found, to="+15005550004")
    assert mine.value.code == str(caught.value.code)


@pytest.mark.parametrize(
    ("edge", "region", "host"),
    [
        ("", "", "api.twilio.com"),
        ("dublin", "", "api.dublin.us1.twilio.com"),
        ("", "ie1", "api.ie1.twilio.com"),
        ("dublin", "ie1", "api.dublin.ie1.twilio.com"),
    ],
)
def test_edge_and_region_make_the_host_that_twilios_client_calls(
    edge: str, region: str, host: str
) -> None:
    values = {"edge": edge, "region": region}
    assert api_url(values, "https://api.twilio.com") == f"https://{host}"
    client = Client("AC1", "x", edge=edge or None, region=region or None)
    assert client.get_hostname("https://api.twilio.com/x") == f"https://{host}/x"
    assert api_url(values, "http://127.0.0.1:9") == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("", "GSM-7", 0, 0),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        # An escaped sign is never cut in two: 152 + 2 leaves the last unit of a segment empty.
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("ç" * 70, "UCS-2", 70, 1),
        ("ç" * 71, "UCS-2", 71, 2),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 67, "UCS-2", 134, 3),
    ],
)
def test_segments(text: str, encoding: str, units: int, count: int) -> None:
    counted = count_segments(text)
    assert (counted.encoding, counted.units, counted.count) == (encoding, units, count)


@given(st.text(max_size=500))
def test_segments_never_hold_more_than_they_can(text: str) -> None:
    counted = count_segments(text)
    assert counted.units <= counted.room
    assert (counted.count == 0) == (not text)


def test_the_form_is_told_the_segments() -> None:
    assert SEND.remark({"body": "Hello"}) == "1 segment (GSM-7): 5 of 160 characters."
    assert SEND.remark({"body": "☃" * 71}) == "2 segments (UCS-2): 71 of 134 characters."
    assert SEND.remark({}) is None


def test_the_document_check_is_quick_on_hostile_input() -> None:
    begun = time.monotonic()
    refused("place_call", to=PHONE, twiml=("<Response" + " " * 3900)[:4000])
    assert time.monotonic() - begun < 1
