"""What the answers of Zapier's hooks mean.

https://help.zapier.com/hc/en-us/articles/8496288690317
"""

from lib.providers.explanations import Explanation, Who, by_code

_HELP = "https://help.zapier.com/hc/en-us/articles/8496288690317"
_LIMITS = "https://docs.zapier.com/platform/build/operating-constraints"


def _entry(code: str, title: str, *, who: Who, cause: str, step: str) -> Explanation:
    return Explanation(code, title, cause, who, step, _LIMITS if code == "429" else _HELP)


CODES = by_code(
    (
        _entry(
            "200",
            "Received",
            who="nobody",
            cause="Zapier took it. It answers the same when no Zap is on, or none exists.",
            step="Nothing, unless no run appears in the Zap history: then switch the Zap on.",
        ),
        _entry(
            "401",
            "Refused",
            who="you",
            cause="Zapier does not take messages at this address.",
            step="Paste the address from the Zap's trigger again.",
        ),
        _entry(
            "403",
            "Refused",
            who="you",
            cause="Zapier does not take messages at this address.",
            step="Paste the address from the Zap's trigger again.",
        ),
        _entry(
            "404",
            "Hook unknown",
            who="you",
            cause="Zapier does not know this hook; its address changes with the Zap's owner.",
            step="Paste the address from the Zap's trigger again.",
        ),
        _entry(
            "410",
            "Hook gone",
            who="you",
            cause="The Zap was turned off or deleted, so its subscription ended.",
            step="Turn the Zap on again; it subscribes anew.",
        ),
        _entry(
            "413",
            "Too large",
            who="you",
            cause="The message is larger than the trigger takes; Catch Raw Hook takes 2 MB.",
            step="Send less of it by a mapping.",
        ),
        _entry(
            "429",
            "Too many requests",
            who="nobody",
            cause="More requests came than Zapier takes in five minutes.",
            step="Wait; the hub goes on by itself.",
        ),
        _entry(
            "500",
            "Fault at Zapier",
            who="provider",
            cause="Zapier failed while it took the message.",
            step="Wait; the hub tries again by itself.",
        ),
    )
)
