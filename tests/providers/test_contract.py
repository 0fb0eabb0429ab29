"""What every provider promises, asked of each in the same words."""

import json
import re
from pathlib import Path

import pytest
import time_machine

from lib.clock import now
from lib.errors import HubError, InvalidInput, MalformedRequest, SignatureError
from lib.providers.base import FORM, InboundRequest, Provider
from lib.providers.diagnosis import Circumstances, Neighbour
from lib.providers.payloads import decode_payload
from lib.providers.registry import all_providers
from lib.providers.sending import Unsigned, encode_body, fill_sample
from tests.providers.samples import SAMPLES, SETTINGS, fixtures, make_request, with_headers

PROVIDERS = all_providers()
FIXTURES = [(provider, path) for provider in PROVIDERS for path in fixtures(provider.slug)]
ODD_PAYLOADS = (
    None, 1, "text", [], [1], {}, {"From": 1, "Body": None, "type": []}, {"from": {}, "to": [{}]},
    {"workflow": 3}, {"email": ["a@b.co", None]}, {"phone": "+", "Body": "\x00\ud800"},
)  # fmt: skip
GARBAGE = (
    b"", b"\xff\xfe", b"[" * 5000, b'"x"', b"{", b"a=1&a=2", b'{"type":"\\u0000\\ud800"}',
)  # fmt: skip
each_provider = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda item: item.slug)


def good_request(provider: Provider) -> InboundRequest:
    path = next(path for path in fixtures(provider.slug) if not path.name.startswith("workflow"))
    return SAMPLES[provider.slug].build(json.loads(path.read_text()))


@pytest.mark.parametrize(("provider", "path"), FIXTURES, ids=lambda item: getattr(item, "stem", ""))
@time_machine.travel("2026-11-23T10:00:10Z", tick=False)
def test_fixture_is_verified_typed_and_keyed_once(provider: Provider, path: Path) -> None:
    sample = SAMPLES[provider.slug]
    payload = json.loads(path.read_text())
    request = sample.build(payload)
    assert provider.verify(request, sample.values, SETTINGS).key
    parsed = provider.parse(request)
    assert parsed.event_type == path.stem.partition("__")[0]
    assert parsed == provider.parse(sample.build(payload))
    decoded = decode_payload(request.content_type, request.body)
    sentence = provider.summarize(parsed.event_type, decoded)
    assert sentence
    assert sentence.isprintable()
    assert all(kind in ("phone", "email", "contact_id", "sid") for kind, _ in
               provider.extract_keys(decoded))  # fmt: skip


@each_provider
def test_every_sample_is_verified_and_typed(provider: Provider) -> None:
    values = SAMPLES[provider.slug].values
    samples = provider.samples()
    assert samples
    assert provider.signing_field in {item.name for item in provider.fields}
    for sample in samples.values():
        text = fill_sample(sample, values)
        assert "$" not in text
        assert text != fill_sample(sample, values)
        url = f"http://localhost:8000/api/webhooks/{provider.slug}/URL-TOKEN"
        body = encode_body(sample.content_type, text)
        signed = provider.sign_sample(Unsigned(url, sample.content_type, body), values)
        headers = {name.lower(): value for name, value in signed.headers.items()}
        query = signed.url.partition("?")[2]
        request = InboundRequest("POST", signed.url, query, headers, signed.body)
        assert provider.verify(request, values, SETTINGS).key
        assert provider.parse(request).event_type == sample.event_type
        assert not any(secret in signed.base for secret in _secrets(provider, values))


@each_provider
def test_a_sample_without_a_secret_is_refused_in_words(provider: Provider) -> None:
    unsigned = Unsigned("http://localhost:8000/", "application/json", b"{}")
    with pytest.raises(InvalidInput) as caught:
        provider.sign_sample(unsigned, {})
    assert caught.value.field == provider.signing_field


