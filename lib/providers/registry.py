"""The list of providers; nothing else knows it."""

from lib.errors import InvalidInput
from lib.providers.action_target import ActionTarget
from lib.providers.base import Provider
from lib.providers.gohighlevel import GoHighLevel
from lib.providers.make import Make
from lib.providers.targets import Target
from lib.providers.twilio import Twilio
from lib.providers.webhook import Webhook
from lib.providers.zapier import Zapier

_PROVIDERS: dict[str, Provider] = {
    provider.slug: provider for provider in (Twilio(), GoHighLevel(), Make(), Zapier(), Webhook())
}

_ACTION_TARGET = ActionTarget()


def all_providers() -> tuple[Provider, ...]:
    """Return every provider in the order in which screens show them."""
    return tuple(_PROVIDERS.values())


def find_provider(slug: str) -> Provider | None:
    """Return the provider called `slug`, or None."""
    return _PROVIDERS.get(slug)


def get_provider(slug: str) -> Provider:
    """Return the provider called `slug`; raise InvalidInput if there is none."""
    provider = _PROVIDERS.get(slug)
    if provider is None:
        raise InvalidInput(
            f"There is no service called {slug[:40]}. Use one of: {', '.join(_PROVIDERS)}.",
            field="service_name",
        )
    return provider


def all_targets() -> tuple[Target, ...]:
    """Return every kind of destination in the order in which screens show them."""
    own = (target for provider in all_providers() for target in provider.targets)
    return (*own, _ACTION_TARGET)


def subscription_targets() -> tuple[Target, ...]:
    """Return the kinds of destination that callers may subscribe, the more special ones first."""
    return tuple(target for target in all_targets() if target.takes_subscriptions)


def find_target(kind: str) -> Target | None:
    """Return the kind of destination called `kind`, or None."""
    return next((target for target in all_targets() if target.kind == kind), None)


def provider_of_target(kind: str) -> Provider | None:
    """Return the provider that declares a kind of destination; None where none does."""
    return next(
        (each for each in all_providers() if any(own.kind == kind for own in each.targets)), None
    )


def get_target(kind: str) -> Target:
    """Return the kind of destination called `kind`; raise InvalidInput if there is none."""
    target = find_target(kind)
    if target is not None:
        return target
    kinds = ", ".join(target.kind for target in all_targets())
    raise InvalidInput(
        f"There is no kind of destination called {kind[:40]}. Use one of: {kinds}.", field="kind"
    )
