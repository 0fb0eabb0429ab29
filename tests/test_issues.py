"""Issues: how dead letters meet, what people say of them, and what they show."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from lib.access import Actor
from lib.clock import now
from lib.errors import InvalidInput, NotAllowed, NotFound
from lib.hub import Hub
from lib.models import AuditEntry, Delivery, Destination, EventKey, Issue
from lib.outgoing import issues, replays
from lib.outgoing.issues import DeadLetter, normalise, note_dead
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_delivery, make_destination, make_issue

REFUSED = "It refused the request with status 404. See its answer."


@pytest.fixture
def ada(hub: Hub) -> Actor:
    return make_user(hub)


@pytest.fixture
def place(hub: Hub, ada: Actor) -> Destination:
    return make_destination(hub, ada)


def _letter(place: Destination, message: str = REFUSED, **values: Any) -> DeadLetter:
    given = {
        "delivery_id": f"dlv_{message}",
        "user_id": place.user_id,
        "destination_id": place.id,
        "error_class": "http_4xx",
        "message": message,
    }
    return DeadLetter(**{**given, **values})


def _note(hub: Hub, *letters: DeadLetter, moment: Any = None) -> dict[str, str]:
    with hub.database.write() as session:
        return note_dead(session, letters, moment or now())


def _all(hub: Hub) -> list[Issue]:
    with hub.database.read() as session:
        return list(session.exec(select(Issue).order_by(Issue.id)).all())


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("The other side failed with status 500.", "The other side failed with status 500."),
        ("Error 21610: +1 (415) 555-0123 opted out", "Error 21610: <phone> opted out"),
        ("No contact ve9EPM428h8vShlRW1KT4", "No contact <id>"),
        ("No contact 5f3a9c1b2d4e", "No contact <id>"),
        ("evt_0192f3a4b5c67d8e is late", "<id> is late"),
        ("SM" + "0a" * 16 + " is unknown", "<id> is unknown"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id <id>"),
        ("Grace.Hopper+x@example.org bounced", "<email> bounced"),
        ("took 12.5 s of 30 s", "took <number> s of <number> s"),
        ("at 2026-01-31T12:00:00.123Z and 2026-01-31", "at <time> and <time>"),
        ("field 'first name' and \"Grace\" are missing", "field <value> and <value> are missing"),
        ("see https://example.org/a/1?x=2 there", "see <url> there"),
        ("can't reach 10.0.0.1:443", "can't reach <number>"),
        ("two\nlines\x00 ", "two lines"),
        ("", ""),
    ],
)
def test_ids_numbers_and_names_are_taken_out(message: str, expected: str) -> None:
    assert normalise(message) == expected


def test_a_long_message_is_cut_in_no_time() -> None:
    for filler in ("a", "a-", '"', "1 ", "a@", "+1 ", "é"):
        assert len(normalise(filler * 100_000)) <= 300


def test_equal_causes_meet_and_others_do_not(hub: Hub, ada: Actor, place: Destination) -> None:
    other = make_destination(hub, ada, "Books")
    found = _note(
        hub,
        _letter(place, "No contact 1", delivery_id="a"),
        _letter(place, "No contact 22", delivery_id="b"),
        _letter(place, "No contact 1", delivery_id="c", error_class="http_5xx"),
        _letter(other, "No contact 1", delivery_id="d"),
        _letter(place, "It refused the request with status 401.", delivery_id="e"),
        _letter(place, "It refused the request with status 422.", delivery_id="f"),
    )
    assert found["a"] == found["b"]
    assert len(set(found.values())) == 5
    assert {issue.id: issue.count for issue in _all(hub)}[found["a"]] == 2


def test_a_second_time_adds_to_the_count(hub: Hub, place: Destination) -> None:
    first = now() - timedelta(hours=1)
    later = now()
    once = _note(hub, _letter(place), moment=first)
    again = _note(hub, _letter(place), _letter(place, delivery_id="other"), moment=later)
    # A worker that was held up comes last with an earlier moment.
    _note(hub, _letter(place), moment=first)
    (issue,) = _all(hub)
    assert set(once.values()) == set(again.values()) == {issue.id}
    assert (issue.count, issue.first_seen_at, issue.last_seen_at) == (4, first, later)


@pytest.mark.parametrize(
    ("act", "state"),
    [
        (issues.resolve, "open"),
        (issues.acknowledge, "acknowledged"),
        (issues.ignore, "ignored"),
        (issues.reopen, "open"),
    ],
)
def test_a_new_dead_letter_opens_only_what_was_resolved(
    hub: Hub, ada: Actor, place: Destination, act: Any, state: str
) -> None:
    _note(hub, _letter(place))
    (issue,) = _all(hub)
    act(hub, ada, issue.id, note="Asked them.")
    _note(hub, _letter(place))
    (issue,) = _all(hub)
    assert (issue.state, issue.note, issue.count) == (state, "Asked them.", 2)


def test_a_rolled_back_settlement_leaves_no_issue(hub: Hub, place: Destination) -> None:
    def settle() -> None:
        with hub.database.write() as session:
            note_dead(session, [_letter(place)], now())
            raise OSError("power")

    with pytest.raises(OSError, match="power"):
        settle()
    assert _all(hub) == []


def test_many_causes_go_in_batches(hub: Hub, place: Destination) -> None:
    words = [f"cause {'x' * (number % 290)}{'y' * (number // 290)}" for number in range(450)]
    found = _note(hub, *(_letter(place, word) for word in words))
    assert len(found) == len(_all(hub)) == 450
    assert _note(hub) == {}


def test_workers_that_note_the_same_causes_do_not_wait_for_each_other(
    hub: Hub, place: Destination
) -> None:
    letters = [_letter(place, f"cause {'z' * number}") for number in range(20)]
    failed: list[BaseException] = []

    def work(order: list[DeadLetter]) -> None:
        try:
            for _ in range(5):
                _note(hub, *order)
        except BaseException as error:  # noqa: BLE001  # handed to the test's thread
            failed.append(error)

    threads = [threading.Thread(target=work, args=(order,)) for order in (letters, letters[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {issue.count for issue in _all(hub)} == {10}


def test_the_list_is_by_last_seen_and_paged_by_key(
    hub: Hub, ada: Actor, place: Destination
) -> None:
    moment = now()
    words = ["cause a", "cause b", "cause c", "cause d"]
    for number, word in enumerate(words):
        _note(hub, _letter(place, word), moment=moment - timedelta(hours=number // 2))
    _note(hub, _letter(place, "cause d"), moment=moment + timedelta(hours=1))
    seen: list[str] = []
    cursor = None
    for _ in words:
        page = issues.list_issues(hub, ada, cursor=cursor, limit=1)
        seen += [row.message for row in page.rows]
        cursor = page.next_cursor
    assert cursor is None
    assert seen == ["cause d", "cause b", "cause a", "cause c"]


def test_the_state_narrows_the_list(hub: Hub, ada: Actor, place: Destination) -> None:
    _note(hub, _letter(place, "cause a"), _letter(place, "cause b"))
    first = issues.list_issues(hub, ada).rows[0]
    issues.resolve(hub, ada, first.id)
    assert [row.id for row in issues.list_issues(hub, ada, state="resolved").rows] == [first.id]
    assert len(issues.list_issues(hub, ada, state="open").rows) == 1
    assert issues.count_open(hub, ada) == 1
    with pytest.raises(InvalidInput, match="ignored"):
        issues.list_issues(hub, ada, state="gone")
    with pytest.raises(InvalidInput, match="cursor"):
        issues.list_issues(hub, ada, cursor="yesterday")


def test_one_issue_in_full(hub: Hub, ada: Actor, place: Destination) -> None:
    item = make_integration(hub, ada)
    hour = now().replace(minute=0, second=0, microsecond=0)
    dead: list[Delivery] = []
    for number in range(3):
        event_id = make_event(hub, item)
        with hub.database.write() as session:
            session.add(EventKey(event_id=event_id, kind="phone", value=f"+1415555010{number}"))
        ended = hour - timedelta(hours=number // 2)
        dead.append(make_delivery(hub, event_id, place, status="dead", finished_at=ended))
    issue_id = make_issue(hub, *dead)
    shown = issues.get_issue(hub, ada, issue_id)
    assert (shown.row.count, shown.row.destination_name) == (3, "Warehouse")
    assert [row.id for row in shown.sample] == [row.id for row in dead[::-1]]
    assert shown.hourly == ((hour - timedelta(hours=1), 1), (hour, 2))
    # The number that all three share, and one each.
    assert shown.contacts == 4


def test_all_that_died_of_an_issue_are_replayed(hub: Hub, ada: Actor, place: Destination) -> None:
    event_id = make_event(hub, make_integration(hub, ada))
    dead = [make_delivery(hub, event_id, place, status="dead") for _ in range(2)]
    issue_id = make_issue(hub, *dead)
    make_issue(hub, make_delivery(hub, event_id, place, status="dead"), message="something else")
    seen = replays.dry_run(hub, ada, issues.get_issue(hub, ada, issue_id).affected)
    assert seen.count == 2
    replays.start(hub, ada, seen)
    assert replays.work_replays(hub) == 2
    with hub.database.read() as session:
        made = select(Delivery.origin_id).where(col(Delivery.replay_id).is_not(None))
        origins = session.exec(made).all()
    assert sorted(str(origin) for origin in origins) == [row.id for row in dead]


def test_what_people_say_is_on_record(hub: Hub, ada: Actor, place: Destination) -> None:
    _note(hub, _letter(place))
    (issue,) = _all(hub)
    assert issues.acknowledge(hub, ada, issue.id, note=" Asked them. ").note == "Asked them."
    assert issues.write_note(hub, ada, issue.id, "They mend it.").state == "acknowledged"
    assert issues.ignore(hub, ada, issue.id).note == "They mend it."
    with pytest.raises(InvalidInput, match=r"1,000 characters"):
        issues.write_note(hub, ada, issue.id, "x" * 1_001)
    with hub.database.read() as session:
        entries = session.exec(select(AuditEntry.action).where(AuditEntry.object_id == issue.id))
        assert sorted(entries) == ["issue.acknowledged", "issue.ignored", "issue.noted"]


def test_issues_of_others_are_not_found_and_analysts_are_refused(
    hub: Hub, ada: Actor, place: Destination
) -> None:
    _note(hub, _letter(place))
    (issue,) = _all(hub)
    bob = make_user(hub, "bob@example.com")
    analyst = make_user(hub, "ana@example.com", "analyst")
    with pytest.raises(NotFound):
        issues.resolve(hub, bob, issue.id)
    with pytest.raises(NotAllowed):
        issues.list_issues(hub, analyst)
    with pytest.raises(NotAllowed):
        issues.count_open(hub, analyst)
    assert _all(hub)[0].state == "open"
