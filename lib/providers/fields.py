"""The values that a member enters for a connection or a destination, and how they are checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.errors import InvalidInput

Values = Mapping[str, str]


@dataclass(frozen=True)
class CredentialField:
    """One value that a member enters.

    A secret is sealed on save and never shown again; `rotate_days` is how often its vendor
    advises to replace it. `is_checked` tells whether the connection's check tries it, and
    `partner` names the value that changes along with it. `pattern` is matched against the whole
    value; `pattern_help` says in words what it asks for.
    """

    name: str
    label: str
    help: str
    is_secret: bool = False
    is_required: bool = False
    pattern: str = r".{1,500}"
    pattern_help: str = "Enter at most 500 characters on one line."
    placeholder: str = ""
    rotate_days: int | None = None
    is_checked: bool = False
    partner: str = ""
    # Whether it takes more than one line.
    is_long: bool = False


def clean_values(owner: str, fields: Sequence[CredentialField], values: Values) -> dict[str, str]:
    """Return the cleaned values without blank ones; raise InvalidInput(field).

    `owner` names what the fields belong to, for the message about an unknown one.
    """
    known = {item.name: item for item in fields}
    for name in values:
        if name not in known:
            raise InvalidInput(
                f"{owner} has no field {name}. Use one of: {', '.join(known)}.", field=name
            )
    return {
        item.name: cleaned
        for item in fields
        if (cleaned := _clean(item, values.get(item.name, ""))) is not None
    }


def find_problems(fields: Sequence[CredentialField], values: Values) -> dict[str, str]:
    """Return what is wrong with each bad value, by its field; empty when all are right."""
    problems = {}
    for item in fields:
        try:
            _clean(item, values.get(item.name, ""))
        except InvalidInput as error:
            problems[item.name] = error.message
    return problems


def _clean(item: CredentialField, raw: str) -> str | None:
    value = raw.strip()
    if not value:
        if item.is_required:
            raise InvalidInput(f"{item.label} is missing. {item.help}", field=item.name)
        return None
    if not re.fullmatch(item.pattern, value, re.ASCII if item.pattern.isascii() else 0):
        raise InvalidInput(f"{item.label} is not right. {item.pattern_help}", field=item.name)
    return value
