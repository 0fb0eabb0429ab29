"""Facts about the installation itself."""

from datetime import datetime

from sqlmodel import Field

from lib.models.registry import Base


class HubFact(Base, table=True):
    """A named value: the key canary, the revision of the integrations."""

    __tablename__ = "hub_facts"

    name: str = Field(primary_key=True)
    value: str


class WorkerHeartbeat(Base, table=True):
    """A sign of life of one worker process."""

    __tablename__ = "worker_heartbeats"

    id: str = Field(primary_key=True)
    host: str
    started_at: datetime
    beat_at: datetime = Field(index=True)
