"""What every kind of destination promises, and the vendors' recorded addresses and answers."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import jmespath
import pytest

from lib.addresses import AddressRefused
from lib.clock import now
from lib.errors import InvalidInput
from lib.http import VendorAnswer
from lib.outgoing.envelope import EventFacts, build_envelope
from lib.providers.base import JSON
from lib.providers.fields import clean_values
from lib.providers.hooks import HookProvider
from lib.providers.registry import all_providers, all_targets, get_provider, get_target
from lib.providers.targets import Judgement, Reply, Target
from lib.settings import Settings
from tests.fakes.vectors import load
from tests.providers.samples import SETTINGS, fixtures

TARGETS = all_targets()
CLOSED = Settings()
MAKE, ZAPIER = load("make"), load("zapier")
CLASSES = {
    "queued": "accepted",
    "retry": "retry",
    "permanent": "dead",
    "disable": "gone",
    "unknown outcome: do not blindly resend": "dead",
}
TRICKS = [text.partition(" (")[0] for text in load("ssrf")["block_url"]]
each_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.kind)
zapier_kinds = pytest.mark.parametrize("kind", ["zapier", "zapier_hook"])


def reply_of(case: dict[str, Any], status: int) -> Reply:
    body = case.get("body", "")
    text = body if isinstance(body, str) else json.dumps(body)
    return Reply(status, {}, text.encode())


def test_kinds_and_labels_are_their_own() -> None:
    kinds = [target.kind for target in TARGETS]
    assert {"http", "make", "zapier", "zapier_hook"} <= set(kinds)
    assert len(set(kinds)) == len(kinds)
    assert len({target.label for target in TARGETS}) == len(TARGETS)
    assert all(get_target(kind).kind == kind for kind in kinds)


@each_target
def test_it_is_described_in_sentences(target: Target) -> None:
    assert target.success_note.endswith(".")
    assert target.url_help.endswith(".")
    assert 1_000_000 <= target.most_body_bytes <= 10_000_000
    if target.rate_limit is not None:
        assert target.rate_limit.per_second > 0
    assert clean_values(target.label, target.fields, {}) == {}
    assert target.headers({}) == {}


@each_target
def test_every_status_means_something(target: Target) -> None:
    for status in [*range(100, 600), 999]:
        judged = target.judge(Reply(status, {}, b"\xff\x00"))
        is_success = judged.outcome in ("delivered", "accepted")
        assert is_success == (200 <= status < 300)
        assert is_success == (judged.error_class is None)
        assert (judged.message is None) == is_success
        assert is_success or (judged.message or "").endswith(".")
        assert (judged.outcome == "gone") == (status == 410)
        if status in (408, 425, 429, 502, 503, 504):
            assert judged.outcome == "retry"


@each_target
def test_addresses_that_the_hub_does_not_call_are_refused(target: Target) -> None:
    for url in [*TRICKS, "", "nonsense", "http://example.com/", "https://10.0.0.1/x"]:
        with pytest.raises(InvalidInput) as caught:
            target.check_url(url, CLOSED)
        assert caught.value.field == "url"
    if target.has_address:
        target.check_url("http://127.0.0.1:9/hooks/x", SETTINGS)
    for url in ("http://127.0.0.1:9/hooks/x", "http://u@127.0.0.1/"):
        with pytest.raises(InvalidInput):
            target.check_url(url, CLOSED)


@each_target
def test_mappings_give_an_object_for_every_captured_event(target: Target) -> None:
    for mapping in target.mappings.values():
        expression = jmespath.compile(mapping)
        for provider in all_providers():
            for path in fixtures(provider.slug):
                found = expression.search(envelope_of(provider.slug, path))
                assert isinstance(found, dict)
                assert found
        for odd in (None, [], "text", 1, {"contact": "x", "email": 1, "id": {}}):
            assert expression.search({**envelope("x", "a.b", b"{}"), "data": odd})


def envelope(service: str, event_type: str, payload: bytes) -> dict[str, Any]:
    return build_envelope(EventFacts("evt_1", event_type, now(), service, "int_1", JSON, payload))


def envelope_of(slug: str, path: Path) -> dict[str, Any]:
    return envelope(slug, path.stem.partition("__")[0], path.read_bytes())


def test_http_takes_any_https_endpoint_and_2xx_delivers() -> None:
    target = get_target("http")
    target.check_url("https://example.com/hooks?a=b", CLOSED)
    with pytest.raises(AddressRefused):
        target.check_url("http://example.com/hooks", SETTINGS)
    assert target.judge(Reply(204)) == Judgement("delivered")
    assert target.judge(Reply(302)).outcome == "dead"
    assert target.judge(Reply(404)).error_class == "http_4xx"
    assert target.judge(Reply(500)).outcome == "retry"


@pytest.mark.parametrize(
    "case", [case for case in MAKE["webhook"] if case["status"] != "any"], ids=lambda c: c["case"]
)
def test_make_answer_means_what_was_recorded(case: dict[str, Any]) -> None:
    for text in str(case["status"]).split(" or "):
        reply = reply_of(case, int(text))
        judged = get_target("make").judge(reply)
        assert judged.outcome == CLASSES[case["class"]]
        assert hook_check("make", reply) == (judged.outcome == "accepted")


def test_make_custom_answer_goes_by_its_status() -> None:
    target = get_target("make")
    outcomes = [target.judge(Reply(status, {}, b"any")).outcome for status in (201, 404, 500, 503)]
    assert outcomes == ["accepted", "dead", "retry", "retry"]


def test_make_scenario_that_failed_is_never_repeated() -> None:
    judged = get_target("make").judge(Reply(500, {}, b"Scenario failed to complete."))
    assert (judged.outcome, judged.error_class) == ("dead", "http_5xx")
    assert "history" in (judged.message or "")


@pytest.mark.parametrize(
    ("shape", "is_taken"), [("valid", True), ("warn", True), ("reject", False)]
)
def test_make_addresses(shape: str, is_taken: bool) -> None:
    assert_taken("make", MAKE["url_shapes"][shape], is_taken=is_taken)


def test_make_key_goes_into_its_header_and_limits_are_makes() -> None:
    target = get_target("make")
    values = clean_values(target.label, target.fields, {"hook_api_key": " key-1 "})
    assert target.headers(values) == {"x-make-apikey": "key-1"}
    assert all(item.is_secret for item in target.fields)
    assert target.rate_limit is not None
    assert target.rate_limit.per_second * 10 == 300
    assert target.most_body_bytes == 5_242_880
    with pytest.raises(InvalidInput):
        clean_values(target.label, target.fields, {"hook_api_key": "a\r\nb: c"})


@zapier_kinds
def test_zapier_answers_mean_what_was_recorded(kind: str) -> None:
    target = get_target(kind)
    for name, outcome in (
        ("catch_ok", "accepted"),
        ("catch_silent", "accepted"),
        ("catch_throttled", "retry"),
        ("resthook_gone", "gone"),
    ):
        reply = reply_of(ZAPIER[name], ZAPIER[name]["status"])
        assert target.judge(reply).outcome == outcome
        assert hook_check("zapier", reply) == (outcome == "accepted")


@zapier_kinds
def test_zapier_anything_else_is_tried_again(kind: str) -> None:
    for status in (302, 400, 401, 403, 404, 413, 500, 503):
        assert get_target(kind).judge(Reply(status)).outcome == "retry"


@zapier_kinds
def test_zapier_addresses_and_limits(kind: str) -> None:
    target = get_target(kind)
    valid = ZAPIER["url_shapes"]["valid"]
    standard = [url for url in valid if "/standard/" in url]
    assert_taken(kind, standard, is_taken=True)
    assert_taken(kind, ZAPIER["url_shapes"]["reject"], is_taken=False)
    catch = [url for url in valid if url not in standard]
    assert_taken(kind, catch, is_taken=kind == "zapier")
    assert target.rate_limit is not None
    assert (target.rate_limit.per_second, target.rate_limit.per_five_minutes) == (25, 9_000)
    assert target.most_body_bytes <= 2_000_000


def assert_taken(kind: str, urls: list[str], *, is_taken: bool) -> None:
    for url in urls:
        if is_taken:
            get_target(kind).check_url(url, CLOSED)
            continue
        with pytest.raises(InvalidInput) as caught:
            get_target(kind).check_url(url, CLOSED)
        assert caught.value.field == "url"


def hook_check(slug: str, reply: Reply) -> bool:
    """Tell whether the connection check of the same vendor takes the answer as a success."""
    provider = get_provider(slug)
    assert isinstance(provider, HookProvider)
    answer = VendorAnswer(reply.status, dict(reply.headers), reply.body.decode())
    result = provider.explain_hook(answer)
    assert result.message.endswith(".")
    return result.outcome == "accepted"


def map_fixture(kind: str, slug: str, name: str) -> dict[str, Any]:
    (mapping,) = get_target(kind).mappings.values()
    (path,) = [path for path in fixtures(slug) if path.stem == name]
    found = jmespath.search(mapping, envelope_of(slug, path))
    assert isinstance(found, dict)
    return found


def test_make_mapping_has_the_shape_that_scenarios_expect() -> None:
    found = map_fixture("make", "twilio", "message.inbound__sms-inbound")
    assert list(found) == ["trigger", "data", "timestamp"]
    assert found["trigger"] == "message.inbound"
    assert found["data"]["MessageSid"].startswith("SM")
    assert datetime.fromisoformat(found["timestamp"]).tzinfo is not None


CONTACTS = {
    "gohighlevel/ContactTagUpdate__ContactTagUpdate-8": (
        "nmFmQEsNgz6AVpgLVUJ0",
        "person@example.com",
        "+919509597501",
        "John Deo",
    ),
    "gohighlevel/ContactCreate__envelope": ("x1", None, None, None),
    "gohighlevel/workflow__action": ("wfContact0001", "ada@example.com", None, "Ada Byron"),
    "gohighlevel/InboundMessage__InboundMessage-11": ("3bN9f8LYJFG8F232XMUbfq", None, None, None),
    # Its own id and name are the opportunity's.
    "gohighlevel/OpportunityCreate__REAL-0": ("VQxH1EeoFPg9uhhnCeJx", None, None, None),
    "gohighlevel/AppointmentCreate__AppointmentCreate-3": (
        "9NkT25Vor1v4aQatFsv2",
        None,
        None,
        None,
    ),
    "twilio/message.inbound__whatsapp-inbound": (None, None, "whatsapp:+14155550123", "Ada"),
    "make/unknown__plain": (None, None, None, None),
    "zapier/lead.created__json": ("c1", "ada@example.com", None, None),
}


@zapier_kinds
@pytest.mark.parametrize("place", CONTACTS)
def test_zapier_mapping_finds_the_contact(kind: str, place: str) -> None:
    slug, _, name = place.partition("/")
    found = map_fixture(kind, slug, name)
    assert list(found) == ["event_type", "contact", "metadata"]
    assert found["event_type"] == name.partition("__")[0]
    contact = tuple(found["contact"][field] for field in ("id", "email", "phone", "name"))
    assert contact == CONTACTS[place]
    assert (found["metadata"]["event_id"], found["metadata"]["service"]) == ("evt_1", slug)
    assert found["metadata"]["timestamp"].endswith("Z")
