"""What HighLevel's refusals mean, by our word for each and by status.

The API answers with a status and a message; `lib.providers.gohighlevel.api` tells the messages of
one status apart. https://marketplace.gohighlevel.com/docs/
"""

from lib.providers.explanations import Explanation, Who, by_code

_DOCS = "https://marketplace.gohighlevel.com/docs/"


def _entry(code: str, title: str, *, who: Who, cause: str, step: str) -> Explanation:
    return Explanation(code, title, cause, who, step, _DOCS)


CODES = by_code(
    (
        _entry(
            "400",
            "Request refused",
            who="you",
            cause="A value is missing or not in the form that HighLevel takes.",
            step="Correct the field that the answer names.",
        ),
        _entry(
            "401",
            "Not authorized",
            who="you",
            cause="The token is wrong, lacks a scope, or is of the wrong kind; the answer's "
            "message says which.",
            step="Test the connection; it tells the cases apart.",
        ),
        _entry(
            "missing_scope",
            "Scope missing",
            who="you",
            cause="The token is alive and may not do this.",
            step="Add the scope to the Private Integration; the token stays the same.",
        ),
        _entry(
            "wrong_token_class",
            "Agency token",
            who="you",
            cause="The token is an agency's and does not reach into a sub-account.",
            step="Create a Private Integration inside the sub-account and enter its token.",
        ),
        _entry(
            "bad_version",
            "API version refused",
            who="you",
            cause="The Version header is missing or not a published one.",
            step="Clear the API version of the integration.",
        ),
        _entry(
            "bad_token",
            "Token refused",
            who="you",
            cause="The token is wrong, or was rotated; the old one then works for seven days at "
            "most.",
            step="Enter the current Private Integration token of the sub-account.",
        ),
        _entry(
            "403",
            "Another location",
            who="you",
            cause="The token belongs to another location.",
            step="Correct the location id, or create the Private Integration in this location.",
        ),
        _entry(
            "404",
            "Id unknown",
            who="you",
            cause="HighLevel does not know the contact, workflow or other thing, or no longer.",
            step="Copy the id again from HighLevel.",
        ),
        _entry(
            "422",
            "Values refused",
            who="you",
            cause="HighLevel read the request and does not take one or more of its values.",
            step="Correct each field that the answer lists.",
        ),
        _entry(
            "429",
            "Too many requests",
            who="nobody",
            cause="The location's budget of 100 requests in 10 seconds, or 200,000 a day, is used "
            "up; all apps of yours on it share the budget.",
            step="Wait; the hub goes on by itself as the budget fills again.",
        ),
        _entry(
            "500",
            "Fault at HighLevel",
            who="provider",
            cause="HighLevel failed while it worked on the request.",
            step="Try again later.",
        ),
    )
)
