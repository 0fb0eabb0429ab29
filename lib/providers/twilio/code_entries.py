"""How an entry of Twilio's error dictionary is written."""

from lib.providers.explanations import Explanation, Who

_LINK = "https://www.twilio.com/docs/errors/{code}"


def entry(code: int, title: str, *, who: Who, cause: str, step: str) -> Explanation:
    """Return the explanation of one code, with the address of Twilio's page about it."""
    return Explanation(str(code), title, cause, who, step, _LINK.format(code=code))
