"""Secrets that may have signed a request in place of the integration's own."""

from collections.abc import Iterator
from dataclasses import dataclass

from lib.providers.diagnosis import Circumstances, Finding, Remedy
from lib.providers.fields import Values
from lib.providers.twilio.signature import Algorithm


@dataclass(frozen=True, repr=False)
class SecretGuess:
    """A secret, and what it means if it fits; the integration's own have no finding."""

    text: str
    algorithm: Algorithm
    tried: str
    finding: Finding | None


def guess_secrets(values: Values, case: Circumstances) -> Iterator[SecretGuess]:
    """Yield the integration's own secrets, which have no finding, then all others."""
    has_shared = bool(values.get("shared_key_id") and values.get("shared_key_secret"))
    if has_shared:
        yield SecretGuess(values["shared_key_secret"], "sha256", "SharedKey", None)
    for name in ("auth_token", "previous_auth_token"):
        if values.get(name):
            finding = _token_despite_shared_key() if has_shared else None
            yield SecretGuess(values[name], "sha1", "the Auth Token", finding)
    if values.get("api_key_secret"):
        yield SecretGuess(
            values["api_key_secret"], "sha1", "the API key's secret", _api_key_as_token()
        )
    for neighbour in case.neighbours:
        same = neighbour.values.get("account_sid") == values.get("account_sid")
        for name in ("auth_token", "previous_auth_token"):
            if text := neighbour.values.get(name):
                finding = _neighbour_token(neighbour.id, neighbour.name, is_same_account=same)
                yield SecretGuess(text, "sha1", f"the token of {neighbour.name}", finding)
        if text := neighbour.values.get("shared_key_secret"):
            finding = _neighbour_shared_key(neighbour.id, neighbour.name)
            yield SecretGuess(text, "sha256", f"the SharedKey of {neighbour.name}", finding)


def _token_despite_shared_key() -> Finding:
    return Finding(
        "shared_key_unused",
        "Twilio signs with the Auth Token, and this integration accepts its SharedKey alone. "
        "Switch the SharedKey on at Twilio, or clear it here.",
        Remedy("clear_fields", "shared_key_id,shared_key_secret"),
    )


def _api_key_as_token() -> Finding:
    return Finding(
        "api_key_secret",
        "The request is signed with the value that stands here as API key secret: the two secrets "
        "are swapped. Enter the primary Auth Token as Auth Token.",
        Remedy("enter_value", "auth_token"),
    )


def _neighbour_token(identity: str, name: str, *, is_same_account: bool) -> Finding:
    if is_same_account:
        return Finding(
            "neighbour_token",
            f"The integration {name} holds the account's present Auth Token, and this one holds "
            "another. Take its token over.",
            Remedy("take_secret", "auth_token", identity),
        )
    return Finding(
        "neighbour_account",
        f"The request comes from the account of the integration {name}, at the address of this "
        "one. Paste that integration's address in its Twilio account.",
        Remedy("use_address", integration_id=identity),
    )


def _neighbour_shared_key(identity: str, name: str) -> Finding:
    return Finding(
        "neighbour_shared_key",
        f"The request is signed with the SharedKey of the integration {name}. Enter the key's id "
        "and secret here too.",
        Remedy("use_address", integration_id=identity),
    )
