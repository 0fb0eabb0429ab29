"""Make: scenarios call us with a shared secret and are called at their custom webhook."""

import re

from lib.http import VendorAnswer, VendorClient
from lib.providers.base import CheckResult
from lib.providers.fields import CredentialField, Values
from lib.providers.hooks import HOOK_URL_PATTERN, INBOUND_SECRET, HookProvider, is_success
from lib.providers.make.api import check_token
from lib.settings import Settings

__all__ = ["Make"]

# hook.make.com stands in examples and hook.integromat.com is the old host: both are let pass.
_HOOK_URL = re.compile(
    r"https://hook\.(?:(?:[a-z]{2}[0-9]?\.)?make\.com|[a-z]{2}[0-9]\.make\.celonis\.com"
    r"|integromat\.com)/[A-Za-z0-9_-]{1,128}/?"
)
_PRINTABLE = r"[!-~]{1,500}"
_REFUSALS = {
    400: "Make refused the test message: its queue is full or the hook expects other fields. "
    "Empty the queue, or redetermine the data structure.",
    401: "Make wants another API key for this hook. Copy one of the webhook's keys again.",
    403: "Make wants another API key for this hook, or does not allow this machine's address. "
    "Check the webhook's keys and its IP restrictions.",
    410: "No scenario is connected to this hook, or it was deleted. Attach the webhook to a "
    "scenario, or paste its new address.",
    429: "Make takes no more requests on this hook just now (300 in 10 seconds). Try again in a "
    "minute.",
}


class Make(HookProvider):
    """Custom webhooks and, with a token, the API of one Make team."""

    slug = "make"
    label = "Make"
    fields = (
        CredentialField(
            name="hook_url",
            label="Hook URL",
            help="The address of a Custom webhook; whoever knows it can start the scenario.",
            is_secret=True,
            pattern=HOOK_URL_PATTERN,
            pattern_help="It looks like https://hook.eu1.make.com/ and 32 letters and digits.",
            placeholder="https://hook.eu1.make.com/…",
        ),
        CredentialField(
            name="hook_api_key",
            label="Hook API key",
            help="Only if the webhook asks for an API key.",
            is_secret=True,
            pattern=_PRINTABLE,
            pattern_help="Copy it again, without spaces.",
        ),
        CredentialField(
            name="api_token",
            label="API token",
            help="From your profile, with scenarios:read; it makes the check a proof.",
            is_secret=True,
            pattern=_PRINTABLE,
            pattern_help="Copy it again, without spaces.",
        ),
        CredentialField(
            name="zone",
            label="Zone",
            help="The first part of your address in Make, such as eu1.",
            pattern=r"[a-z]{2}[0-9]?(?:\.celonis)?",
            pattern_help="It is the first part of your address in Make: eu1, eu2, us1, us2 or we.",
            placeholder="eu1",
        ),
        CredentialField(
            name="team_id",
            label="Team id",
            help="The number behind /team/ in the address of your team's page.",
            pattern=r"[0-9]{1,12}",
            pattern_help="It is a number.",
        ),
        INBOUND_SECRET,
    )
    hook_url_help = (
        "Copy the address of a Custom webhook; it looks like https://hook.eu1.make.com/ and 32 "
        "letters and digits."
    )

    def is_hook_url(self, url: str) -> bool:
        """Accept the hook hosts of Make's zones."""
        return _HOOK_URL.fullmatch(url) is not None

    def check(self, values: Values, settings: Settings, client: VendorClient) -> CheckResult:
        """Prove the API token where there is one, then send a test message to the hook."""
        proof = check_token(values, settings, client=client) if values.get("api_token") else None
        if proof is not None and proof.outcome == "failed":
            return proof
        if not values.get("hook_url"):
            return proof or CheckResult(
                "accepted",
                "There is nothing to call: scenarios call the hub. Run one with X-Hub-Secret to "
                "see its event here.",
            )
        key = values.get("hook_api_key")
        headers = {"x-make-apikey": key} if key else {}
        hook = self.try_hook(values["hook_url"], client, headers=headers)
        return hook if proof is None or hook.outcome == "failed" else proof

    def explain_hook(self, answer: VendorAnswer) -> CheckResult:
        """Read 200 as queued and no more: a scenario that is off answers the same."""
        if is_success(answer):
            return CheckResult(
                "accepted",
                "Make queued the test message. It cannot say whether a scenario ran: look at the "
                "scenario's history.",
            )
        fallback = (
            f"Make answered {answer.status} to the test message. Look at the scenario's history."
        )
        return CheckResult("failed", _REFUSALS.get(answer.status, fallback))
