"""The contract between the hub and a provider.

A provider folder subclasses `Provider` and fills in what is abstract. It refuses to know
tables, engines, screens and other providers.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

from lib.http import VendorClient
from lib.providers.actions import Action
from lib.providers.authorization import Authorization
from lib.providers.budgets import Budget
from lib.providers.diagnosis import Circumstances, Diagnosis
from lib.providers.explanations import Explanation, find_code
from lib.providers.fields import CredentialField, Values, clean_values
from lib.providers.payloads import decode_payload, join_fields, read_form, read_json
from lib.providers.reports import Journey, StateReport, Turn
from lib.providers.sending import FORM_TYPE, JSON_TYPE, Sample, Signed, Unsigned, load_samples
from lib.providers.targets import Target
from lib.settings import Settings

Outcome = Literal["verified", "accepted", "failed"]
FORM = FORM_TYPE
JSON = JSON_TYPE


@dataclass
class InboundRequest:
    """A request as it reached the receiver, with the body read once and kept as bytes.

    `url` is the address that the provider called: the configured public URL with the raw
    path and raw query. Header names are lower case; of a repeated header the last one counts.
    """

    method: str
    url: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    # The media type in lower case, without parameters.
    content_type: str = field(init=False)

    def __post_init__(self) -> None:
        """Derive the media type, which every step asks for."""
        stated = self.headers.get("content-type", "")
        self.content_type = stated.partition(";")[0].strip().lower()

    @cached_property
    def form(self) -> list[tuple[str, str]]:
        """The fields of a form body in their order, blank ones included."""
        return read_form(self.body)

    @cached_property
    def json(self) -> Any:
        """The parsed JSON body; raises MalformedRequest."""
        return read_json(self.body)


@dataclass(frozen=True)
class Verification:
    """What proved the request: the scheme, the name of the key, and notes for people.

    `facts` never hold a secret or the address token.
    """

    scheme: str
    key: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ParsedEvent:
    """What an event is: its type, the key under which it is stored once, the vendor's id."""

    event_type: str
    dedupe_key: str
    external_id: str | None = None


@dataclass(frozen=True)
class Answer:
    """An HTTP answer in the provider's own way."""

    status: int
    body: bytes = b""
    content_type: str | None = None


