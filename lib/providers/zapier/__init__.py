"""Zapier: Zaps call us with a shared secret and are called at their catch hook."""

from typing import Any

from lib.http import VendorClient
from lib.providers.base import CheckResult
from lib.providers.fields import CredentialField, Values
from lib.providers.hook_actions import TriggerHook
from lib.providers.hooks import HOOK_URL_PATTERN, INBOUND_SECRET, HookProvider
from lib.providers.zapier.codes import CODES
from lib.providers.zapier.targets import ZapierCatchHook, ZapierSubscription
from lib.settings import Settings

__all__ = ["Zapier"]


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
            is_checked=True,
        ),
        INBOUND_SECRET,
    )
    hook = ZapierCatchHook()
    targets = (hook, ZapierSubscription())
    actions = (TriggerHook(hook),)
    codes = CODES

    def console_url(self, payload: Any, values: Values) -> str | None:
        """Return the Zap history; an event does not tell which run sent it."""
        return "https://zapier.com/app/history"

    def check(self, values: Values, settings: Settings, client: VendorClient) -> CheckResult:
        """Send a test message to the hook where there is one."""
        if not values.get("hook_url"):
            return CheckResult(
                "accepted",
                "There is nothing to call: Zaps call the hub. Run one with X-Hub-Secret to see "
                "its event here.",
            )
        return self.try_hook(values, client)
