"""First values of a new connection that the server's environment offers to staff.

A secret among them is named, never handed to a screen: it is put in when the form is saved.
"""

import os
from collections.abc import Collection, Mapping

from lib.access import Actor, Role
from lib.providers.base import Provider

_OFFERED = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")


def first_values(actor: Actor, provider: Provider) -> dict[str, str]:
    """Return the offered values that may be shown, by field; nothing unless staff asks."""
    return {
        name: os.environ[variable]
        for name, variable in _offers(actor, provider, secret=False).items()
    }


def offered_secrets(actor: Actor, provider: Provider) -> dict[str, str]:
    """Return by field the variables that hold a secret for it; nothing unless staff asks."""
    return _offers(actor, provider, secret=True)


def with_offered_secrets(
    actor: Actor, provider: Provider, *, values: Mapping[str, str], chosen: Collection[str]
) -> dict[str, str]:
    """Return `values` with the chosen fields filled from the environment."""
    offers = offered_secrets(actor, provider)
    filled = {name: os.environ[offers[name]] for name in chosen if name in offers}
    return {**values, **filled}


def _offers(actor: Actor, provider: Provider, *, secret: bool) -> dict[str, str]:
    if actor.role is not Role.STAFF:
        return {}
    variables = {
        item.name: f"{provider.slug}_{item.name}".upper()
        for item in provider.fields
        if item.is_secret is secret
    }
    return {
        name: variable
        for name, variable in variables.items()
        if variable in _OFFERED and os.environ.get(variable)
    }
