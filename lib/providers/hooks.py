"""What vendors have in common that only offer hook addresses: no signature, no proof of a run."""

import ipaddress
from abc import abstractmethod
from typing import Any, ClassVar
from urllib.parse import urlsplit

from lib.clock import now
from lib.errors import InvalidInput
from lib.http import VendorAnswer, VendorClient
from lib.providers import header_secret
from lib.providers.base import (
    CheckResult,
    InboundRequest,
    ParsedEvent,
    Provider,
    Verification,
    read_payload,
)
from lib.providers.contacts import Key, collect_keys
from lib.providers.fields import CredentialField, Values
from lib.providers.text import clean_text, stable_key, text_at
from lib.settings import Settings

_OK_STATUSES = range(200, 300)
_TYPE_NAMES = ("type", "event_type", "event")
HOOK_URL_PATTERN = r"https?://[!-~]{1,490}"
INBOUND_SECRET = CredentialField(
    name="inbound_secret",
    label="Inbound secret",
    help="Leave it blank: the hub makes one and shows it once. Send it as X-Hub-Secret.",
    is_secret=True,
    pattern=header_secret.FORMAT_PATTERN,
    pattern_help=header_secret.FORMAT_HELP,
)


class HookProvider(Provider):
    """A vendor whose scenarios call us with X-Hub-Secret and are called at a hook address."""

    issued_field = "inbound_secret"
    signature_note = (
        "It cannot sign: the header X-Hub-Secret proves the sender, not that the body is unchanged."
    )
    # What a hook address looks like, in words.
    hook_url_help: ClassVar[str]

    @abstractmethod
    def is_hook_url(self, url: str) -> bool:
        """Tell whether `url` is an address of this vendor's hooks."""

    @abstractmethod
    def explain_hook(self, answer: VendorAnswer) -> CheckResult:
        """Say what the hook's answer to a test message means."""

    def verify(self, request: InboundRequest, values: Values, settings: Settings) -> Verification:
        """Compare the shared secret; there is no signature."""
        secret = values.get("inbound_secret")
        return header_secret.verify_secret(request, secret, key="inbound_secret")

    def parse(self, request: InboundRequest) -> ParsedEvent:
        """Take the type from the body; the key from Idempotency-Key, or body and minute."""
        payload = read_payload(request)
        given = stable_key(request.headers.get("idempotency-key"))
        return ParsedEvent(
            stated_type(payload),
            given or header_secret.windowed_key(request.body),
            clean_text(payload.get("id")) if isinstance(payload, dict) else None,
        )

    def summarize(self, event_type: str, payload: Any) -> str:
        """Name the event and whom it is about."""
        return describe_payload(self.label, event_type, payload=payload)

    def extract_keys(self, payload: Any) -> set[Key]:
        """Return the recognised fields of a body that the member designed."""
        return collect_keys(payload)

    def validate(self, values: Values, settings: Settings) -> dict[str, str]:
        """Check each field, and that the hook address is this vendor's."""
        clean = super().validate(values, settings)
        url = clean.get("hook_url")
        if url is not None and not (self.is_hook_url(url) or _is_allowed_address(url, settings)):
            raise InvalidInput(f"Hook URL is not right. {self.hook_url_help}", field="hook_url")
        return clean

    def issue_secret(self) -> str:
        """Return a fresh inbound secret."""
        return header_secret.issue_secret()

    def try_hook(self, url: str, client: VendorClient, *, headers: dict[str, str]) -> CheckResult:
        """Send a clearly marked test message to the hook and say what its answer means."""
        answer = client.request(
            "POST",
            url,
            json={"test": True, "source": "Members Hub", "sent_at": now().isoformat()},
            headers=headers,
            secret_path=True,
        )
        return self.explain_hook(answer)


def is_success(answer: VendorAnswer) -> bool:
    """Tell whether the answer is a 2xx."""
    return answer.status in _OK_STATUSES


def stated_type(payload: Any) -> str:
    """Return the first of type, event_type and event that is text, else "unknown"."""
    if isinstance(payload, dict):
        for name in _TYPE_NAMES:
            if text := clean_text(payload.get(name)):
                return text
    return "unknown"


def describe_payload(label: str, event_type: str, *, payload: Any) -> str:
    """Return a sentence about a body whose shape the member chose."""
    data = payload.get("data") if isinstance(payload, dict) else None
    names = ("name", "full_name", "email", "phone", "message", "subject", "value")
    about = text_at(payload, *names) or text_at(data, *names)
    kind = clean_text(event_type) or "unknown"
    event = f"{label} sent an event" if kind == "unknown" else f"{label} sent {kind}"
    return f"{event}: {about}" if about else event


def _is_allowed_address(url: str, settings: Settings) -> bool:
    """Tell whether the host is a literal IP that the operator opened; names never are.

    A name could resolve to something else by the time it is called.
    """
    try:
        parts = urlsplit(url)
        address = ipaddress.ip_address(parts.hostname or "")
    except ValueError:
        return False
    if "@" in parts.netloc:
        return False
    return any(address in network for network in settings.allowed_private_networks)
