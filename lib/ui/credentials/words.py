"""How credentials are told of: their states, uses, ends, and what replacing one means."""

from lib.credentials.rows import Credential, Kind, State
from lib.ui.formats import absolute, ago

STATES: dict[State, tuple[str, str]] = {
    State.MISSING: ("Missing", "red"),
    State.FAILING: ("Failing check", "red"),
    State.EXPIRING: ("Expiring", "orange"),
    State.OLD: ("Old", "yellow"),
    State.SET: ("Set", "green"),
    State.OPTIONAL: ("Not set", "gray"),
}
# What can be asked for; the rest is what is left.
FILTERED = (State.MISSING, State.OLD, State.FAILING, State.EXPIRING)
OUTCOMES = {"verified": "Verified", "accepted": "Accepted", "failed": "Failed"}
WHO = (
    "Nobody can read it back: it is sealed, and screens get its last four characters at most. "
    "Its owner and staff can replace it."
)
WHO_ADDRESS = "Its owner and staff see it whole on the integration; analysts do not."
WHO_HOOK = (
    "Its owner can read it back after typing their password, which is put on record. Staff can "
    "replace it and not read it."
)
_USES = {
    Kind.ADDRESS: "The last request that was accepted here.",
    Kind.GRANT: "The last call to the vendor for this integration.",
    Kind.HOOK: "The last delivery to this destination.",
    Kind.SIGNING: "The last delivery to this destination; each is signed.",
}


def mask_of(row: Credential) -> str:
    """Return what is shown of a credential: dots and its last four, or that there is none."""
    if not row.is_set:
        return "Not set"
    return f"••••{row.last4}" if row.kind is not Kind.GRANT else "Tokens"


def age_words(row: Credential) -> str:
    """Return how old a credential is, with a hint when its vendor would replace it."""
    if row.set_at is None:
        return ""
    hint = f", replace every {row.rotate_days} d" if row.is_old else ""
    return f"{ago(row.set_at)}{hint}"


def end_words(row: Credential) -> str:
    """Return what ends when: the one before, or the present one."""
    if row.trouble:
        return row.trouble
    if row.overlap_until is not None:
        return f"The one before works until {absolute(row.overlap_until)}"
    if row.expires_at is not None:
        return f"Renewed by itself, next before {absolute(row.expires_at)}"
    return ""


def use_words(row: Credential) -> str:
    """Return what its last use means."""
    if row.kind in _USES:
        return _USES[row.kind]
    parts = ["an event that it proved"] if row.proves else []
    if row.calls:
        parts.append("a call to the vendor for this integration")
    if not parts:
        return "Its uses are not counted."
    return f"The last of: {', '.join(parts)}."


def who_words(row: Credential) -> str:
    """Return who may see a credential, as the hub holds to it."""
    if row.kind is Kind.ADDRESS:
        return WHO_ADDRESS
    return WHO_HOOK if row.kind is Kind.HOOK and row.field == "url" else WHO


def effect_words(row: Credential) -> str:
    """Return what happens when a credential is replaced."""
    if row.kind is Kind.ADDRESS:
        return (
            "A new address is made. The present one works for seven more days, or until you end "
            "that, so that you can paste the new one at the vendor without losing an event."
        )
    if row.kind is Kind.ISSUED:
        return (
            "The hub issues a new secret and shows it once. The present one is accepted for 24 "
            "more hours, or until you end that, so that you can put the new one into the sender."
        )
    if row.kind is Kind.SIGNING:
        return (
            "The hub issues a new secret and shows it once. For 24 hours, or until you end that, "
            "requests carry both signatures, so that the receiver can change over."
        )
    if row.kind is Kind.HOOK:
        return (
            "What you enter replaces what is stored at once, and what is queued goes there. A "
            "test tells whether it arrives."
        )
    first = (
        "The new one is tried at the vendor first; if it is refused, the present one stays."
        if row.is_checked
        else "Nothing can try the new one before it is used for the first time."
    )
    if row.proves and not row.field.startswith("previous"):
        first += " What is signed with the present one is accepted for 24 more hours."
    return first


def place_words(row: Credential) -> str:
    """Return where else the credential is entered, which is where it has to change too."""
    if row.kind is Kind.ADDRESS:
        return "The address that is pasted at the vendor: change it there."
    if row.kind is Kind.ISSUED:
        return "Every sender that carries or signs with it: change it there."
    if row.kind is Kind.SIGNING:
        return "The receiver that checks the signatures: change it there."
    return ""
