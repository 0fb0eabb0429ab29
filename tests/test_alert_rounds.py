"""A round of looking holds up nobody, is made by one worker, and removes what is long over."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import select

from lib.access import Actor
from lib.alerts import pruning, reading, silence
from lib.alerts.detection import SLOW_TURN, TURN, Detection
from lib.alerts.reading import AlertFilters
from lib.alerts.turns import take_turn
from lib.clock import now, shifted
from lib.connections.integrations import Integration
from lib.database import Database
from lib.hub import Hub
from lib.ids import new_id
from lib.models import (
    Alert,
    AlertChannel,
    AlertMessage,
    DestinationState,
    HourlyRollup,
    HubFact,
    IntegrationConfig,
)
from tests.event_factories import make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_destination
from tests.statement_plans import statements_of

HOUR = timedelta(hours=1)
HISTORY_HOURS = 24 * 7 * 5


@pytest.fixture
def ada(hub: Hub) -> Actor:
    return make_user(hub)


def _add_history(hub: Hub, item: Integration, types: int = 2) -> None:
    """Count ten events of each type in each hour of five weeks, until six hours ago."""
    moment = now().replace(minute=0, second=0, microsecond=0)
    with hub.database.write() as session:
        row = session.get_one(IntegrationConfig, item.id)
        row.created_at = moment - timedelta(weeks=6)
        session.add_all(
            HourlyRollup(
                hour=moment - hours * HOUR,
                integration_id=item.id,
                event_type=f"type.{number}",
                outcome="received",
                user_id=item.user_id,
                service_name=item.service_name,
                count=10,
            )
            for hours in range(6, HISTORY_HOURS)
            for number in range(types)
        )


def _break(hub: Hub, ada: Actor) -> None:
    place = make_destination(hub, ada)
    with hub.database.write() as session:
        session.get_one(DestinationState, place.id).breaker = "open"


def _alerts(hub: Hub) -> list[Alert]:
    with hub.database.read() as session:
        return list(session.exec(select(Alert).order_by(Alert.id)).all())


def test_others_write_while_a_round_learns(hub: Hub, ada: Actor) -> None:
    _add_history(hub, make_integration(hub, ada))
    other = Database(hub.database.url.render_as_string(hide_password=False))
    if other.is_sqlite:
        with other.read() as session:
            # It would wait for a lock that is held, and then pass all the same.
            session.connection().exec_driver_sql("PRAGMA busy_timeout=0")
    written = []

    def write(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        if text.startswith("SELECT") and "FROM hourly_rollups" in text:
            with other.write() as session:
                name = f"meanwhile {len(written)}"
                session.add(HubFact(name=name, value=""))
                written.append(name)

    event.listen(hub.database.engine, "after_cursor_execute", write)
    try:
        Detection(hub).look()
    finally:
        event.remove(hub.database.engine, "after_cursor_execute", write)
        other.close()
    assert len(written) >= 2
    assert [each.kind for each in _alerts(hub)] == ["integration_silent"]


def test_a_long_history_is_learned_in_slices_to_the_same_end(
    hub: Hub, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add_history(hub, make_integration(hub, ada), types=3)
    Detection(hub).look()
    (whole,) = _alerts(hub)
    with hub.database.write() as session:
        session.delete(session.get_one(Alert, whole.id))
        for name in (TURN, SLOW_TURN):
            session.delete(session.get_one(HubFact, name))
    monkeypatch.setattr(silence, "ROWS_A_SLICE", 100)
    monkeypatch.setattr(silence, "PAIRS_A_SLICE", 1)
    detection, most = Detection(hub), 0
    steps = 0
    goes_on = True
    while goes_on:
        with statements_of(hub) as seen:
            goes_on = detection.step()
        steps += 1
        most = max(most, sum("hourly_rollups" in text for text, _ in seen))
    assert most == 1
    assert steps > 3 * (HISTORY_HOURS - 6) // 100
    (sliced,) = _alerts(hub)
    assert sliced.message == whole.message


def test_a_quiet_round_writes_its_turn_alone(hub: Hub, ada: Actor) -> None:
    _break(hub, ada)
    detection = Detection(hub)
    detection.look()
    written: list[str] = []

    def note(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        if text.startswith(("INSERT", "UPDATE", "DELETE")):
            written.append(text)

    event.listen(hub.database.engine, "before_cursor_execute", note)
    try:
        with shifted(timedelta(seconds=20)):
            assert detection.look() == 0
    finally:
        event.remove(hub.database.engine, "before_cursor_execute", note)
    assert all("hub_facts" in text for text in written), written


def test_a_worker_that_was_overtaken_writes_nothing(hub: Hub, ada: Actor) -> None:
    _break(hub, ada)
    slow = Detection(hub)
    while not _has_fact(hub, TURN):
        assert slow.step()
    with shifted(timedelta(seconds=30)):
        assert take_turn(hub.database, TURN, timedelta(seconds=9), moment=now())
    while slow.step():
        pass
    assert _alerts(hub) == []


def _has_fact(hub: Hub, name: str) -> bool:
    with hub.database.read() as session:
        return session.get(HubFact, name) is not None


def test_a_round_that_fails_begins_anew(hub: Hub, ada: Actor, monkeypatch: Any) -> None:
    _break(hub, ada)
    detection = Detection(hub)
    assert detection.step()
    with monkeypatch.context() as patched:
        patched.setattr(hub.database, "read", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            detection.step()
    with shifted(timedelta(seconds=30)):
        while detection.step():
            pass
    assert [each.kind for each in _alerts(hub)] == ["breaker_open"]


def test_what_is_long_over_goes_in_batches(
    hub: Hub, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    kept, old = timedelta(days=89), timedelta(days=91)
    with hub.database.write() as session:
        session.add(_make_channel(ada))
        session.flush()
        for number in range(5):
            session.add(_make_alert(ada, f"old {number}", old))
            session.add(_make_message(old))
        session.add(_make_alert(ada, "kept", kept))
        session.add(_make_alert(ada, "open", None))
        session.add(_make_message(kept))
    with statements_of(hub) as seen:
        Detection(hub).look()
    assert {each.title for each in _alerts(hub)} == {"kept", "open"}
    with hub.database.read() as session:
        assert len(session.exec(select(AlertMessage)).all()) == 1
    assert sum("FROM alert_messages" in text for text, _ in seen) >= 3


def _make_channel(owner: Actor) -> AlertChannel:
    return AlertChannel(
        id="alc_1",
        user_id=owner.id,
        name="Mail",
        kind="email",
        config_data={"address": owner.email},
        credentials={},
        alert_kinds=["*"],
        is_active=True,
        created_at=now(),
        updated_at=now(),
    )


def _make_alert(owner: Actor, title: str, age: timedelta | None) -> Alert:
    """Return an alert that was resolved so long ago, or is open and of a kind that is gone."""
    return Alert(
        id=new_id("alr"),
        user_id=owner.id,
        kind="former_kind",
        object_id=title,
        state="resolved" if age else "open",
        title=title,
        message="",
        path="alerts",
        count=1,
        first_seen_at=now() - timedelta(days=200),
        last_seen_at=now() - timedelta(days=200),
        resolved_at=now() - age if age else None,
    )


def _make_message(age: timedelta) -> AlertMessage:
    with shifted(-age):
        return AlertMessage(
            id=new_id("alm"),
            channel_id="alc_1",
            alert_ids=[],
            status="sent",
            attempts=1,
            created_at=now(),
            sent_at=now(),
        )


def test_the_bell_the_list_and_the_round_use_their_indexes(hub: Hub, ada: Actor) -> None:
    staff = make_user(hub, "sam@example.com", "staff")
    with hub.database.write() as session:
        for number in range(400):
            owner = ada if number % 20 == 0 else staff
            age = timedelta(days=1) if number % 50 else None
            session.add(_make_alert(owner, f"{number}", age))
        session.add(_make_channel(ada))
    _analyze(hub)
    reads = {
        "ix_alerts_open": lambda: reading.count_open(hub, staff),
        "ix_alerts_first_seen_at_id": lambda: reading.list_alerts(hub, staff, AlertFilters()),
        "ix_alerts_user_id_first_seen_at_id": lambda: reading.list_alerts(hub, ada, AlertFilters()),
        "ix_alerts_resolved_at": lambda: list(pruning.prune(hub.database)),
    }
    for index, read in reads.items():
        with statements_of(hub) as seen:
            read()
        plans = [_plan(hub, text, given) for text, given in seen if "FROM alerts" in text]
        assert any(index in plan for plan in plans), (index, plans)
        assert not any("SCAN alerts\n" in plan or "Seq Scan on alerts" in plan for plan in plans)


def _analyze(hub: Hub) -> None:
    with hub.database.write() as session:
        session.connection().exec_driver_sql("ANALYZE")


def _plan(hub: Hub, text: str, parameters: Any) -> str:
    is_sqlite = hub.database.is_sqlite
    with hub.database.read() as session:
        connection = session.connection()
        if not is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
            connection.exec_driver_sql("SET LOCAL enable_sort = off")
        explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
        rows = connection.exec_driver_sql(explain + text, parameters).all()
    return "".join(f"{row[3] if is_sqlite else row[0]}\n" for row in rows)
