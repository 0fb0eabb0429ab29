"""Make: scenarios call us with a shared secret and are called at their custom webhook."""

from dataclasses import replace

from lib.http import VendorClient
from lib.providers.base import CheckResult
from lib.providers.fields import CredentialField, Values
from lib.providers.hooks import HOOK_URL_PATTERN, INBOUND_SECRET, HookProvider
from lib.providers.make.actions import make_actions
from lib.providers.make.api import check_token
from lib.providers.make.codes import CODES
from lib.providers.make.target import HOOK_API_KEY, PRINTABLE, MakeHook
from lib.settings import Settings

__all__ = ["Make"]


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
            is_checked=True,
        ),
        HOOK_API_KEY,
        CredentialField(
            name="api_token",
            label="API token",
            help="From your profile, with scenarios:read; it makes the check a proof.",
            is_secret=True,
            pattern=PRINTABLE,
            pattern_help="Copy it again, without spaces.",
            is_checked=True,
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
    hook = MakeHook()
    targets = (hook,)
    actions = make_actions(hook)
    codes = CODES

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
        answer = self.try_hook(values, client)
        if proof is None or answer.outcome != "failed":
            return proof or answer
        # The hook is what failed; the token's scopes are known all the same.
        return replace(answer, scopes_found=proof.scopes_found, scopes_missing=proof.scopes_missing)
