"""Notes and tasks of contacts. Adding one twice makes two, so it counts as "send"."""

from typing import Any

from pydantic import Field

from lib.providers.actions import Action, ActionCall
from lib.providers.gohighlevel import endpoints
from lib.providers.gohighlevel.actions.contacts import OneContact
from lib.providers.gohighlevel.actions.inputs import (
    LONG,
    SOME_TIME,
    Id,
    Line,
    Moment,
    Text,
    vendor_fields,
)
from lib.providers.gohighlevel.api import Api

_CONTACT_ID = {"contact_id"}


class NewNote(OneContact):
    """A note about a contact."""

    body: Text = Field(title="Note", description="The text of the note.", json_schema_extra=LONG)
    title: Line | None = Field(None, title="Title", description="A heading for the note.")
    user_id: Id | None = Field(None, title="Author", description="The id of a HighLevel user.")


class NewTask(OneContact):
    """Something to do about a contact."""

    title: Line = Field(title="Title", description="What is to be done.")
    due_date: Moment = Field(title="Due", description="With its time zone.", examples=[SOME_TIME])
    body: Text | None = Field(
        None, title="Details", description="More about the task.", json_schema_extra=LONG
    )
    assigned_to: Id | None = Field(
        None, title="Assigned to", description="The id of a HighLevel user."
    )
    completed: bool = Field(False, title="Done", description="Whether it is done already.")


class ListNotes(Action):
    """All notes at once; HighLevel pages none."""

    name = "list_notes"
    label = "List a contact's notes"
    help = "Reads the notes about a contact."
    effect = "read"
    input = OneContact

    def run(self, given: OneContact, call: ActionCall) -> Any:
        """Return `notes`."""
        return Api.of(call).ask(endpoints.LIST_NOTES, ids={"contact_id": given.contact_id})


class AddNote(Action):
    """Shows in the contact's notes."""

    name = "add_note"
    label = "Add a note to a contact"
    help = "Writes a note that your team sees on the contact."
    effect = "send"
    input = NewNote

    def run(self, given: NewNote, call: ActionCall) -> Any:
        """Return `note`."""
        return Api.of(call).ask(
            endpoints.ADD_NOTE,
            ids={"contact_id": given.contact_id},
            json=vendor_fields(given, leave_out=_CONTACT_ID),
        )


class ListTasks(Action):
    """All tasks at once; HighLevel pages none."""

    name = "list_tasks"
    label = "List a contact's tasks"
    help = "Reads the tasks about a contact."
    effect = "read"
    input = OneContact

    def run(self, given: OneContact, call: ActionCall) -> Any:
        """Return `tasks`."""
        return Api.of(call).ask(endpoints.LIST_TASKS, ids={"contact_id": given.contact_id})


class AddTask(Action):
    """HighLevel may notify whom it is assigned to."""

    name = "add_task"
    label = "Add a task to a contact"
    help = "Adds something to do, with a date, to the contact."
    effect = "send"
    input = NewTask

    def run(self, given: NewTask, call: ActionCall) -> Any:
        """Return `task`."""
        return Api.of(call).ask(
            endpoints.ADD_TASK,
            ids={"contact_id": given.contact_id},
            json=vendor_fields(given, leave_out=_CONTACT_ID),
        )
