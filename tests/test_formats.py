"""How moments and statuses are written."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import get_args

import pytest
import streamlit as st

from lib.events.conditions import DERIVED, STORED
from lib.outgoing import destination_figures, issues
from lib.outgoing.delivery_filters import STATUSES
from lib.overview import State
from lib.ui.formats import absolute
from lib.ui.status_words import chip, labels_of, status_of

MOMENT = datetime(2026, 7, 1, 22, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("Europe/Berlin", "2026-07-02 00:30:05 CEST"),
        ("America/Sao_Paulo", "2026-07-01 19:30:05 UTC-03"),
        ("Nowhere/Atlantis", "2026-07-01 22:30:05 UTC"),
        ("../secret", "2026-07-01 22:30:05 UTC"),
        (None, "2026-07-01 22:30:05 UTC"),
    ],
)
def test_a_moment_is_written_in_the_viewers_zone(
    monkeypatch: pytest.MonkeyPatch, zone: str | None, written: str
) -> None:
    monkeypatch.setattr(st, "context", SimpleNamespace(timezone=zone))
    assert absolute(MOMENT) == written


def test_every_status_of_the_hub_has_a_word_of_its_own() -> None:
    places = {"breaker_open" if name == "open" else name for name in _destination_states()}
    known = {*STORED, *DERIVED, *STATUSES, *get_args(State), *issues.STATES, *places}
    assert [name for name in sorted(known) if status_of(name).label == name] == []


def test_one_word_has_one_colour() -> None:
    names = {*STORED, *DERIVED, *STATUSES, *get_args(State), *issues.STATES}
    colours: dict[str, set[str]] = {}
    for name, label in labels_of(names).items():
        colours.setdefault(label, set()).add(status_of(name).colour)
    assert [label for label, found in colours.items() if len(found) > 1] == []


def test_an_unknown_status_keeps_its_name_in_grey() -> None:
    assert chip("new_one") == ":gray-badge[new_one]"


def _destination_states() -> tuple[str, ...]:
    return get_args(destination_figures.State)
