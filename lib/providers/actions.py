"""The contract between the hub and something that a vendor can be asked to do.

A provider declares its actions; screens draw a form from the input model, the REST API
validates by it and documents it, and a route fills it by a mapping. An action refuses to know
tables, screens and queues.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from lib.http import VendorClient
from lib.providers.fields import Values
from lib.settings import Settings

# read changes nothing; write may be repeated with the same end; send reaches a person, so it
# is only repeated when the vendor certainly did not do it.
Effect = Literal["read", "write", "send"]


class ActionInput(BaseModel):
    """What an action is given; each field has a title and a description for people."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True
    )


@dataclass(frozen=True, repr=False)
class ActionCall:
    """With what an action runs: opened credentials, the guarded client, our own address.

    `webhook_url` is where the vendor reports to; every request through `client` is logged.
    """

    values: Values
    settings: Settings
    client: VendorClient
    webhook_url: str


class Action(ABC):
    """One thing a vendor can do. Class attributes describe it."""

    # A verb and a noun in snake case, part of the REST address: send_message.
    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]
    effect: ClassVar[Effect]
    input: ClassVar[type[ActionInput]]

    @abstractmethod
    def run(self, given: Any, call: ActionCall) -> Any:
        """Do it once and return the vendor's answer as JSON values, without secrets.

        `given` is an instance of `input`. Raises ProviderError with a sentence that names the
        next step; `is_unprocessed` on it says that the vendor certainly did nothing.
        """

    def text_input(self, to: str, text: str) -> Mapping[str, Any] | None:
        """Return the input that sends `text` to a phone number; None if that is not what it does.

        Alerts are sent by actions that answer here.
        """
        return None

    def remark(self, given: Mapping[str, Any]) -> str | None:
        """Return a sentence about what was entered so far, for the form; None for nothing."""
        return None
