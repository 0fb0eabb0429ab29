"""Ids are opaque and sort by the time they were made."""

import re
import uuid

from lib.ids import new_id


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
