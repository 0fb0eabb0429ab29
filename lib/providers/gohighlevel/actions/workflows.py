"""Workflows: list them, put a contact into one, take it out. HighLevel lets no one make them."""

from typing import Any

from pydantic import Field

from lib.providers.actions import Action, ActionCall
from lib.providers.gohighlevel import endpoints
from lib.providers.gohighlevel.actions.calendars import NoInput
from lib.providers.gohighlevel.actions.contacts import OneContact
from lib.providers.gohighlevel.actions.inputs import SOME_TIME, Id, Moment
from lib.providers.gohighlevel.api import Api


class ContactInWorkflow(OneContact):
    """Who, and which workflow."""

    workflow_id: Id = Field(title="Workflow id", description="As the list of workflows returns it.")


class EnteringContact(ContactInWorkflow):
    """Who, which workflow, and when."""

    start_at: Moment | None = Field(
        None,
        title="Start at",
        description="With its time zone; blank starts at once.",
        examples=[SOME_TIME],
    )


class ListWorkflows(Action):
    """Draft and published ones."""

    name = "list_workflows"
    label = "List workflows"
    help = "Reads the workflows of the location."
    effect = "read"
    input = NoInput

    def run(self, given: NoInput, call: ActionCall) -> Any:
        """Return `workflows`."""
        api = Api.of(call)
        return api.ask(endpoints.LIST_WORKFLOWS, params={"locationId": api.location_id})


class AddContactToWorkflow(Action):
    """What the workflow does may reach a person."""

    name = "add_contact_to_workflow"
    label = "Add a contact to a workflow"
    help = "Starts a workflow for a contact."
    effect = "send"
    input = EnteringContact

    def run(self, given: EnteringContact, call: ActionCall) -> Any:
        """Return `succeeded`."""
        # With an offset, as in the samples of apps/contacts.json: 2026-11-23T10:00:00+00:00.
        body = (
            {"eventStartTime": given.start_at.isoformat("T", "seconds")} if given.start_at else {}
        )
        return Api.of(call).ask(endpoints.ENTER_WORKFLOW, ids=_ids(given), json=body)


class RemoveContactFromWorkflow(Action):
    """Ends what has not run yet."""

    name = "remove_contact_from_workflow"
    label = "Remove a contact from a workflow"
    help = "Ends a workflow for a contact."
    effect = "write"
    input = ContactInWorkflow

    def run(self, given: ContactInWorkflow, call: ActionCall) -> Any:
        """Return `succeeded`."""
        return Api.of(call).ask(endpoints.LEAVE_WORKFLOW, ids=_ids(given))


def _ids(given: ContactInWorkflow) -> dict[str, str]:
    return {"contact_id": given.contact_id, "workflow_id": given.workflow_id}
