"""HighLevel's signatures, its tenants, and workflow actions without a signature."""

import json
from typing import Any

import pytest

from lib.errors import MalformedRequest, SignatureError
from lib.providers.base import JSON
from lib.providers.gohighlevel import GoHighLevel
from lib.settings import Settings
from tests.fakes.vectors import load
from tests.providers.samples import SAMPLES, SECRET, SETTINGS, make_request, with_headers

GHL = GoHighLevel()
VECTORS = load("ghl_signatures")
KEYS = VECTORS["test_keys"]
VECTOR_SETTINGS = Settings(gohighlevel_ed25519_key=KEYS["ed25519_public_pem"])
LEGACY_SETTINGS = Settings(
    gohighlevel_ed25519_key=KEYS["ed25519_public_pem"], gohighlevel_rsa_key=KEYS["rsa_public_pem"]
)
VALUES = {"location_id": "3jJ0coeqWCZMAosyGQ6K", "shared_secret": SECRET}
each_vector = pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda vector: vector["id"])


@each_vector
def test_raw_bytes_are_verified(vector: dict[str, Any]) -> None:
    body = vector["raw_body"].encode()
    request = make_request("gohighlevel", body, JSON, x_ghl_signature=vector["x_ghl_signature"])
    assert GHL.verify(request, VALUES, VECTOR_SETTINGS).scheme == "HighLevel Ed25519"
    rewritten = json.dumps(json.loads(body), indent=3).encode()
    forged = make_request("gohighlevel", rewritten, JSON, **_headers(request.headers))
    with pytest.raises(SignatureError):
        GHL.verify(forged, VALUES, VECTOR_SETTINGS)


@each_vector
def test_legacy_signature_needs_the_setting(vector: dict[str, Any]) -> None:
    body = vector["raw_body"].encode()
    request = make_request("gohighlevel", body, JSON, x_wh_signature=vector["x_wh_signature"])
    assert GHL.verify(request, VALUES, LEGACY_SETTINGS).scheme == "HighLevel RSA-SHA256"
    with pytest.raises(SignatureError) as caught:
        GHL.verify(request, VALUES, VECTOR_SETTINGS)
    assert caught.value.reason == "legacy_signature"
    both = with_headers(request, x_ghl_signature="AAAA")
    with pytest.raises(SignatureError):
        GHL.verify(both, VALUES, LEGACY_SETTINGS)


def test_a_present_signature_is_never_replaced_by_the_secret() -> None:
    request = make_request("gohighlevel", b"{}", JSON, x_hub_secret=SECRET, x_ghl_signature="AAAA")
    with pytest.raises(SignatureError):
        GHL.verify(request, VALUES, SETTINGS)
    absent = with_headers(request, x_ghl_signature="N/A")
    assert GHL.verify(absent, VALUES, SETTINGS).scheme == "shared secret"


@pytest.mark.parametrize(
    ("body", "extra", "reason"),
    [
        ({"locationId": "other"}, {}, "wrong_location"),
        ({"altType": "location", "altId": "other"}, {}, "wrong_location"),
        ({"data": {"locationId": "other"}}, {}, "wrong_location"),
        ({"locationId": 7}, {}, "wrong_location"),
        ({"companyId": "other"}, {"company_id": "cmp1"}, "wrong_company"),
        ({"locationId": "loc1", "appId": "other"}, {"app_id": "app1"}, "wrong_app"),
    ],
)
def test_another_tenants_event_is_refused(
    body: dict[str, Any], extra: dict[str, str], reason: str
) -> None:
    request = SAMPLES["gohighlevel"].build(body)
    with pytest.raises(SignatureError) as caught:
        GHL.verify(request, {"location_id": "loc1", **extra}, SETTINGS)
    assert caught.value.reason == reason


def test_an_event_without_tenant_says_so() -> None:
    request = SAMPLES["gohighlevel"].build({"type": "X"})
    assert "tenant" in GHL.verify(request, VALUES, SETTINGS).facts
    request = SAMPLES["gohighlevel"].build({"type": "LocationUpdate", "companyId": "cmp1"})
    assert "enter its id" in GHL.verify(request, VALUES, SETTINGS).facts["tenant"]
    assert GHL.verify(request, {**VALUES, "company_id": "cmp1"}, SETTINGS).facts == {}


def test_signed_text_is_malformed_only_when_read() -> None:
    request = SAMPLES["gohighlevel"].build({})
    listed = make_request("gohighlevel", b"[]", JSON, x_hub_secret=SECRET)
    with pytest.raises(MalformedRequest):
        GHL.parse(listed)
    assert GHL.parse(request).event_type == "unknown"


def _headers(headers: Any) -> dict[str, str]:
    return {name.replace("-", "_"): headers[name] for name in headers if name != "content-type"}
