"""Hourly counts that charts are drawn from, beside those of events and deliveries."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from lib.models.registry import Base


class FailureRollup(Base, table=True):
    """How many attempts of one hour failed, by their error class and answer.

    `response_status` is 0 where there was no answer.
    """

    __tablename__ = "failure_rollups"
    __table_args__ = (Index("ix_failure_rollups_user_id_hour", "user_id", "hour"),)

    hour: datetime = Field(primary_key=True)
    destination_id: str = Field(primary_key=True, foreign_key="destinations.id", ondelete="CASCADE")
    error_class: str = Field(primary_key=True)
    response_status: int = Field(primary_key=True)
    user_id: str
    count: int


class MessageRollup(Base, table=True):
    """How many messages and calls first reported in an hour stand in which state by now.

    `error_code` is empty where the vendor gave none. A message that moves on leaves the count
    of its old state for that of its new one.
    """

    __tablename__ = "message_rollups"
    __table_args__ = (Index("ix_message_rollups_user_id_hour", "user_id", "hour"),)

    hour: datetime = Field(primary_key=True)
    integration_id: str = Field(
        primary_key=True, foreign_key="integration_configs.id", ondelete="CASCADE"
    )
    kind: str = Field(primary_key=True)
    state: str = Field(primary_key=True)
    error_code: str = Field(primary_key=True)
    user_id: str
    count: int


class DurationRollup(Base, table=True):
    """How long something took that began in one hour, as a histogram of `lib.histogram`.

    `measure` is message_delivered (first report to delivered) or reply (our message to the
    contact's next).
    """

    __tablename__ = "duration_rollups"
    __table_args__ = (Index("ix_duration_rollups_user_id_hour", "user_id", "hour"),)

    hour: datetime = Field(primary_key=True)
    integration_id: str = Field(
        primary_key=True, foreign_key="integration_configs.id", ondelete="CASCADE"
    )
    measure: str = Field(primary_key=True)
    bucket: int = Field(primary_key=True)
    user_id: str
    count: int


class Conversation(Base, table=True):
    """When a contact was last written to and has not answered yet, by a digest of the number."""

    __tablename__ = "conversations"

    integration_id: str = Field(
        primary_key=True, foreign_key="integration_configs.id", ondelete="CASCADE"
    )
    contact_digest: str = Field(primary_key=True)
    sent_at: datetime = Field(index=True)
