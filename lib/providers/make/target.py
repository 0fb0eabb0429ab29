"""Make's custom webhooks as a destination. https://help.make.com/webhooks"""

import re
from dataclasses import replace

from lib.providers.fields import CredentialField, Values
from lib.providers.hook_target import HookTarget
from lib.providers.targets import Judgement, RateLimit, Reply

PRINTABLE = r"[!-~]{1,500}"
HOOK_API_KEY = CredentialField(
    name="hook_api_key",
    label="Hook API key",
    help="Only if the webhook asks for an API key.",
    is_secret=True,
    pattern=PRINTABLE,
    pattern_help="Copy it again, without spaces.",
    is_checked=True,
)
_QUEUE_FULL = b"queue is full"
_SCENARIO_FAILED = b"scenario failed"


class MakeHook(HookTarget):
    """A custom webhook: what it takes is queued, whether its scenario is on or off."""

    kind = "make"
    label = "Make"
    url_help = (
        "Copy the address of a Custom webhook; it looks like https://hook.eu1.make.com/ and 32 "
        "letters and digits."
    )
    success_note = "Make queued it; a scenario that is switched off queues too."
    rate_limit = RateLimit(per_second=30)
    most_body_bytes = 5_242_880
    fields = (HOOK_API_KEY,)
    mappings = {
        "Trigger, data and timestamp": "{trigger: type, data: data, timestamp: timestamp}",
    }
    # hook.make.com stands in examples and hook.integromat.com is the old host: both let pass.
    url_pattern = re.compile(
        r"https://hook\.(?:(?:[a-z]{2}[0-9]?\.)?make\.com|[a-z]{2}[0-9]\.make\.celonis\.com"
        r"|integromat\.com)/[A-Za-z0-9_-]{1,128}/?"
    )
    refusals = {
        400: "Make refused the fields: the hook expects others. Redetermine its data structure, or "
        "send another shape.",
        401: "Make wants another API key for this hook. Copy one of the webhook's keys again.",
        403: "Make wants another API key for this hook, or does not allow this machine's address. "
        "Check the webhook's keys and its IP restrictions.",
        410: "No scenario is connected to this hook, or it was deleted. Attach the webhook to a "
        "scenario, or paste its new address.",
        413: "The message is larger than the 5 MB that Make takes. Send less of it.",
        429: "Make takes no more requests on this hook just now (300 in 10 seconds). It may pass "
        "in a minute.",
    }

    def judge(self, reply: Reply) -> Judgement:
        """Tell a full queue from refused fields, and a failed scenario from a failing Make."""
        judged = super().judge(reply)
        said = reply.body[:200].lower()
        if reply.status == 400 and _QUEUE_FULL in said:
            message = "Make's queue for this hook is full. Let its scenario run, or empty it."
            return Judgement("retry", "http_4xx", message)
        if reply.status == 500 and _SCENARIO_FAILED in said:
            # Its earlier steps have acted already, so the same request could act twice.
            message = (
                "The scenario failed after it had begun. Look at its history before sending again."
            )
            return replace(judged, outcome="dead", message=message)
        return judged

    def headers(self, values: Values) -> dict[str, str]:
        """Return the API key's header where there is a key."""
        key = values.get("hook_api_key")
        return {"x-make-apikey": key} if key else {}
