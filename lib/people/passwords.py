"""Passwords: what is accepted, how they are hashed, and one-time ones. Knows no users."""

import secrets

import bcrypt

from lib.errors import InvalidInput

MINIMUM_CHARACTERS = 12

# bcrypt reads no further, and version 5 of the library raises instead of cutting silently.
MAXIMUM_BYTES = 72

# 2**12 rounds take about a quarter of a second.
COST = 12

# No 0/O or 1/l/I: a one-time password is often read from a screen and typed.
_ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_ONE_TIME_CHARACTERS = 20


def check_new_password(password: str, *, email: str) -> None:
    """Raise InvalidInput unless `password` may become this user's password."""
    if len(password) < MINIMUM_CHARACTERS:
        raise _refusal(
            f"Choose at least {MINIMUM_CHARACTERS} characters; a few random words are good."
        )
    if len(password.encode()) > MAXIMUM_BYTES:
        raise _refusal(
            f"Choose a password of at most {MAXIMUM_BYTES} bytes; letters with accents and "
            "emoji count as two to four."
        )
    if password != password.strip():
        # The login form strips what was typed, so such a password would never open.
        raise _refusal("Choose a password that does not begin or end with a space.")
    if password.lower() == email.lower():
        raise _refusal("Choose a password that is not your e-mail address.")


def hash_password(password: str) -> str:
    """Return the bcrypt hash of a password that `check_new_password` accepts."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST)).decode()


def matches(password: str, password_hash: str | None) -> bool:
    """Say whether `password` belongs to the hash, at the same cost in every case.

    None stands for a name that nobody has: the time then tells nothing about who exists.
    """
    entered = password.encode()
    stored = password_hash or ""
    is_comparable = len(entered) <= MAXIMUM_BYTES and stored.startswith("$2")
    found = bcrypt.checkpw(
        entered[:MAXIMUM_BYTES], (stored if is_comparable else _decoy()).encode()
    )
    return found and is_comparable


def one_time_password() -> str:
    """Return a random password that its user has to change at the first sign-in."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_ONE_TIME_CHARACTERS))


def _decoy() -> str:
    """Return a well-formed hash that no known password opens, of the cost in use."""
    return f"$2b${COST:02d}$" + "." * 53


def _refusal(message: str) -> InvalidInput:
    return InvalidInput(message, field="password")
