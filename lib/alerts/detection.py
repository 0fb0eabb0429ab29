"""The rounds of looking: conditions are compared with the alerts that are open.

A round goes in slices, each a short read or a short write: what is looked at takes no lock, and
in the worker, deliveries come in between. However many workers there are, one makes a round, so
a condition opens one alert and is told once.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from lib.alerts.comparison import plan, write_change
from lib.alerts.conditions import FINDERS
from lib.alerts.expirations import KIND as EXPIRING
from lib.alerts.expirations import expiring
from lib.alerts.grouping import announce
from lib.alerts.kind_mutes import tell_unmuted
from lib.alerts.kinds import Condition
from lib.alerts.pruning import prune
from lib.alerts.silence import KIND as SILENT
from lib.alerts.silence import SilenceWatch
from lib.alerts.turns import Turn, take_turn
from lib.clock import now
from lib.hub import Hub

LOOK_SECONDS = 10.0
PAUSE_SECONDS = 0.01
TURN, SLOW_TURN = "alert_round", "alert_slow_round"
_EVERY = timedelta(seconds=LOOK_SECONDS - 1)
_SLOWLY = timedelta(minutes=1)
_CHANGES_A_SLICE = 50

Find = Callable[[Session, datetime], Sequence[Condition]]


class Detection:
    """The rounds of one worker; what it learned of rhythms stays with it."""

    def __init__(self, hub: Hub) -> None:
        self._database = hub.database
        self._silence = SilenceWatch()
        self._slow_at: datetime | None = None
        self._slices: Iterator[int] | None = None

    def step(self) -> bool:
        """Do one slice of a round; say whether the round goes on.

        Wait PAUSE_SECONDS before the next call after True, LOOK_SECONDS after False. A slice
        that raises ends its round.
        """
        slices, self._slices = self._slices or self._round(), None
        if next(slices, None) is None:
            return False
        self._slices = slices
        return True

    def look(self) -> int:
        """Make a whole round unless another worker just did; return how many alerts changed."""
        return sum(self._round())

    def _round(self) -> Iterator[int]:
        """Yield after each slice how many alerts changed in it."""
        moment = now()
        turn = take_turn(self._database, TURN, _EVERY, moment=moment)
        if turn is not None:
            for kind, find in FINDERS.items():
                yield from self._compare(turn, kind, find)
            yield tell_unmuted(self._database, moment)
        if self._slow_at is None or moment - self._slow_at >= _SLOWLY:
            self._slow_at = moment
            yield from self._look_slowly()

    def _look_slowly(self) -> Iterator[int]:
        yield from self._silence.learn(self._database, now())
        moment = now()
        turn = take_turn(self._database, SLOW_TURN, _SLOWLY - timedelta(seconds=1), moment=moment)
        if turn is None:
            return
        yield from self._compare(turn, EXPIRING, expiring)
        silent = yield from self._silence.find(self._database, moment)
        yield from self._compare(turn, SILENT, silent.conditions, users=silent.users)
        yield from prune(self._database)

    def _compare(
        self, turn: Turn, kind: str, find: Find, *, users: set[str] | None = None
    ) -> Iterator[int]:
        """Open, touch and resolve alerts of one kind, and put what is news on messages."""
        moment = turn.moment
        with self._database.read() as session:
            found = find(session, moment)
            changes = plan(session, {kind}, found, moment=moment, users=users)
        yield 0
        for first in range(0, len(changes), _CHANGES_A_SLICE):
            with self._database.write() as session:
                if not turn.is_held(session):
                    return
                some = changes[first : first + _CHANGES_A_SLICE]
                written = [write_change(session, each, moment) for each in some]
                news = [alert for alert in written if alert is not None]
                announce(session, news, moment)
            yield len(news)
