"""What the answers of Make's webhooks and of its API mean. https://help.make.com/webhooks"""

from lib.providers.explanations import Explanation, Who, by_code

_HOOKS = "https://help.make.com/webhooks"
_API = "https://developers.make.com/api-documentation"


def _entry(code: str, title: str, *, who: Who, cause: str, step: str) -> Explanation:
    return Explanation(code, title, cause, who, step, _API if code.startswith("SC") else _HOOKS)


CODES = by_code(
    (
        _entry(
            "200",
            "Accepted",
            who="nobody",
            cause="Make queued it. A scenario that is switched off answers the same and queues.",
            step="Nothing, unless it does not run: then switch the scenario on.",
        ),
        _entry(
            "400",
            "Queue is full, or fields refused",
            who="you",
            cause="The hook's queue is full, or the data do not fit the hook's data structure; "
            "the answer's text says which.",
            step="Let the scenario run to empty the queue, or redetermine the data structure.",
        ),
        _entry(
            "401",
            "API key missing or wrong",
            who="you",
            cause="The hook asks for an API key in x-make-apikey.",
            step="Copy one of the webhook's keys to the destination again.",
        ),
        _entry(
            "403",
            "Not allowed",
            who="you",
            cause="The API key is wrong, or this machine's address is not on the webhook's list.",
            step="Check the webhook's keys and its IP restrictions.",
        ),
        _entry(
            "410",
            "Scenario inactive or hook gone",
            who="you",
            cause="No scenario listens to the hook: it was unlinked or off for more than five "
            "days, or deleted.",
            step="Attach the webhook to a scenario and switch it on, or paste its new address.",
        ),
        _entry(
            "413",
            "Too large",
            who="you",
            cause="The message is larger than the 5 MB that Make takes.",
            step="Send less of it by a mapping.",
        ),
        _entry(
            "429",
            "Too many requests",
            who="nobody",
            cause="The hook takes 300 requests in 10 seconds; the API has a limit a minute by "
            "plan.",
            step="Wait; the hub goes on by itself.",
        ),
        _entry(
            "500",
            "Scenario failed",
            who="you",
            cause="The scenario began and failed; its earlier steps have acted already.",
            step="Look at the scenario's history before sending again.",
        ),
    )
)
