"""Sealing of credentials: AES-256-GCM under master keys with ids, bound to their place."""

import base64
import hashlib
import os
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lib.errors import SecretUnreadable

_VERSION = "v1"
_NONCE_BYTES = 12


class Vault:
    """Seals and opens short texts; the first key seals, every key opens.

    A sealed value is `v1.<key id>.<base64 of nonce and ciphertext>`. The associated data
    is the table, the row and the field, so a value moved to another place does not open.
    `reload` is asked for the keys again when a value names a key that is not at hand: another
    process may have rotated them since this one started.
    """

    def __init__(
        self, keys: Sequence[bytes], reload: Callable[[], Sequence[bytes]] | None = None
    ) -> None:
        self._ciphers = {key_id(key): AESGCM(key) for key in keys}
        self.sealing_key_id = key_id(keys[0])
        self._reload = reload

    def __repr__(self) -> str:
        return f"Vault(keys={list(self._ciphers)})"

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The public names of the keys at hand."""
        return tuple(self._ciphers)

    def seal(self, text: str, *, place: tuple[str, str, str]) -> str:
        """Return `text` sealed for `place`, which is (table, row id, field)."""
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._ciphers[self.sealing_key_id]
        sealed = cipher.encrypt(nonce, text.encode(), _associated(place))
        return f"{_VERSION}.{self.sealing_key_id}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, place: tuple[str, str, str]) -> str:
        """Return the text sealed for `place`; raise SecretUnreadable if it does not open."""
        table, row, field = place
        try:
            version, sealing_key_id, encoded = sealed.split(".")
            raw = base64.b64decode(encoded, validate=True)
        except ValueError:
            version, sealing_key_id, raw = "", "", b""
        cipher = self._find_cipher(sealing_key_id)
        if version != _VERSION or cipher is None:
            raise SecretUnreadable(
                f"The {field} of {row} in {table} was sealed with a key that is not at hand. "
                "Add that key to HUB_MASTER_KEYS, or enter the value again."
            )
        try:
            return cipher.decrypt(
                raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _associated(place)
            ).decode()
        except (InvalidTag, ValueError) as error:
            raise SecretUnreadable(
                f"The {field} of {row} in {table} does not open: it was changed, or moved from "
                "another row. Enter the value again."
            ) from error

    def is_current(self, sealed: str) -> bool:
        """Say whether `sealed` uses the key that seals now."""
        return sealed.startswith(f"{_VERSION}.{self.sealing_key_id}.")

    def _find_cipher(self, wanted: str) -> AESGCM | None:
        if wanted and wanted not in self._ciphers and self._reload is not None:
            self._ciphers = {key_id(key): AESGCM(key) for key in self._reload()}
        return self._ciphers.get(wanted)


def sealing_key_of(sealed: str) -> str:
    """Return the public name of the key that a value was sealed with, "unknown" if it has none."""
    parts = sealed.split(".")
    return parts[1] if len(parts) == 3 else "unknown"


def key_id(key: bytes) -> str:
    """Return the public name of a key: the first 8 hex digits of its SHA-256."""
    return hashlib.sha256(key).hexdigest()[:8]


def _associated(place: tuple[str, str, str]) -> bytes:
    return "/".join(place).encode()
