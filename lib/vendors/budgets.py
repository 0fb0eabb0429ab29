"""Spending a vendor's rate limits: taken before each call, corrected by each answer.

One row per account holds it for all processes, members and tokens, for the vendor counts by
account too. It is locked only while a call is taken from it, never while one is under way.
"""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Unpack

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from lib.access import Actor
from lib.clock import now
from lib.connections import integrations
from lib.database import Database
from lib.errors import BudgetSpent
from lib.http import CallOptions, VendorAnswer, VendorClient
from lib.hub import Hub
from lib.models import IntegrationConfig, VendorBudget
from lib.providers.base import Provider
from lib.providers.budgets import Budget
from lib.providers.registry import get_provider

# How long a call waits for its turn before it is refused, and with it the thread that makes it.
WAIT_SECONDS = 5.0
# A window is counted in tenths, and a call counts for two more of them: it came somewhere
# within its own, and calls take different times to arrive.
_SLOTS, _KEPT_SLOTS = 10, 12
# Vendors do not say when their day ends: while it seems used up, one call at a time finds out.
_PROBE_AFTER = timedelta(minutes=10)
_DAY = timedelta(days=1)
_UNCOUNTED = (401, 403)
_TOO_MANY = 429


@dataclass(frozen=True)
class Gauge:
    """What an account has left: in the present burst, and of the day."""

    burst_remaining: int
    burst_limit: int
    burst_seconds: float
    daily_remaining: int
    daily_limit: int
    updated_at: datetime

    @property
    def share_left(self) -> float:
        """The smaller of what is left of the burst and of the day, from 0 to 1."""
        shares = (
            self.burst_remaining / max(self.burst_limit, 1),
            self.daily_remaining / max(self.daily_limit, 1),
        )
        return min(max(min(shares), 0.0), 1.0)


@dataclass(frozen=True)
class Purse:
    """The budget of one account at one vendor."""

    database: Database
    provider: Provider
    account: str
    budget: Budget

    def take(self) -> str:
        """Take one call, waiting some seconds for it, and return its slot; raise BudgetSpent."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            with self._locked() as row:
                free_at = _free_at(row, self.budget)
                if free_at is None:
                    moment = now()
                    slot = str(_slot(moment, self.budget))
                    _spend(row, slot, 1)
                    row.daily_remaining, row.updated_at = row.daily_remaining - 1, moment
                    return slot
            wait = (free_at - now()).total_seconds()
            if time.monotonic() + wait > deadline:
                raise self._refusal(wait)
            # Those who wait for the same moment do not all ask at it.
            time.sleep(max(wait, 0) + random.uniform(0, self._slot_seconds))  # noqa: S311

    def learn(self, answer: VendorAnswer, taken: str) -> None:
        """Correct the row by what the answer to a call says; `taken` is the slot of the call."""
        readings = self.budget.read(answer.headers)
        with self._locked() as row:
            moment = row.updated_at = now()
            slot = str(_slot(moment, self.budget))
            row.burst_limit = readings.burst_limit or row.burst_limit
            row.daily_limit = readings.daily_limit or row.daily_limit
            left = _left(row, self.budget)
            if readings.burst_remaining is not None:
                # Another system of the account spends too.
                _spend(row, slot, max(left - readings.burst_remaining, 0))
            elif answer.status == _TOO_MANY:
                _spend(row, slot, max(left, 0))
            elif answer.status in _UNCOUNTED and row.spent.get(taken):
                # A stranger's bad token must not use up the account's calls.
                _spend(row, taken, -1)
                row.daily_remaining += 1
            if readings.daily_remaining is not None:
                row.daily_remaining = _reconcile(row, readings.daily_remaining)

    @property
    def _slot_seconds(self) -> float:
        return self.budget.burst_seconds / _SLOTS

    @contextmanager
    def _locked(self) -> Iterator[VendorBudget]:
        """Yield the row, without what is over, and store it."""
        moment = now()
        with self.database.write() as session:
            row = self._row(session, moment)
            slot = _slot(moment, self.budget)
            row.spent = {
                name: count
                for name, count in row.spent.items()
                if count and abs(slot - int(name)) < _KEPT_SLOTS
            }
            if moment >= row.day_ends_at:
                row.daily_remaining, row.day_ends_at = row.daily_limit, _midnight(moment)
            yield row

    def _row(self, session: Session, moment: datetime) -> VendorBudget:
        insert = sqlite.insert if self.database.is_sqlite else postgresql.insert
        session.execute(
            insert(VendorBudget)
            .values(
                service_name=self.provider.slug,
                account=self.account,
                burst_limit=self.budget.burst,
                spent={},
                daily_limit=self.budget.daily,
                daily_remaining=self.budget.daily,
                day_ends_at=_midnight(moment),
                updated_at=moment,
            )
            .on_conflict_do_nothing()
        )
        key = (self.provider.slug, self.account)
        return session.get_one(VendorBudget, key, with_for_update=True)

    def _refusal(self, wait: float) -> BudgetSpent:
        seconds = max(ceil(wait), 1)
        return BudgetSpent(
            f"{self.provider.label} takes no more calls for this account just now. Nothing was "
            f"sent; try again in {seconds} seconds.",
            retry_after_seconds=seconds,
        )


@dataclass
class PacedClient(VendorClient):
    """A client that takes each call from a budget, and learns from each answer."""

    purse: Purse | None = field(default=None, repr=False)

    def request(self, method: str, url: str, **options: Unpack[CallOptions]) -> VendorAnswer:
        """Send one request in its turn; raises BudgetSpent when that is too far off."""
        if self.purse is None:
            return super().request(method, url, **options)
        taken = self.purse.take()
        answer = super().request(method, url, **options)
        # The call is done: its answer must not be lost with what it would have taught.
        with suppress(SQLAlchemyError):
            self.purse.learn(answer, taken)
        return answer


def open_client(hub: Hub, row: IntegrationConfig) -> VendorClient:
    """Return the client for calls on behalf of a connection, paced where its vendor counts."""
    networks, vouched = hub.settings.allowed_private_networks, hub.settings.vendor_api_urls
    provider = get_provider(row.service_name)
    if provider.budget is None or row.account_key is None:
        return VendorClient(networks, vouched)
    purse = Purse(hub.database, provider, row.account_key, provider.budget)
    return PacedClient(networks, vouched, purse=purse)


def find_gauge(hub: Hub, actor: Actor, integration_id: str) -> Gauge | None:
    """Return what a connection's account has left, once a call told; raise NotFound."""
    item = integrations.get(hub, actor, integration_id)
    with hub.database.read() as session:
        return read_gauges(session, [item.id]).get(item.id)


