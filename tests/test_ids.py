"""Ids are opaque and sort by the time they were made."""

import re
import uuid
from datetime import timedelta

from lib.clock import now, shifted
from lib.ids import first_id, new_id


def test_ids_are_prefixed_version_7_uuids() -> None:
    prefix, _, hexadecimal = new_id("evt").partition("_")
    value = uuid.UUID(hexadecimal)
    assert prefix == "evt"
    assert re.fullmatch("[0-9a-f]{32}", hexadecimal)
    assert (value.version, value.variant) == (7, uuid.RFC_4122)


def test_ids_are_unique_and_follow_time() -> None:
    made = [new_id("evt") for _ in range(2000)]
    assert len(set(made)) == len(made)
    # Ids of the same fraction of a millisecond may change places; whole ones may not.
    assert [item[:16] for item in made] == sorted(item[:16] for item in made)


def test_a_bound_lies_between_ids_before_and_after_its_moment() -> None:
    with shifted(timedelta(milliseconds=-2)):
        before = new_id("evt")
    bound = first_id("evt", now())
    assert before < bound <= new_id("evt")
