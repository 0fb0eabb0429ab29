"""What Twilio's codes mean on messages that were accepted and not delivered.

https://www.twilio.com/docs/api/errors
"""

from lib.providers.twilio.code_entries import entry

ENTRIES = (
    entry(
        30001,
        "Queue overflow",
        who="you",
        cause="Too many messages waited at this sender, so this one was dropped.",
        step="Send again more slowly, or from several numbers by a Messaging Service.",
    ),
    entry(
        30002,
        "Account suspended",
        who="you",
        cause="The account was suspended after the message was handed over.",
        step="The account's owner asks Twilio's support.",
    ),
    entry(
        30003,
        "Phone unreachable",
        who="contact",
        cause="The phone could not be reached: it is off, out of range or no longer in use.",
        step="Try again later, or ask the recipient for another number.",
    ),
    entry(
        30004,
        "Message blocked",
        who="contact",
        cause="The recipient's carrier or phone blocks the message.",
        step="Ask the recipient to allow messages from this sender.",
    ),
    entry(
        30005,
        "Number unknown",
        who="contact",
        cause="The number is not in use.",
        step="Ask the recipient for the right number.",
    ),
    entry(
        30006,
        "Landline or unreachable carrier",
        who="contact",
        cause="The number is a landline or cannot take messages from this carrier.",
        step="Ask for a mobile number.",
    ),
    entry(
        30007,
        "Filtered by the carrier",
        who="you",
        cause="The carrier held the message to be unwanted and dropped it.",
        step="The sender changes the wording and the links, or registers the campaign.",
    ),
    entry(
        30008,
        "Unknown error",
        who="carrier",
        cause="The carrier did not deliver it and gave no reason.",
        step="Try again later; if it stays so, ask Twilio's support with the SID.",
    ),
    entry(
        30009,
        "Part of a message missing",
        who="carrier",
        cause="One part of a long incoming message did not arrive.",
        step="Ask the sender to send it again.",
    ),
    entry(
        30010,
        "Price above the limit",
        who="you",
        cause="The message costs more than the highest price that was set for it.",
        step="Raise the highest price, or leave it out.",
    ),
    entry(
        30011,
        "No MMS there",
        who="you",
        cause="The recipient's number takes no MMS in its region.",
        step="Send a text with a link in place of the media.",
    ),
    entry(
        30022,
        "Rate limit of the campaign (A2P 10DLC)",
        who="you",
        cause="More messages were sent than the registered campaign may send at once.",
        step="Send more slowly, or raise the brand's trust score by vetting.",
    ),
    entry(
        30023,
        "Daily limit reached (A2P 10DLC)",
        who="you",
        cause="The brand's messages to this carrier are used up for today.",
        step="Send the rest tomorrow; the carrier's day ends at midnight Pacific time.",
    ),
    entry(
        30024,
        "Sender not set up at the carrier",
        who="provider",
        cause="The sender is not set up at the recipient's carrier yet.",
        step="Wait until the registration is through, or ask Twilio's support.",
    ),
    entry(
        30032,
        "Toll-free number not verified",
        who="you",
        cause="The toll-free sender is not verified.",
        step="The account's owner verifies the number in the Console.",
    ),
    entry(
        30033,
        "Campaign suspended (A2P 10DLC)",
        who="you",
        cause="The registered campaign is suspended.",
        step="The account's owner looks at the campaign in the Console and asks Twilio's support.",
    ),
    entry(
        30034,
        "Number not registered (A2P 10DLC)",
        who="you",
        cause="The sender is not registered for business messages in the United States "
        "(A2P 10DLC).",
        step="The account's owner registers brand and campaign in the Console.",
    ),
    entry(
        30035,
        "Registration pending (A2P 10DLC)",
        who="nobody",
        cause="The number's registration is not finished.",
        step="Wait until it is finished, or send from a registered number.",
    ),
    entry(
        30410,
        "Provider timed out",
        who="provider",
        cause="A carrier on the way did not answer in time; it is not repeated, so that nothing "
        "arrives twice.",
        step="Send it again later.",
    ),
    entry(
        30450,
        "Taken for SMS pumping",
        who="you",
        cause="Twilio blocked the message, for traffic to this prefix looks like fraud.",
        step="Check who makes you send to such numbers; allow the number in the Console if it "
        "is known.",
    ),
    entry(
        60200,
        "Invalid parameter",
        who="you",
        cause="Verify was called with a value that it does not take.",
        step="Check the number and the channel that were sent.",
    ),
    entry(
        60410,
        "Verification blocked",
        who="nobody",
        cause="Verify's Fraud Guard blocks this prefix for 12 hours.",
        step="Wait; the block ends by itself unless there is more fraud.",
    ),
    entry(
        63014,
        "Blocked by the recipient",
        who="contact",
        cause="The recipient blocked the sender or took the consent back.",
        step="Only the recipient can change that; stop sending to them.",
    ),
    entry(
        63016,
        "Outside the 24-hour window",
        who="you",
        cause="WhatsApp takes free text only within 24 hours of the recipient's last message.",
        step="Send an approved template, or wait until they write.",
    ),
    entry(
        63021,
        "Content not taken",
        who="you",
        cause="The channel does not take this content or this kind of file.",
        step="Check the file's type, and keep a template with its values below 1,024 characters.",
    ),
    entry(
        63028,
        "Wrong number of values",
        who="you",
        cause="The template has another number of blanks than values were given.",
        step="Give one value for each blank of the template.",
    ),
)
