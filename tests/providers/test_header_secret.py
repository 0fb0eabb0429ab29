"""The keys of senders that give no event id: one body in one minute is one event."""

from datetime import UTC, datetime, timedelta

import pytest

from lib.clock import shifted
from lib.providers.header_secret import windowed_key


@pytest.fixture
def until_the_minute_begins() -> timedelta:
    moment = datetime.now(UTC)
    return timedelta(minutes=1) - timedelta(seconds=moment.second, microseconds=moment.microsecond)


def test_equal_bodies_of_one_minute_share_a_key(until_the_minute_begins: timedelta) -> None:
    with shifted(until_the_minute_begins):
        first = windowed_key(b"a")
        other = windowed_key(b"b")
    with shifted(until_the_minute_begins + timedelta(seconds=50)):
        assert windowed_key(b"a") == first
    with shifted(until_the_minute_begins + timedelta(minutes=1)):
        assert windowed_key(b"a") != first
    assert first != other
    assert first[:5] == other[:5], "keys of one minute lie side by side"
    assert len(first) == 24
