"""Any sender that signs per Standard Webhooks."""

from typing import Any

from lib.errors import InvalidInput, MalformedRequest
from lib.http import VendorClient
from lib.providers.base import (
    CheckResult,
    InboundRequest,
    ParsedEvent,
    Provider,
    Verification,
    read_payload,
)
from lib.providers.contacts import Key, collect_keys
from lib.providers.diagnosis import Circumstances, Diagnosis
from lib.providers.fields import CredentialField, Values
from lib.providers.hooks import describe_payload
from lib.providers.sending import Signed, Unsigned
from lib.providers.standard_webhooks import issue_secret
from lib.providers.text import clean_text, stable_key
from lib.providers.webhook.doctor import diagnose_message
from lib.providers.webhook.sending import sign_message
from lib.providers.webhook.signature import decode_key, message_id, verify_message
from lib.providers.webhook.target import HttpEndpoint
from lib.settings import Settings

__all__ = ["Webhook"]

_KEY_HELP = "It is whsec_ or whpk_ followed by base64 of at least 16 bytes (32 for whpk_)."


class Webhook(Provider):
    """A generic endpoint: Standard Webhooks in, with a secret of ours or of the sender."""

    slug = "webhook"
    label = "Webhook"
    fields = (
        CredentialField(
            name="signing_secret",
            label="Signing secret",
            help="Leave it blank: the hub makes one. Or enter the sender's whsec_ or whpk_ key.",
            is_secret=True,
            pattern=r"wh(?:sec|pk)_[A-Za-z0-9+/]{20,400}={0,2}",
            pattern_help=_KEY_HELP,
            placeholder="whsec_…",
        ),
    )
    signature_note = "Each request is signed per Standard Webhooks and at most five minutes old."
    issued_field = signing_field = "signing_secret"
    targets = (HttpEndpoint(),)

    def verify(self, request: InboundRequest, values: Values, settings: Settings) -> Verification:
        """Check webhook-signature (or svix-signature) and the age of the message."""
        return verify_message(request, values.get("signing_secret"))

    def sign_sample(self, unsigned: Unsigned, values: Values) -> Signed:
        """Sign with the whsec_ secret and the present time."""
        return sign_message(unsigned, values)

    def diagnose(self, request: InboundRequest, values: Values, case: Circumstances) -> Diagnosis:
        """Try other secrets, other bytes, other ways to sign, and compare the clocks."""
        return diagnose_message(request, values, case)

    def parse(self, request: InboundRequest) -> ParsedEvent:
        """Take the type from the body and the key from webhook-id."""
        payload = read_payload(request)
        given = message_id(request)
        key = stable_key(given)
        if key is None:
            raise MalformedRequest("webhook-id is empty. Let the sender give each message an id.")
        stated = payload.get("type") if isinstance(payload, dict) else None
        return ParsedEvent(clean_text(stated) or "unknown", key, clean_text(given))

    def check(self, values: Values, settings: Settings, client: VendorClient) -> CheckResult:
        """Say that nothing can be asked."""
        return CheckResult(
            "accepted",
            "There is nothing to call: senders call the hub. Send a signed test message to see it "
            "here.",
        )

    def summarize(self, event_type: str, payload: Any) -> str:
        """Name the event and whom it is about."""
        return describe_payload("A webhook", event_type, payload=payload)

    def extract_keys(self, payload: Any) -> set[Key]:
        """Return the recognised fields of any JSON."""
        return collect_keys(payload)

    def validate(self, values: Values, settings: Settings) -> dict[str, str]:
        """Check that the key decodes."""
        clean = super().validate(values, settings)
        try:
            if "signing_secret" in clean:
                decode_key(clean["signing_secret"])
        except ValueError as error:
            raise InvalidInput(
                f"Signing secret is not right. {_KEY_HELP}", field="signing_secret"
            ) from error
        return clean

    def issue_secret(self) -> str:
        """Return a fresh whsec_ secret of 256 bits."""
        return issue_secret()
