"""What a signature covers and what it is, worked out from typed values; nothing is stored."""

from collections.abc import Mapping
from dataclasses import dataclass

from lib.access import Actor, require_writer
from lib.log import redact_headers
from lib.providers.base import Provider
from lib.providers.registry import all_providers, get_provider
from lib.providers.sending import Unsigned, encode_body


@dataclass(frozen=True, repr=False)
class Question:
    """What a person typed; `values` are the provider's own fields, such as its secret."""

    service_name: str
    url: str
    content_type: str
    text: str
    values: Mapping[str, str]
    message_id: str = ""
    timestamp: str = ""


@dataclass(frozen=True)
class Calculation:
    """The text that is signed, "" where nothing is, and the headers; a carried secret is masked."""

    url: str
    base: str
    headers: Mapping[str, str]


def calculable() -> tuple[Provider, ...]:
    """Return the providers whose signature the hub can work out, one of each scheme.

    Those that carry a secret do it in the same way, so the first stands for all.
    """
    by_note: dict[str, Provider] = {}
    for provider in all_providers():
        if not provider.sample_note:
            by_note.setdefault(provider.signature_note, provider)
    return tuple(by_note.values())


def calculate(actor: Actor, question: Question) -> Calculation:
    """Return what the provider would send; raise InvalidInput(field)."""
    require_writer(actor)
    body = encode_body(question.content_type, question.text)
    unsigned = Unsigned(
        question.url.strip(),
        question.content_type,
        body,
        question.message_id.strip(),
        question.timestamp.strip(),
    )
    values = {name: text.strip() for name, text in question.values.items() if text.strip()}
    signed = get_provider(question.service_name).sign_sample(unsigned, values)
    return Calculation(signed.url, signed.base, redact_headers(signed.headers.items()))
