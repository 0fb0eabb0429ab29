"""Calendars: list them, find free slots, book and change appointments."""

from datetime import datetime, timedelta
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from lib.providers.actions import Action, ActionCall, ActionInput
from lib.providers.gohighlevel import endpoints
from lib.providers.gohighlevel.actions.inputs import SOME_TIME, Id, Line, Moment, vendor_fields
from lib.providers.gohighlevel.api import Api

Status = Literal["new", "confirmed", "cancelled", "showed", "noshow", "invalid"]
_LONGEST = timedelta(days=31)
_CALENDAR = Field(title="Calendar id", description="As the list of calendars returns it.")
_STATUS = Field(None, title="Status", description="Blank leaves it to the calendar.")


def _check_order(start: datetime | None, end: datetime | None) -> None:
    if start and end and end <= start:
        raise ValueError("the end must come after the start")


class NoInput(ActionInput):
    """Nothing: the connection names the location."""


class SlotSearch(ActionInput):
    """A calendar and a time of at most 31 days."""

    calendar_id: Id = _CALENDAR
    start: Moment = Field(title="From", description="With its time zone.", examples=[SOME_TIME])
    end: Moment = Field(
        title="To", description="At most 31 days after the start.", examples=[SOME_TIME]
    )
    timezone: Line | None = Field(
        None, title="Time zone", description="Of the answer, such as America/New_York."
    )

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        _check_order(self.start, self.end)
        if self.end - self.start > _LONGEST:
            raise ValueError("ask for at most 31 days at once")
        return self


class NewAppointment(ActionInput):
    """Who comes when."""

    calendar_id: Id = _CALENDAR
    contact_id: Id = Field(title="Contact id", description="Who comes.")
    start_time: Moment = Field(
        title="Start", description="With its time zone.", examples=[SOME_TIME]
    )
    end_time: Moment | None = Field(
        None, title="End", description="Blank takes the calendar's usual length."
    )
    title: Line | None = Field(None, title="Title", description="What it is about.")
    appointment_status: Status | None = _STATUS

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        _check_order(self.start_time, self.end_time)
        return self


class ChangedAppointment(ActionInput):
    """An appointment and what changes of it."""

    appointment_id: Id = Field(title="Appointment id", description="As booking returned it.")
    calendar_id: Id | None = Field(None, title="Calendar id", description="To move it there.")
    start_time: Moment | None = Field(
        None, title="Start", description="With its time zone.", examples=[SOME_TIME]
    )
    end_time: Moment | None = Field(
        None, title="End", description="With its time zone.", examples=[SOME_TIME]
    )
    title: Line | None = Field(None, title="Title", description="What it is about.")
    appointment_status: Status | None = _STATUS

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        _check_order(self.start_time, self.end_time)
        return self


class ListCalendars(Action):
    """All calendars at once."""

    name = "list_calendars"
    label = "List calendars"
    help = "Reads the calendars of the location."
    effect = "read"
    input = NoInput

    def run(self, given: NoInput, call: ActionCall) -> Any:
        """Return `calendars`."""
        api = Api.of(call)
        return api.ask(endpoints.LIST_CALENDARS, params={"locationId": api.location_id})


class FindFreeSlots(Action):
    """HighLevel counts in milliseconds since 1970."""

    name = "free_slots"
    label = "Find free slots"
    help = "Finds when an appointment can be booked, within 31 days."
    effect = "read"
    input = SlotSearch

    def run(self, given: SlotSearch, call: ActionCall) -> Any:
        """Return `slots` by day."""
        params = {"startDate": _milliseconds(given.start), "endDate": _milliseconds(given.end)}
        if given.timezone:
            params["timezone"] = given.timezone
        ids = {"calendar_id": given.calendar_id}
        return Api.of(call).ask(endpoints.FREE_SLOTS, ids=ids, params=params)


class BookAppointment(Action):
    """HighLevel confirms to the contact, so it reaches a person."""

    name = "book_appointment"
    label = "Book an appointment"
    help = "Books an appointment for a contact, who may be notified."
    effect = "send"
    input = NewAppointment

    def run(self, given: NewAppointment, call: ActionCall) -> Any:
        """Return the appointment."""
        api = Api.of(call)
        body = {"locationId": api.location_id, **vendor_fields(given)}
        return api.ask(endpoints.BOOK_APPOINTMENT, json=body)


class UpdateAppointment(Action):
    """HighLevel tells the contact of the change, so it reaches a person."""

    name = "update_appointment"
    label = "Change an appointment"
    help = "Moves, renames or cancels an appointment; the contact may be notified."
    effect = "send"
    input = ChangedAppointment

    def run(self, given: ChangedAppointment, call: ActionCall) -> Any:
        """Return the appointment."""
        return Api.of(call).ask(
            endpoints.UPDATE_APPOINTMENT,
            ids={"appointment_id": given.appointment_id},
            json=vendor_fields(given, leave_out={"appointment_id"}),
        )


def _milliseconds(moment: datetime) -> str:
    return str(round(moment.timestamp() * 1000))