@each_provider
@pytest.mark.parametrize("reason", ["missing_signature", "bad_signature", "wrong_key", "stale"])
def test_the_doctor_says_something_of_every_request(provider: Provider, reason: str) -> None:
    sample = SAMPLES[provider.slug]
    neighbour = Neighbour("int_2", "Second", "http://localhost:8000/x", sample.stranger)
    case = Circumstances(SETTINGS, now(), reason, {"fingerprint": "00000000"}, (neighbour,))
    many = b"&".join(b"a%d=%d" % (number, number) for number in range(1500))
    deep = b"[" * 900 + b"]" * 900
    for body in (*GARBAGE, many, deep, b'{"a\\ud800": "\\ud800", "b": 1}'):
        for kind in ("application/json", FORM):
            for given in (None, "v1,AAAA", "ñ"):
                header = {sample.signature_header.replace("-", "_"): given or ""}
                request = make_request(
                    provider.slug, body, kind, webhook_id="m", webhook_timestamp="x", **header
                )
                found = provider.diagnose(request, sample.values, case)
                assert all(each.message.endswith(".") for each in found.findings)
                assert found.findings
                told = f"{found!r} {case!r} {neighbour!r}"
                assert not any(text in told for text in _secrets(provider, sample.values))
                assert "URL-TOKEN" not in told


@each_provider
def test_every_declared_event_has_a_fixture(provider: Provider) -> None:
    assert fixtures(provider.slug)
    captured = {path.stem.partition("__")[0] for path in fixtures(provider.slug)}
    assert set(provider.event_types) <= captured


# Where a header of the sender's gives the id, the sample's one id stands for all bodies.
@pytest.mark.parametrize(
    "provider", [item for item in PROVIDERS if item.slug != "webhook"], ids=lambda item: item.slug
)
def test_fixtures_that_differ_are_different_events(provider: Provider) -> None:
    build = SAMPLES[provider.slug].build
    keys = [
        provider.parse(build(json.loads(path.read_text()))).dedupe_key
        for path in fixtures(provider.slug)
    ]
    assert len(keys) == len(set(keys))


@each_provider
def test_bad_missing_and_strange_proofs_are_refused(provider: Provider) -> None:
    sample = SAMPLES[provider.slug]
    request = good_request(provider)
    header = sample.signature_header.replace("-", "_")
    broken = [
        (with_headers(request, **{header: None}), sample.values),
        (with_headers(request, **{header: ""}), sample.values),
        (with_headers(request, **{header: "AAAA"}), sample.values),
        (with_headers(request, **{header: "ñ☃"}), sample.values),
        (request, sample.stranger),
    ]
    for bad, values in broken:
        with pytest.raises(SignatureError) as caught:
            provider.verify(bad, values, SETTINGS)
        told = f"{caught.value!r} {caught.value.message} {caught.value.facts}"
        assert caught.value.reason
        assert "URL-TOKEN" not in told
        assert not any(secret in told for secret in _secrets(provider, sample.values))


@each_provider
def test_nothing_that_is_shown_holds_a_secret(provider: Provider) -> None:
    sample = SAMPLES[provider.slug]
    verification = provider.verify(good_request(provider), sample.values, SETTINGS)
    for secret in _secrets(provider, sample.values):
        assert secret not in f"{provider!r} {verification!r}"
    assert "URL-TOKEN" not in repr(verification)


@each_provider
def test_odd_payloads_never_crash(provider: Provider) -> None:
    for payload in ODD_PAYLOADS:
        for event_type in (*provider.event_types, "unknown"):
            assert provider.summarize(event_type, payload).isprintable()
        provider.extract_keys(payload)


@each_provider
def test_garbage_states_no_account_and_parses_or_is_malformed(provider: Provider) -> None:
    for body in (
        b"",
        b"\xff\xfe",
        b"[" * 5000,
        b'"x"',
        b"{",
        b"a=1&a=2",
        b'{"type":"\\u0000\\ud800"}',
    ):
        for kind in ("application/json", "application/x-www-form-urlencoded", "text/plain", ""):
            request = make_request(provider.slug, body, kind, webhook_id="m1")
            provider.stated_accounts(request)
            try:
                parsed = provider.parse(request)
            except MalformedRequest:
                continue
            assert parsed.event_type.isprintable()


