"""GoHighLevel: app events signed by HighLevel, and workflow actions with a shared secret."""

from typing import Any

from lib.errors import MalformedRequest
from lib.http import VendorClient
from lib.providers import header_secret
from lib.providers.base import CheckResult, InboundRequest, ParsedEvent, Provider, Verification
from lib.providers.budgets import Budget
from lib.providers.contacts import Key
from lib.providers.diagnosis import Circumstances, Diagnosis
from lib.providers.fields import CredentialField, Values
from lib.providers.gohighlevel.actions import ACTIONS
from lib.providers.gohighlevel.authorization import HighLevelAuthorization
from lib.providers.gohighlevel.check import check_location
from lib.providers.gohighlevel.codes import CODES
from lib.providers.gohighlevel.doctor import diagnose_request
from lib.providers.gohighlevel.event_types import EVENT_TYPES
from lib.providers.gohighlevel.events import (
    contact_page,
    describe,
    extract,
    parse_request,
    read_turn,
)
from lib.providers.gohighlevel.signature import (
    stated_company,
    stated_location,
    verify_request,
)
from lib.providers.reports import Turn
from lib.providers.sending import Signed, Unsigned
from lib.settings import Settings

__all__ = ["GoHighLevel"]

_ID = r"[A-Za-z0-9_-]{1,100}"
_ID_HELP = "It holds letters and digits only."


class GoHighLevel(Provider):
    """One location (sub-account) of HighLevel."""

    slug = "gohighlevel"
    label = "GoHighLevel"
    fields = (
        CredentialField(
            name="location_id",
            label="Location id",
            help="Settings > Business Profile of the sub-account shows it.",
            is_required=True,
            pattern=_ID,
            pattern_help=_ID_HELP,
        ),
        CredentialField(
            name="private_token",
            label="Private Integration token",
            help="For calls to HighLevel; made in the sub-account and shown once.",
            is_secret=True,
            pattern=r"[!-~]{1,2000}",
            pattern_help="Copy it again, without spaces.",
            placeholder="pit-…",
            # https://help.gohighlevel.com (Private Integrations): rotate every 90 days.
            rotate_days=90,
            is_checked=True,
        ),
        CredentialField(
            name="shared_secret",
            label="Shared secret",
            help="Leave it blank: the hub makes one. Workflow actions send it as X-Hub-Secret.",
            is_secret=True,
            pattern=header_secret.FORMAT_PATTERN,
            pattern_help=header_secret.FORMAT_HELP,
        ),
        CredentialField(
            name="company_id",
            label="Company id",
            help="Optional: the agency, for events that name no location.",
            pattern=_ID,
            pattern_help=_ID_HELP,
        ),
        CredentialField(
            name="app_id",
            label="App id",
            help="Optional: accept events of this Marketplace app only.",
            pattern=_ID,
            pattern_help=_ID_HELP,
        ),
        CredentialField(
            name="client_id",
            label="App's client id",
            help="Optional: of your Marketplace app, to connect it in place of a token.",
            pattern=r"[A-Za-z0-9]{1,100}-[A-Za-z0-9]{1,100}",
            pattern_help="Copy it from the app's Auth page; it holds one hyphen.",
        ),
        CredentialField(
            name="client_secret",
            label="App's client secret",
            help="Optional: made with the client id and shown once.",
            is_secret=True,
            pattern=r"[!-~]{1,500}",
            pattern_help="Copy it again, without spaces.",
            partner="client_id",
        ),
        CredentialField(
            name="version_id",
            label="App's version id",
            help="Optional: a private app needs it; it is in the app's install link.",
            pattern=_ID,
            pattern_help=_ID_HELP,
        ),
        CredentialField(
            name="scopes",
            label="Scopes",
            help="Leave it blank for what the hub's actions need, or list those of the app.",
            pattern=r"[a-zA-Z./ -]{1,2000}",
            pattern_help="Separate the scopes by spaces.",
        ),
        CredentialField(
            name="api_version",
            label="API version",
            help="Leave it blank: each call states its own. For when HighLevel ends a version.",
            pattern=r"v\d{1,3}|\d{4}-\d{2}-\d{2}",
            pattern_help="Enter a published value such as 2021-07-28.",
            placeholder="2021-07-28",
        ),
    )
    signature_note = (
        "HighLevel signs app events with Ed25519; workflow actions carry the header X-Hub-Secret."
    )
    issued_field = signing_field = "shared_secret"
    sample_note = (
        "Nobody but HighLevel holds the key that signs app events, so a sample goes out as a "
        "workflow action would send it: with X-Hub-Secret."
    )
    event_types = EVENT_TYPES
    actions = ACTIONS
    codes = CODES
    authorization = HighLevelAuthorization()
    # Per app and location, Private Integrations included:
    # https://marketplace.gohighlevel.com/docs/oauth/Faqs (rate limits).
    budget = Budget(
        burst=100,
        burst_seconds=10.0,
        daily=200_000,
        burst_limit_header="x-ratelimit-max",
        burst_remaining_header="x-ratelimit-remaining",
        daily_limit_header="x-ratelimit-limit-daily",
        daily_remaining_header="x-ratelimit-daily-remaining",
    )

    def verify(self, request: InboundRequest, values: Values, settings: Settings) -> Verification:
        """Check X-GHL-Signature and the tenant, or X-Hub-Secret."""
        return verify_request(request, values, settings=settings)

    def sign_sample(self, unsigned: Unsigned, values: Values) -> Signed:
        """Carry the shared secret, as workflow actions do; app events cannot be signed here."""
        secret = values.get("shared_secret")
        return header_secret.carry_secret(
            unsigned, secret, field="shared_secret", agent="axios/1.13.2 (simulated)"
        )

    def diagnose(self, request: InboundRequest, values: Values, case: Circumstances) -> Diagnosis:
        """Look at the key, the bytes, the location and the shared secret."""
        return diagnose_request(request, values, case)

    def parse(self, request: InboundRequest) -> ParsedEvent:
        """Take the type as HighLevel spells it and webhookId as key."""
        return parse_request(request)

    def check(self, values: Values, settings: Settings, client: VendorClient) -> CheckResult:
        """Read the location with the token."""
        return check_location(values, settings.gohighlevel_api_url, client=client)

    def summarize(self, event_type: str, payload: Any) -> str:
        """Name the event and whom it is about."""
        return describe(event_type, payload)

    def extract_keys(self, payload: Any) -> set[Key]:
        """Return contact ids, phones and e-mail addresses."""
        return extract(payload)

    def console_url(self, payload: Any, values: Values) -> str | None:
        """Return the contact's page in the sub-account."""
        return contact_page(payload, values)

    def account_key(self, values: Values) -> str | None:
        """Return the location id."""
        return values.get("location_id")

    def wider_account(self, values: Values) -> str | None:
        """Return the company id."""
        return values.get("company_id")

    def stated_accounts(self, request: InboundRequest) -> tuple[str, ...]:
        """Return locationId of a JSON body, or companyId where it names no location."""
        try:
            body = request.json
        except MalformedRequest:
            return ()
        if not isinstance(body, dict):
            return ()
        location, company = stated_location(body), stated_company(body)
        stated = company if location is None else location
        return (stated,) if isinstance(stated, str) and stated else ()

    def issue_secret(self) -> str:
        """Return a fresh shared secret."""
        return header_secret.issue_secret()

    def turn(self, event_type: str, payload: Any) -> Turn | None:
        """Return the contact of a message in or out."""
        return read_turn(event_type, payload)
