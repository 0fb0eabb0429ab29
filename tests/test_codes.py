"""The dictionary of error codes: what is in it, and how an entry is found."""

from typing import get_args

from lib.codes import codes_in, explain, explain_delivery, search_codes, who_must_act
from lib.outgoing.error_words import OWN_CODES
from lib.providers.targets import ErrorClass


def _codes(text: str, **narrowed: str) -> set[str]:
    return {entry.explanation.code for entry in search_codes(text, **narrowed)}


def test_every_class_of_our_own_is_explained() -> None:
    assert OWN_CODES.keys() == {*get_args(ErrorClass)}


def test_every_entry_says_cause_step_who_and_where() -> None:
    for entry in search_codes():
        found = entry.explanation
        assert found.title
        assert found.cause.endswith(".")
        assert found.step.endswith(".")
        assert found.link.startswith("https://")
        assert who_must_act(found)


def test_a_code_is_found_by_number_by_words_and_by_service() -> None:
    assert _codes("30007") == {"30007"}
    assert "21610" in _codes("opted OUT twilio")
    assert _codes("nothing of the kind") == set()
    assert "410" in _codes("scenario inactive", service_name="make")
    assert _codes("", service_name="zapier").isdisjoint({"30007", "dns"})
    assert "dns" in _codes("did not resolve")


def test_a_code_is_explained_for_its_own_service_alone() -> None:
    found = explain("twilio", "30007")
    assert found is not None
    assert "unwanted" in found.cause
    assert explain("make", "30007") is None
    assert explain("twilio", None) is None
    assert explain("gone", "30007") is None


def test_an_attempt_is_explained_by_the_vendor_before_us() -> None:
    def cause(kind: str | None, status: int | None) -> str:
        found = explain_delivery(kind, error_class="http_4xx", response_status=status)
        assert found is not None
        return found.cause

    assert "No scenario listens" in cause("make", 410)
    assert "refused this request" in cause("http", 404)
    assert "refused this request" in cause("make", 418)
    assert "refused this request" in cause(None, None)
    assert explain_delivery("http", error_class=None, response_status=200) is None
    assert explain_delivery("http", error_class="of tomorrow", response_status=None) is None


def test_the_codes_of_a_payload_are_explained() -> None:
    (found,) = codes_in({"ErrorCode": "30003", "error_code": 30003}, "twilio")
    assert found.code == "30003"
    for payload in (None, [], {"ErrorCode": ""}, {"ErrorCode": {}}, {"ErrorCode": "x" * 99}):
        assert codes_in(payload, "twilio") == ()
