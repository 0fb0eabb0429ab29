"""The errors this product raises; each message is a sentence that names the next step."""


class HubError(Exception):
    """A failure that an operator or member can act on.

    The message is shown to people: it never holds a secret or a payload.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConfigError(HubError):
    """The hub cannot start as it is configured."""


class InvalidInput(HubError):
    """A value given by a person or a caller is refused; `field` names it."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class NotFound(HubError):
    """No such thing, or not for this user: the two are never told apart."""


class NotAllowed(HubError):
    """The user's role does not reach this action."""


class CodeNeeded(HubError):
    """The password is right, and a code of the second factor is still missing.

    `user_id` says whose; it stays on the server.
    """

    def __init__(self, user_id: str) -> None:
        super().__init__("Type the code of your authenticator app.")
        self.user_id = user_id


class RateLimited(HubError):
    """Too many attempts; the same call may pass after `retry_after_seconds`."""

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SignatureError(HubError):
    """A request did not prove who sent it.

    `reason` is a short machine word such as "missing_signature"; `facts` are what a
    person needs to mend it, without secrets.
    """

    def __init__(self, message: str, *, reason: str, facts: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.facts = facts or {}


class MalformedRequest(HubError):
    """A request was authentic, or needed no proof yet, but its body cannot be read."""


class SecretUnreadable(HubError):
    """A sealed value does not open with the keys at hand."""


class StorageUnavailable(HubError):
    """The database could not take the write; nothing of it was kept."""


class ProviderError(HubError):
    """A vendor's API refused or failed.

    `permanent` says that repeating the same call cannot help; `status` is the HTTP status,
    or None when no answer came. `is_unprocessed` says that the vendor certainly did nothing,
    so that even sending a message may be tried again. `code` is the vendor's own, and
    `retry_after` its Retry-After header, as it came.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        status: int | None = None,
        is_unprocessed: bool = False,
        code: str | None = None,
        retry_after: str | None = None,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.status = status
        self.is_unprocessed = is_unprocessed
        self.code = code
        self.retry_after = retry_after


class OutcomeUnknown(HubError):
    """What reaches a person may have been done or not, so nothing here asks for it again."""


class BudgetSpent(RateLimited, ProviderError):
    """The hub kept a call back, because the vendor's limit for the account is reached.

    For whoever repeats calls it is a refusal by the vendor that certainly did nothing.
    """

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        ProviderError.__init__(
            self,
            message,
            permanent=False,
            status=429,
            is_unprocessed=True,
            retry_after=str(retry_after_seconds),
        )
        self.retry_after_seconds = retry_after_seconds