@dataclass(frozen=True)
class CheckResult:
    """What a connection check found out.

    verified: the vendor proved it; accepted: nothing refused it but nothing can prove it;
    failed: `message` says why and what to do next.
    """

    outcome: Outcome
    message: str
    facts: Mapping[str, str] = field(default_factory=dict)
    # What the credentials are seen to permit, and what the hub could use besides.
    scopes_found: tuple[str, ...] = ()
    scopes_missing: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what is kept of it: `facts`, `scopes_found` and `scopes_missing`."""
        return {
            "facts": dict(self.facts),
            "scopes_found": list(self.scopes_found),
            "scopes_missing": list(self.scopes_missing),
        }


class Provider(ABC):
    """One vendor. Class attributes describe it; methods do its half of each step."""

    slug: str
    label: str
    fields: tuple[CredentialField, ...]
    # How its requests are proven, in one sentence for the screen.
    signature_note: str
    # The secret field that the hub fills and shows once when the member leaves it blank.
    issued_field: str | None = None
    # The secret field that requests to the hub are proven with.
    signing_field: str
    # In what a simulated request differs from the vendor's own, if it does.
    sample_note: str = ""
    # The kinds of destination that this vendor offers.
    targets: tuple[Target, ...] = ()
    # What this vendor can be asked to do.
    actions: tuple[Action, ...] = ()
    # How often its API may be called for one account, the one that `account_key` names.
    budget: Budget | None = None
    # What its reports tell the way of, one journey for each kind.
    journeys: tuple[Journey, ...] = ()
    # How members authorise an app of theirs, in place of a token that they copy.
    authorization: Authorization | None = None
    # The error codes that this vendor's answers and reports carry, in plain words.
    codes: ClassVar[Mapping[str, Explanation]] = {}
    # Documented event types; others are stored all the same.
    event_types: tuple[str, ...] = ()
    methods: frozenset[str] = frozenset({"POST"})
    refused_status: int = 401
    unavailable_status: int = 429

    @abstractmethod
    def verify(self, request: InboundRequest, values: Values, settings: Settings) -> Verification:
        """Prove who sent `request`; raise SignatureError with reason and facts if not.

        A provider without a signature must say so here, in code.
        """

    @abstractmethod
    def sign_sample(self, unsigned: Unsigned, values: Values) -> Signed:
        """Return a request that `verify` takes; raise InvalidInput where a secret is missing."""

    @abstractmethod
    def diagnose(self, request: InboundRequest, values: Values, case: Circumstances) -> Diagnosis:
        """Say why a request that was kept as refused did not pass, from all that is known."""

    @abstractmethod
    def parse(self, request: InboundRequest) -> ParsedEvent:
        """Derive type and dedupe key from a verified request; raise MalformedRequest.

        An unknown or missing event type is never an error.
        """

    @abstractmethod
    def check(self, values: Values, settings: Settings, client: VendorClient) -> CheckResult:
        """Ask the vendor whether the credentials work.

        Raises ProviderError where no ladder step decides; the use case turns it into
        "failed" with its message.
        """

    @abstractmethod
    def summarize(self, event_type: str, payload: Any) -> str:
        """Return one sentence for people about a decoded payload, of any shape."""

    @abstractmethod
    def extract_keys(self, payload: Any) -> set[tuple[str, str]]:
        """Return (kind, value) pairs; kinds are phone (E.164), email, contact_id and sid."""

    def validate(self, values: Values, settings: Settings) -> dict[str, str]:
        """Return the cleaned values; raise InvalidInput(field) for the first bad one."""
        return clean_values(self.label, self.fields, values)

    def account_key(self, values: Values) -> str | None:
        """Return the vendor's account that bare addresses are resolved by, if there is one."""
        return None

    def wider_account(self, values: Values) -> str | None:
        """Return the account that this one is part of, for events that name nothing narrower."""
        return None

    def stated_accounts(self, request: InboundRequest) -> tuple[str, ...]:
        """Return the accounts that an unverified request claims to come from."""
        return ()

    def issue_secret(self) -> str:
        """Return a fresh value for `issued_field`."""
        raise NotImplementedError(f"{self.slug} issues no secret")

    def report(self, event_type: str, payload: Any) -> StateReport | None:
        """Return the state of something at the vendor that a decoded payload tells of."""
        return None

    def turn(self, event_type: str, payload: Any) -> Turn | None:
        """Return whose turn of a conversation a decoded payload is, if it is one."""
        return None

    def explain(self, code: str) -> Explanation | None:
        """Return what one of the vendor's codes means; None for an unknown one."""
        return find_code(self.codes, code)

    def console_url(self, payload: Any, values: Values) -> str | None:
        """Return the vendor's own page about what a decoded payload tells of.

        `values` are those that are no secret. None where no such address is known.
        """
        return None

    def own_keys(self, event_type: str, payload: Any) -> set[tuple[str, str]]:
        """Return those of `extract_keys` that are the member's own, such as their number."""
        return set()

    def previews(self, values: Values) -> Mapping[str, str]:
        """Return documents that are made of the values that are no secret, XML by its title."""
        return {}

    def addresses(self, url: str) -> Mapping[str, str]:
        """Return what is pasted at the vendor, by the place there: `url` in the vendor's way."""
        return {"Webhook address": url}

    def answer(self, event_id: str, parsed: ParsedEvent, values: Values) -> Answer:
        """Return what the vendor expects to hear once the event is stored.

        The receiver asks with each request, and once more when the event was there before.
        """
        return Answer(200, b'{"id":"%s"}' % event_id.encode(), JSON)

    def samples(self) -> dict[str, Sample]:
        """Return realistic request bodies by label."""
        return load_samples(Path(__file__).parent / self.slug / "samples")

    def mark(self) -> str:
        """Return the SVG that stands for this vendor on screens: drawn by us, no logo of theirs."""
        return (Path(__file__).parent / self.slug / "mark.svg").read_text(encoding="utf-8")

    def setup_note(self) -> str:
        """Return the Markdown that tells a member where to find and paste what."""
        return (Path(__file__).parent / self.slug / "setup.md").read_text(encoding="utf-8")


def read_payload(request: InboundRequest) -> Any:
    """Return the body as `decode_payload` would; raise MalformedRequest for JSON that is none."""
    if request.content_type == JSON or request.content_type.endswith("+json"):
        return request.json
    if request.content_type == FORM:
        return join_fields(request.form)
    return decode_payload(request.content_type, request.body)
