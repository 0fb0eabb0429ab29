"""What vendors have in common that only offer hook addresses: no signature, no proof of a run."""

from typing import Any, ClassVar

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
from lib.providers.diagnosis import Circumstances, Diagnosis
from lib.providers.fields import CredentialField, Values
from lib.providers.header_secret_doctor import diagnose_secret
from lib.providers.hook_target import HookTarget
from lib.providers.sending import Signed, Unsigned
from lib.providers.targets import Reply
from lib.providers.text import clean_text, stable_key, text_at
from lib.settings import Settings

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

    issued_field = signing_field = "inbound_secret"
    signature_note = (
        "It cannot sign: the header X-Hub-Secret proves the sender, not that the body is unchanged."
    )
    # What its hook is as a destination: the check judges answers as deliveries do.
    hook: ClassVar[HookTarget]

    def verify(self, request: InboundRequest, values: Values, settings: Settings) -> Verification:
        """Compare the shared secret; there is no signature."""
        secret = values.get("inbound_secret")
        return header_secret.verify_secret(request, secret, key="inbound_secret")

    def sign_sample(self, unsigned: Unsigned, values: Values) -> Signed:
        """Carry the shared secret, as a scenario or a Zap does."""
        secret = values.get("inbound_secret")
        return header_secret.carry_secret(
            unsigned, secret, field="inbound_secret", agent=f"{self.label} (simulated)"
        )

    def diagnose(self, request: InboundRequest, values: Values, case: Circumstances) -> Diagnosis:
        """Find out which secret was carried, or where it was put."""
        return diagnose_secret(request, values, case, field="inbound_secret")

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
        try:
            if "hook_url" in clean:
                self.hook.check_url(clean["hook_url"], settings)
        except InvalidInput as error:
            raise InvalidInput(error.message, field="hook_url") from error
        return clean

    def issue_secret(self) -> str:
        """Return a fresh inbound secret."""
        return header_secret.issue_secret()

    def try_hook(self, values: Values, client: VendorClient) -> CheckResult:
        """Send a clearly marked test message to the hook and say what its answer means."""
        answer = client.request(
            "POST",
            values["hook_url"],
            json={"test": True, "source": "Members Hub", "sent_at": now().isoformat()},
            headers=self.hook.headers(values),
            secret_path=True,
        )
        return self.explain_hook(answer)

    def explain_hook(self, answer: VendorAnswer) -> CheckResult:
        """Say what the hook's answer to a test message means."""
        reply = Reply(answer.status, answer.headers, answer.text.encode())
        judged = self.hook.judge(reply)
        if judged.outcome == "accepted":
            return CheckResult("accepted", f"The test message went out. {self.hook.success_note}")
        return CheckResult("failed", judged.message or "")


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
