"""What a member enters about a Twilio account."""

from lib.providers.fields import CredentialField
from lib.providers.twilio.addresses import ANY_SENDER

_PRINTABLE = r"[!-~]{1,200}"
_COPY_HELP = "Copy it again, without spaces."
_REPLY = r"(?s).{1,4000}"

FIELDS = (
    CredentialField(
        name="account_sid",
        label="Account SID",
        help="It stands on the start page of the Twilio Console and begins with AC.",
        is_required=True,
        pattern=r"AC[0-9a-fA-F]{32}",
        pattern_help="It is AC followed by 32 digits or letters a to f.",
        placeholder="AC…",
    ),
    CredentialField(
        name="auth_token",
        label="Auth Token",
        help="The account's primary Auth Token: Twilio signs webhooks with it.",
        is_secret=True,
        is_required=True,
        pattern=_PRINTABLE,
        pattern_help=_COPY_HELP,
        is_checked=True,
    ),
    CredentialField(
        name="api_key_sid",
        label="API key SID",
        help="Recommended for calls to Twilio. It cannot verify webhooks.",
        pattern=r"SK[0-9a-fA-F]{32}",
        pattern_help="It is SK followed by 32 digits or letters a to f.",
        placeholder="SK…",
    ),
    CredentialField(
        name="api_key_secret",
        label="API key secret",
        help="Twilio shows it once, when the key is made.",
        is_secret=True,
        pattern=_PRINTABLE,
        pattern_help=_COPY_HELP,
        is_checked=True,
        partner="api_key_sid",
    ),
    CredentialField(
        name="from_number",
        label="Sender",
        help="The number that messages and calls come from, with + and country code.",
        pattern=ANY_SENDER,
        pattern_help="Enter it in E.164 form, such as +14155550123, as whatsapp:+14155550123, or "
        "for messages alone as a name of up to 11 letters and digits.",
        placeholder="+14155550123",
    ),
    CredentialField(
        name="previous_auth_token",
        label="Previous Auth Token",
        help="Only while a secondary token is being promoted: both are then accepted.",
        is_secret=True,
        pattern=_PRINTABLE,
        pattern_help=_COPY_HELP,
    ),
    CredentialField(
        name="shared_key_id",
        label="SharedKey id",
        help="Only if a SharedKey signs the webhooks; the Auth Token is then refused.",
        pattern=_PRINTABLE,
        pattern_help=_COPY_HELP,
    ),
    CredentialField(
        name="shared_key_secret",
        label="SharedKey secret",
        help="Twilio shows it once, when the SharedKey is made.",
        is_secret=True,
        pattern=_PRINTABLE,
        pattern_help=_COPY_HELP,
        partner="shared_key_id",
    ),
    CredentialField(
        name="region",
        label="Region",
        help="Only for an account whose data is outside the United States, such as ie1 or au1.",
        pattern=r"[a-z]{2}[0-9]",
        pattern_help="It is two letters and a digit: us1, ie1 or au1.",
        placeholder="us1",
    ),
    CredentialField(
        name="edge",
        label="Edge",
        help="Only to enter Twilio's network at a place of your choice, such as dublin.",
        pattern=r"[a-z]{2,20}(?:-[a-z]{2,20})?",
        pattern_help="It is a name such as ashburn, dublin or sydney.",
        placeholder="ashburn",
    ),
    CredentialField(
        name="voice_reply",
        label="Answer to calls",
        help="A text that is read out, or a list of TwiML verbs. Blank: the call is ended.",
        pattern=_REPLY,
        pattern_help="Enter at most 4,000 characters.",
        is_long=True,
        placeholder='[{"verb": "say", "text": "We call you back."}, {"verb": "hangup"}]',
    ),
    CredentialField(
        name="message_reply",
        label="Answer to messages",
        help="A text that is sent back, or a list of TwiML verbs. Blank: nobody gets a reply.",
        pattern=_REPLY,
        pattern_help="Enter at most 4,000 characters.",
        is_long=True,
        placeholder="Thank you, we have your message.",
    ),
)
REPLY_FIELDS = ("voice_reply", "message_reply")
PAIRED_FIELDS = (("api_key_sid", "api_key_secret"), ("shared_key_id", "shared_key_secret"))