def read_gauges(session: Session, integration_ids: Sequence[str]) -> dict[str, Gauge]:
    """Return by connection what its account has left.

    One that was not verified shows nothing: who merely names an account learns nothing of it.
    """
    found = session.exec(
        select(IntegrationConfig.id, VendorBudget)
        .where(col(IntegrationConfig.id).in_(integration_ids))
        .where(col(IntegrationConfig.status) == "verified")
        .where(col(VendorBudget.service_name) == col(IntegrationConfig.service_name))
        .where(col(VendorBudget.account) == col(IntegrationConfig.account_key))
    )
    return {name: gauge for name, row in found if (gauge := _gauge(row)) is not None}


def _gauge(row: VendorBudget) -> Gauge | None:
    budget = get_provider(row.service_name).budget
    if budget is None:
        return None
    is_over = now() >= row.day_ends_at
    return Gauge(
        burst_remaining=max(_left(row, budget), 0),
        burst_limit=row.burst_limit,
        burst_seconds=budget.burst_seconds,
        daily_remaining=row.daily_limit if is_over else max(row.daily_remaining, 0),
        daily_limit=row.daily_limit,
        updated_at=row.updated_at,
    )


def _free_at(row: VendorBudget, budget: Budget) -> datetime | None:
    """Return when the next call may be taken, or None when it may now."""
    moment = now()
    if row.daily_remaining <= 0:
        probe_at = row.updated_at + _PROBE_AFTER
        if moment < probe_at:
            return min(probe_at, row.day_ends_at)
    if _left(row, budget) > 0:
        return None
    oldest = min(int(name) for name in row.spent)
    seconds = (oldest + _KEPT_SLOTS) * budget.burst_seconds / _SLOTS
    return max(datetime.fromtimestamp(seconds, moment.tzinfo), moment)


def _left(row: VendorBudget, budget: Budget) -> int:
    slot = _slot(now(), budget)
    kept = (count for name, count in row.spent.items() if abs(slot - int(name)) < _KEPT_SLOTS)
    return row.burst_limit - sum(kept)


def _spend(row: VendorBudget, slot: str, count: int) -> None:
    row.spent = {**row.spent, slot: row.spent.get(slot, 0) + count}


def _reconcile(row: VendorBudget, stated: int) -> int:
    """Return what is left of the day: the vendor's count, less what may be under way."""
    if stated <= row.daily_remaining:
        return stated
    # More than calls under way explain: the vendor's day has begun anew.
    is_new_day = stated - row.daily_remaining > row.burst_limit
    return stated - row.burst_limit if is_new_day else row.daily_remaining


def _slot(moment: datetime, budget: Budget) -> int:
    return int(moment.timestamp() / (budget.burst_seconds / _SLOTS))


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
