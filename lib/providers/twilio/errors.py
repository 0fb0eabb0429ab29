"""Twilio's error codes in plain words: the cause, and who does what about it.

https://www.twilio.com/docs/api/errors
"""

from dataclasses import dataclass

_LINK = "https://www.twilio.com/docs/errors/{code}"


@dataclass(frozen=True)
class Explanation:
    """Why something failed, and the next step with whoever must take it."""

    cause: str
    step: str


_EXPLANATIONS = {
    # Requests.
    20003: Explanation(
        "Twilio refused the credentials.",
        "Enter the Account SID with its Auth Token or API key again; check for another region, "
        "a sub-account or a suspended account.",
    ),
    20008: Explanation(
        "These are Twilio test credentials, which reach only test messages and calls.",
        "Enter the live Auth Token.",
    ),
    20404: Explanation(
        "Twilio does not know this resource.",
        "Check the SID, and that it belongs to this account and region.",
    ),
    20429: Explanation(
        "Twilio takes no more requests at once from this account, and did nothing.",
        "Try again in a minute, and let fewer requests run at the same time.",
    ),
    21211: Explanation(
        "The recipient is not a valid phone number.",
        "Enter it with + and country code, such as +14155550123.",
    ),
    21212: Explanation(
        "The sender is not a valid phone number.",
        "Enter a number of this account with + and country code.",
    ),
    21214: Explanation(
        "The number to call cannot be reached from Twilio.", "Check the number with its owner."
    ),
    21215: Explanation(
        "The account may not call this country or number.",
        "The account's owner allows it in the Console under Voice > Geographic permissions.",
    ),
    21216: Explanation(
        "Twilio does not call this number, for it is on a list of blocked numbers.",
        "Call another number, or ask Twilio's support.",
    ),
    21217: Explanation(
        "The number to call is not a valid phone number.",
        "Enter it with + and country code, such as +14155550123.",
    ),
    21408: Explanation(
        "The account may not send messages to this region.",
        "The account's owner allows it in the Console under Messaging > Geo permissions.",
    ),
    21421: Explanation("This phone number is not valid to buy.", "Choose another number."),
    21422: Explanation("This phone number is not for sale.", "Choose another number."),
    21606: Explanation(
        "The sender is not a number of this account, or cannot send such messages.",
        "Choose another sender, or buy one with SMS in the Console.",
    ),
    21608: Explanation(
        "A trial account reaches only verified numbers, and this recipient is not one.",
        "The account's owner verifies the number in the Console, or upgrades the account.",
    ),
    21609: Explanation(
        "Twilio cannot call the address for status reports.",
        "Staff set HUB_PUBLIC_URL to an address that the internet reaches, without underscores.",
    ),
    21610: Explanation(
        "The recipient has answered STOP and wants no messages from this sender.",
        "Only the recipient can change that, by sending START.",
    ),
    21611: Explanation(
        "This sender has more messages waiting than Twilio queues.",
        "Wait until they are sent, or send from several numbers by a Messaging Service.",
    ),
    21612: Explanation(
        "There is no way from this sender to this recipient.",
        "Choose a sender of the recipient's country or channel.",
    ),
    21614: Explanation(
        "The recipient is not a mobile number, so it takes no SMS.", "Ask for a mobile number."
    ),
    21617: Explanation(
        "The message is longer than 1,600 characters.", "Shorten it, or send two messages."
    ),
    21620: Explanation(
        "Twilio cannot use one of the media addresses.",
        "Give an address that anybody can open, of an image or file up to 5 MB.",
    ),
    21910: Explanation(
        "Sender and recipient are of different channels.",
        "Give both as whatsapp:+…, or both as plain numbers.",
    ),
    # Delivery, told later by a status report.
    30001: Explanation(
        "Too many messages waited at this sender, so this one was dropped.",
        "Send again more slowly, or from several numbers by a Messaging Service.",
    ),
    30003: Explanation(
        "The phone could not be reached: it is off, out of range or no longer in use.",
        "Try again later, or ask the recipient for another number.",
    ),
    30004: Explanation(
        "The recipient's carrier or phone blocks the message.",
        "Ask the recipient to allow messages from this sender.",
    ),
    30005: Explanation("The number is not in use.", "Ask the recipient for the right number."),
    30006: Explanation(
        "The number is a landline or cannot take messages from this carrier.",
        "Ask for a mobile number.",
    ),
    30007: Explanation(
        "The carrier held the message to be unwanted and dropped it.",
        "The sender changes the wording and the links, or registers the campaign.",
    ),
    30008: Explanation(
        "The carrier did not deliver it and gave no reason.",
        "Try again later; if it stays so, ask Twilio's support with the SID.",
    ),
    30032: Explanation(
        "The toll-free sender is not verified.",
        "The account's owner verifies the number in the Console.",
    ),
    30034: Explanation(
        "The sender is not registered for business messages in the United States (A2P 10DLC).",
        "The account's owner registers brand and campaign in the Console.",
    ),
}
KNOWN_CODES = frozenset(_EXPLANATIONS)


def explain_code(code: object) -> str | None:
    """Return cause, next step and link for one of Twilio's codes; None for an unknown one."""
    found = _find(code)
    if found is None:
        return None
    return f"{found.cause} {found.step} ({code}: {_LINK.format(code=code)})"


def cause_of(code: object) -> str | None:
    """Return the cause alone; None for an unknown code."""
    found = _find(code)
    return found.cause if found else None


def _find(code: object) -> Explanation | None:
    text = str(code)
    is_code = text.isascii() and text.isdecimal() and len(text) < 8
    return _EXPLANATIONS.get(int(text)) if is_code else None
