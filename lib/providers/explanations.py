"""What a vendor's error code means: its cause in plain words, who must act, and what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

# Who has to do something: the hub's own users, the contact, the contact's carrier, the vendor.
Who = Literal["you", "contact", "carrier", "provider", "nobody"]
_LONGEST_CODE = 40


@dataclass(frozen=True)
class Explanation:
    """One code of a vendor. `title` is a few words, `cause` and `step` are sentences."""

    code: str
    title: str
    cause: str
    who: Who
    step: str
    link: str

    @property
    def sentence(self) -> str:
        """The cause and the next step with its source, for where there is room for one text."""
        return f"{self.cause} {self.step} ({self.code}: {self.link})"


def by_code(entries: Iterable[Explanation]) -> dict[str, Explanation]:
    """Return the entries by their code."""
    return {entry.code: entry for entry in entries}


def find_code(known: Mapping[str, Explanation], code: object) -> Explanation | None:
    """Return the entry of a code as it stands in an answer: a number or a text."""
    text = str(code).strip()
    return known.get(text) if len(text) <= _LONGEST_CODE else None
