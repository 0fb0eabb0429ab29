"""Zapier's hooks as destinations: catch hooks, and the targets of REST-hook subscriptions."""

import re
from dataclasses import replace

from lib.providers.hook_target import HookTarget
from lib.providers.targets import Judgement, RateLimit, Reply

# Each sender has names of its own. `data.id` and `data.name` are a person's only where the payload
# is about one: those of an opportunity or an invoice are not.
_CONTACT = """{
  event_type: type,
  contact: {
    id: data.contactId || data.contact_id || data.contact.id || data.contact.contact_id
      || data.appointment.contactId
      || ((data.email || data.phone || starts_with(type, 'Contact')) && data.id) || `null`,
    email: data.email || data.contact.email,
    phone: data.phone || data.contact.phone || data.From,
    name: data.full_name || data.contact.name || data.ProfileName
      || ((data.email || data.phone) && (data.name || data.firstName)) || `null`
  },
  metadata: {event_id: id, service: service_name, timestamp: timestamp}
}"""
_GONE = "This hook is gone. Paste the address from the Zap's trigger again."


class _ZapierHook(HookTarget):
    success_note = "Zapier received it; it says so even when no Zap is on, or none exists."
    # Below the 30 a second and 10,000 in five minutes of a REST hook:
    # https://docs.zapier.com/platform/build/operating-constraints
    rate_limit = RateLimit(per_second=25, per_five_minutes=9_000)
    # The least that any of its triggers takes, Catch Raw Hook:
    # https://help.zapier.com/hc/en-us/articles/8496288690317
    most_body_bytes = 2_000_000
    mappings = {"Event, contact and metadata": _CONTACT}
    refusals = {
        401: "Zapier refused the message. Paste the hook's address again.",
        403: "Zapier refused the message. Paste the hook's address again.",
        404: "Zapier does not know this hook. Paste the address from the Zap's trigger again.",
        410: _GONE,
        429: "Zapier takes no more requests just now. It may pass in five minutes.",
    }

    def judge(self, reply: Reply) -> Judgement:
        """Let everything but a success and 410 pass later, as Zapier asks of its senders."""
        judged = super().judge(reply)
        return replace(judged, outcome="retry") if judged.outcome == "dead" else judged


class ZapierCatchHook(_ZapierHook):
    """The address of a Catch Hook trigger; the address of a subscription passes too."""

    kind = "zapier"
    label = "Zapier"
    url_help = (
        "Copy it from the Zap's trigger; it looks like "
        "https://hooks.zapier.com/hooks/catch/123456/abcdef/."
    )
    url_pattern = re.compile(
        r"https://hooks\.zapier\.com/hooks/(?:catch|standard)(?:/[A-Za-z0-9_-]{1,128}){1,3}/?"
    )


class ZapierSubscription(_ZapierHook):
    """The target of a REST hook, which a Zap registers when it is turned on."""

    kind = "zapier_hook"
    takes_subscriptions = True
    label = "Zapier subscription"
    url_help = (
        "A Zap gives it when it is turned on; it looks like "
        "https://hooks.zapier.com/hooks/standard/123456/abcdef/."
    )
    url_pattern = re.compile(
        r"https://hooks\.zapier\.com/hooks/standard(?:/[A-Za-z0-9_-]{1,128}){1,3}/?"
    )
    refusals = {**_ZapierHook.refusals, 410: "The Zap was turned off or deleted. Turn it on again."}
