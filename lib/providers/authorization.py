"""The contract between the hub and a vendor whose app a member authorises in the browser.

A provider says where the browser goes and how codes and tokens are exchanged. Where tokens
are kept, and that each refresh happens once, is the hub's business.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from lib.http import VendorClient
from lib.providers.fields import Values
from lib.settings import Settings


@dataclass(frozen=True, repr=False)
class Tokens:
    """What a token endpoint gave.

    `is_wide` says that it reaches beyond the connection's one account, so that `narrow` must
    be asked before anything is called with it. `facts` may be shown to the owner.
    """

    access_token: str
    expires_seconds: int
    refresh_token: str | None = None
    is_wide: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class AppCall:
    """With what a token endpoint is asked: opened credentials, the guarded client, our address."""

    values: Values
    settings: Settings
    client: VendorClient
    redirect_uri: str


class Authorization(ABC):
    """How members authorise an app of their own at one vendor.

    Every method raises ProviderError; its `code` is RECONNECT where only a person can mend it.
    """

    RECONNECT: ClassVar[str] = "reconnect"

    # On the button.
    label: ClassVar[str]
    # The fields without which there is no app.
    needs: ClassVar[tuple[str, ...]]

    def is_ready(self, filled: Mapping[str, object]) -> bool:
        """Say whether the app's fields are among those that are filled in."""
        return all(filled.get(name) for name in self.needs)

    @abstractmethod
    def page_url(self, values: Values, *, redirect_uri: str, state: str) -> str:
        """Return the vendor's page on which the member agrees."""

    @abstractmethod
    def exchange(self, code: str, call: AppCall) -> Tokens:
        """Return the tokens for a code; refuse those of another account than `values` name."""

    @abstractmethod
    def refresh(self, refresh_token: str, call: AppCall, *, is_wide: bool) -> Tokens:
        """Return the next tokens; the refresh token is used up by this."""

    @abstractmethod
    def narrow(self, access_token: str, call: AppCall, *, facts: Mapping[str, str]) -> Tokens:
        """Return a token for the connection's one account, got with a wide one.

        `facts` are those that came with the wide one.
        """
