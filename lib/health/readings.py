"""What one look at a part of the hub found: values alone."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "bad"]


@dataclass(frozen=True)
class Reading:
    """One line of the report; `next_step` is empty exactly where all is well.

    `group` is the heading it stands under, `text` what was measured.
    """

    group: str
    subject: str
    state: State
    text: str
    next_step: str = ""


def graded(value: float, *, warn: float, bad: float) -> State:
    """Return the state of a figure that is the worse the larger it is."""
    if value >= bad:
        return "bad"
    return "warn" if value >= warn else "ok"
