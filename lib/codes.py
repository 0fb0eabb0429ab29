"""The dictionary of error codes: every vendor's and the hub's own, found by code or words."""

from dataclasses import dataclass
from typing import Any

from lib.outgoing.error_words import OWN_CODES, OWN_LABEL
from lib.providers.explanations import Explanation, find_code
from lib.providers.registry import all_providers, find_provider, find_target

_WHO = {
    "you": "You",
    "contact": "The contact",
    "carrier": "The contact's carrier",
    "provider": "The provider",
    "nobody": "Nobody",
}


@dataclass(frozen=True)
class Entry:
    """One code of the dictionary and whose it is; `service_name` is None for the hub's own."""

    service_name: str | None
    label: str
    explanation: Explanation


def explain(service_name: str, code: str | None) -> Explanation | None:
    """Return what a vendor's code means; None without a code, and for an unknown one."""
    provider = find_provider(service_name)
    return provider.explain(code) if provider and code else None


def explain_delivery(
    kind: str | None, *, error_class: str | None, response_status: int | None
) -> Explanation | None:
    """Return what the end of an attempt means: in the vendor's words, else in the hub's own.

    `kind` is the destination's; None where it is not known.
    """
    target = find_target(kind) if kind else None
    owner = next((each for each in all_providers() if target in each.targets), None)
    if owner and response_status and (found := owner.explain(str(response_status))):
        return found
    return find_code(OWN_CODES, error_class) if error_class else None


def codes_in(payload: Any, service_name: str) -> tuple[Explanation, ...]:
    """Return what the codes mean that a decoded payload names, each once."""
    stated = payload if isinstance(payload, dict) else {}
    names = ("ErrorCode", "error_code", "errorCode")
    found = (explain(service_name, str(stated[name])) for name in names if stated.get(name))
    return tuple(dict.fromkeys(each for each in found if each))


def search_codes(text: str = "", *, service_name: str | None = None) -> list[Entry]:
    """Return the entries that hold every word of `text`, the vendors' before the hub's own."""
    entries = [
        Entry(provider.slug, provider.label, each)
        for provider in all_providers()
        for each in provider.codes.values()
    ]
    entries += [Entry(None, OWN_LABEL, each) for each in OWN_CODES.values()]
    words = text.lower().split()
    return [
        entry
        for entry in entries
        if (service_name is None or entry.service_name == service_name)
        and all(word in _text_of(entry) for word in words)
    ]


def who_must_act(explanation: Explanation) -> str:
    """Return who has to do something, in words."""
    return _WHO[explanation.who]


def _text_of(entry: Entry) -> str:
    found = entry.explanation
    return f"{entry.label} {found.code} {found.title} {found.cause} {found.step}".lower()
