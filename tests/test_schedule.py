"""When a failed attempt is made again."""

from datetime import UTC, datetime, timedelta

import pytest

from lib.outgoing.schedule import DELAYS, MOST_ATTEMPTS, asked_wait, next_attempt_at

MOMENT = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


@pytest.mark.parametrize("attempts", range(1, MOST_ATTEMPTS))
def test_waits_grow_by_the_schedule_with_a_fifth_of_jitter(attempts: int) -> None:
    waits = {next_attempt_at(attempts, MOMENT, None) for _ in range(50)}
    seconds = [(at - MOMENT).total_seconds() for at in waits if at]
    assert len(seconds) > 10, "deliveries that failed together do not return together"
    assert DELAYS[attempts - 1] * 0.8 <= min(seconds) <= max(seconds) <= DELAYS[attempts - 1] * 1.2


def test_nothing_follows_the_last_attempt() -> None:
    assert next_attempt_at(MOST_ATTEMPTS, MOMENT, DAY) is None


def test_the_longer_of_schedule_and_request_counts() -> None:
    assert next_attempt_at(1, MOMENT, timedelta(minutes=3)) == MOMENT + timedelta(minutes=3)
    sooner = next_attempt_at(3, MOMENT, timedelta(seconds=1))
    assert sooner is not None
    assert sooner - MOMENT >= timedelta(seconds=96)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("120", timedelta(seconds=120)),
        (" 7 ", timedelta(seconds=7)),
        ("0", timedelta(0)),
        ("86400", DAY),
        ("86401", DAY),
        ("9" * 400, DAY),
        ("Wed, 25 Nov 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Wed, 25 Nov 2026 12:00:30 -0000", timedelta(seconds=30)),
        ("Wed, 25 Nov 2020 12:00:30 GMT", timedelta(0)),
        ("Wed, 25 Nov 2099 12:00:30 GMT", DAY),
        ("1 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Wed, 25 Nov 2026 12:00:30 +9999999999", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", DAY),
        ("Mon, 01 Jan 0001 00:00:00 +2359", timedelta(0)),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(stated: str, expected: timedelta | None) -> None:
    assert asked_wait({"retry-after": stated}, MOMENT) == expected


def test_no_header_asks_nothing() -> None:
    assert asked_wait({}, MOMENT) is None
