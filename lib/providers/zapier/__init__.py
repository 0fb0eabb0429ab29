"""Zapier: Zaps call us with a shared secret and are called at their catch hook."""

import re

from lib.http import VendorAnswer, VendorClient
from lib.providers.base import CheckResult
from lib.providers.fields import CredentialField, Values
from lib.providers.hooks import HOOK_URL_PATTERN, INBOUND_SECRET, HookProvider, is_success
from lib.settings import Settings

__all__ = ["Zapier"]

_HOOK_URL = re.compile(
    r"https://hooks\.zapier\.com/hooks/(?:catch|standard)(?:/[A-Za-z0-9_-]{1,128}){1,3}/?"
)
_REFUSALS = {
    401: "Zapier refused the test message. Paste the hook's address again.",
    403: "Zapier refused the test message. Paste the hook's address again.",
    404: "Zapier does not know this hook. Paste the address from the Zap's trigger again.",
    410: "This hook is gone. Paste the address from the Zap's trigger again.",
    429: "Zapier takes no more requests just now. Try again in five minutes.",
}


class Zapier(HookProvider):
    """Catch hooks and REST-hook targets of Zapier."""

    slug = "zapier"
    label = "Zapier"
    fields = (
        CredentialField(
            name="hook_url",
            label="Hook URL",
            help="The address of a Catch Hook trigger; whoever knows it can start the Zap.",
            is_secret=True,
            pattern=HOOK_URL_PATTERN,
            pattern_help="It looks like https://hooks.zapier.com/hooks/catch/123456/abcdef/.",
            placeholder="https://hooks.zapier.com/hooks/catch/…",
        ),
        INBOUND_SECRET,
    )
    hook_url_help = (
        "Copy it from the Zap's trigger; it looks like "
        "https://hooks.zapier.com/hooks/catch/123456/abcdef/."
    )

    def is_hook_url(self, url: str) -> bool:
        """Accept catch hooks, silent ones too, and REST-hook targets."""
        return _HOOK_URL.fullmatch(url) is not None

    def check(self, values: Values, settings: Settings, client: VendorClient) -> CheckResult:
        """Send a test message to the hook where there is one."""
        if not values.get("hook_url"):
            return CheckResult(
                "accepted",
                "There is nothing to call: Zaps call the hub. Run one with X-Hub-Secret to see "
                "its event here.",
            )
        return self.try_hook(values["hook_url"], client, headers={})

    def explain_hook(self, answer: VendorAnswer) -> CheckResult:
        """Read 200 as received and no more: it comes even when no Zap exists."""
        if is_success(answer):
            return CheckResult(
                "accepted",
                "Zapier received the test message. It says so even when no Zap is on: look at "
                "the Zap's history.",
            )
        fallback = f"Zapier answered {answer.status} to the test message. Check the hook's address."
        return CheckResult("failed", _REFUSALS.get(answer.status, fallback))