@each_provider
def test_setup_note_and_fields_are_complete(provider: Provider) -> None:
    assert len(provider.setup_note()) > 200
    names = [item.name for item in provider.fields]
    assert len(names) == len(set(names))
    for item in provider.fields:
        re.compile(item.pattern)
        assert item.help.endswith((".", "/"))
    clean = provider.validate(SAMPLES[provider.slug].values, SETTINGS)
    assert clean == SAMPLES[provider.slug].values
    with pytest.raises(HubError):
        provider.validate({"no_such_field": "x"}, SETTINGS)


@each_provider
def test_issued_secret_is_fresh_and_valid(provider: Provider) -> None:
    if provider.issued_field is None:
        with pytest.raises(NotImplementedError):
            provider.issue_secret()
        return
    secret = provider.issue_secret()
    assert secret != provider.issue_secret()
    values = {**SAMPLES[provider.slug].values, provider.issued_field: secret}
    assert provider.validate(values, SETTINGS)[provider.issued_field] == secret


def _secrets(provider: Provider, values: dict[str, str]) -> list[str]:
    return [values[item.name] for item in provider.fields if item.is_secret and item.name in values]


@each_provider
def test_its_mark_is_small_drawn_by_us_and_fits_both_themes(provider: Provider) -> None:
    mark = provider.mark()
    assert mark.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert len(mark) < 2_000
    # It is shown as an image, where a script does not run and an outside address is blocked;
    # a colour of its surroundings would be black on the dark theme.
    for foreign in ("href", "url(", "<script", "<image", "<style", "currentColor", "\non"):
        assert foreign not in mark
    # Its own tile carries it on any background.
    assert 'rx="8" fill="#' in mark
    assert mark.count("http") == 1


@each_provider
def test_codes_are_explained_and_unknown_ones_are_not(provider: Provider) -> None:
    for code, entry in provider.codes.items():
        assert provider.explain(code) == entry
        assert entry.code == code
        assert entry.cause.endswith(".")
        assert entry.step.endswith(".")
        assert entry.link.startswith("https://")
    for code in ("", "no such code", "9" * 500, "\x00"):
        assert provider.explain(code) is None


@each_provider
def test_the_consoles_address_is_an_address_or_none(provider: Provider) -> None:
    values = SAMPLES[provider.slug].values
    odd = ({"MessageSid": "SM../x", "contactId": "a/../b"}, {"CallSid": 1, "contact_id": [2]})
    captured = [json.loads(path.read_text()) for path in fixtures(provider.slug)]
    for payload in (*ODD_PAYLOADS, *odd, *captured):
        address = provider.console_url(payload, values)
        assert address is None or re.fullmatch(r"https://[\w./-]+", address), address
        assert ".." not in (address or "")
        for event_type in (*provider.event_types, "unknown"):
            own = provider.own_keys(event_type, payload)
            assert all(kind in ("phone", "email", "contact_id", "sid") for kind, _ in own)


@pytest.mark.parametrize(
    ("slug", "payload", "values", "address"),
    [
        ("twilio", {"MessageSid": "SM" + "1" * 32}, {}, "/us1/monitor/logs/sms/SM" + "1" * 32),
        ("twilio", {"CallSid": "CA" + "1" * 32}, {}, "/us1/monitor/logs/calls/CA" + "1" * 32),
        ("twilio", {"CallSid": "CA" + "1" * 32}, {"region": "ie1"}, None),
        ("gohighlevel", {"contactId": "c1"}, {"location_id": "L1"}, "/L1/contacts/detail/c1"),
        ("gohighlevel", {"contactId": "c1"}, {}, None),
        ("zapier", {}, {}, "/app/history"),
        ("make", {}, {}, None),
        ("webhook", {"MessageSid": "SM" + "1" * 32}, {}, None),
    ],
)
def test_the_consoles_address_leads_to_what_the_event_is_about(
    slug: str, payload: object, values: dict[str, str], address: str | None
) -> None:
    found = next(item for item in PROVIDERS if item.slug == slug).console_url(payload, values)
    assert found is None if address is None else (found or "").endswith(address)
