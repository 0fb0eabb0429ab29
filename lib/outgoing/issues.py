"""placeholder"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session


@dataclass(frozen=True)
class DeadLetter:
    delivery_id: str
    user_id: str
    destination_id: str
    error_class: str
    message: str


def note_dead(session: Session, dead: Sequence[DeadLetter], moment: datetime) -> dict[str, str]:
    return {}
