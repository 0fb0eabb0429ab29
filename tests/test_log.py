"""No secret reaches a log line or a stored header."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from lib.hub import Hub
from lib.log import REDACTED, configure_logging, redact_headers, redact_text
from tests.factories import make_user

SECRETS = (
    "Authorization: Bearer abcdef123456.xyz",
    "Basic QUMxMjM6c2VjcmV0",
    "pit-0f3c1a2b-1111-2222-3333-444455556666",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "hub_0123456789abcdefghijKLMN",
    "https://hook.eu1.make.com/abcdefsecret",
    "https://hooks.zapier.com/hooks/catch/12345/abcdefsecret/",
    "/api/webhooks/twilio/abcdefsecret",
    "postgresql://hub:abcdefsecret@db/hub",
    "{'auth_token': 'abcdefsecret'}",
    "password=abcdefsecret&x=1",
)
LEAKS = (
    "abcdef",
    "QUMx",
    "0f3c1a2b",
    "MfKQ9r8",
    "0123456789abc",
)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a configured process writes on stderr; the test's own logging comes back after."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logging()
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _last(stream: io.StringIO) -> dict[str, object]:
    line: dict[str, object] = json.loads(stream.getvalue().splitlines()[-1])
    return line


@pytest.mark.parametrize("text", SECRETS)
def test_text_that_looks_like_a_secret_is_masked(text: str) -> None:
    masked = redact_text(text)
    assert REDACTED in masked
    assert not [leak for leak in LEAKS if leak in masked]


@pytest.mark.parametrize(
    "text",
    ["GET /api/events 200", "evt_0199aa", "The token is missing.", "https://example.com/hooks"],
)
def test_other_text_stays(text: str) -> None:
    assert redact_text(text) == text


def test_keys_named_like_secrets_are_masked_at_any_depth(lines: io.StringIO) -> None:
    structlog.get_logger("hub").info(
        "saved", values={"auth_token": "abcdef", "zone": "eu1", "keys": [{"api_key": "abcdef"}]}
    )
    assert _last(lines)["values"] == {
        "auth_token": REDACTED,
        "zone": "eu1",
        "keys": [{"api_key": REDACTED}],
    }


def test_exception_text_is_masked(lines: io.StringIO) -> None:
    try:
        raise ValueError("refused Bearer abcdef123456")
    except ValueError:
        structlog.get_logger("hub").exception("delivery failed", event_id="evt_1")
    line = _last(lines)
    assert "ValueError" in str(line["exception"])
    assert "abcdef" not in lines.getvalue()
    assert line["event_id"] == "evt_1"


def test_context_is_bound(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(delivery_id="dlv_1"):
        structlog.get_logger("hub").warning("slow")
    line = _last(lines)
    assert (line["delivery_id"], line["level"], line["event"]) == ("dlv_1", "warning", "slow")


@pytest.mark.parametrize("name", ["uvicorn.error", "alembic.runtime", "streamlit.web", "other"])
def test_standard_loggers_are_routed(lines: io.StringIO, name: str) -> None:
    logging.getLogger(name).warning("POST /api/webhooks/make/%s", "abcdefsecret")
    line = _last(lines)
    assert line["event"] == f"POST /api/webhooks/make/{REDACTED}"
    assert line["logger"] == name


def test_sql_statements_and_their_values_are_not_logged(
    lines: io.StringIO, sqlite_hub: Hub
) -> None:
    make_user(sqlite_hub, email="private@example.com")
    assert lines.getvalue() == ""


def test_headers_are_kept_without_secrets() -> None:
    kept = redact_headers(
        [
            ("Content-Type", "application/json"),
            ("Authorization", "Bearer abcdef"),
            ("Cookie", "a=abcdef"),
            ("X-Hub-Secret", "abcdef"),
            ("x-api-key", "abcdef"),
            ("X-Make-ApiKey", "abcdef"),
            ("Proxy-Authorization", "abcdef"),
            ("X-Access-Token", "abcdef"),
            ("X-Twilio-Signature", "c2ln"),
            ("webhook-signature", "v1,c2ln"),
        ]
    )
    assert "abcdef" not in str(kept)
    assert kept["content-type"] == "application/json"
    assert kept["x-twilio-signature"] == "c2ln"
    assert kept["webhook-signature"] == "v1,c2ln"
    assert kept["authorization"] == REDACTED
