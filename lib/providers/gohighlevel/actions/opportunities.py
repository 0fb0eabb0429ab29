"""Opportunities: find them, read the pipelines, create one, change its status."""

from typing import Any, Literal

from pydantic import Field

from lib.providers.actions import Action, ActionCall, ActionInput
from lib.providers.gohighlevel import endpoints
from lib.providers.gohighlevel.actions.calendars import NoInput
from lib.providers.gohighlevel.actions.inputs import Id, Line, vendor_fields
from lib.providers.gohighlevel.api import Api

Status = Literal["open", "won", "lost", "abandoned"]
_PIPELINE = "As the list of pipelines returns it."


class OpportunitySearch(ActionInput):
    """Which opportunities."""

    q: Line | None = Field(None, title="Search for", description="Part of a name.")
    pipeline_id: Id | None = Field(None, title="Pipeline id", description=_PIPELINE)
    pipeline_stage_id: Id | None = Field(None, title="Stage id", description=_PIPELINE)
    contact_id: Id | None = Field(None, title="Contact id", description="Only of this contact.")
    status: Literal["open", "won", "lost", "abandoned", "all"] | None = Field(
        None, title="Status", description="Blank finds open ones."
    )
    limit: int = Field(20, ge=1, le=100, title="At most", description="At most 100.")
    page: int = Field(1, ge=1, title="Page", description="The first page is 1.")


class NewOpportunity(ActionInput):
    """A deal with a contact."""

    name: Line = Field(title="Name", description="What the deal is called.")
    contact_id: Id = Field(title="Contact id", description="With whom.")
    pipeline_id: Id = Field(title="Pipeline id", description=_PIPELINE)
    pipeline_stage_id: Id | None = Field(None, title="Stage id", description=_PIPELINE)
    status: Status = Field("open", title="Status", description="How it stands.")
    monetary_value: float | None = Field(
        None, ge=0, title="Value", description="In the location's currency."
    )
    assigned_to: Id | None = Field(
        None, title="Assigned to", description="The id of a HighLevel user."
    )


class OpportunityStatus(ActionInput):
    """An opportunity and how it stands."""

    opportunity_id: Id = Field(title="Opportunity id", description="As a search returns it.")
    status: Status = Field(title="Status", description="How it stands now.")


class SearchOpportunities(Action):
    """This one endpoint spells its query in snake case."""

    name = "search_opportunities"
    label = "Search opportunities"
    help = "Finds deals by name, pipeline, contact or status."
    effect = "read"
    input = OpportunitySearch

    def run(self, given: OpportunitySearch, call: ActionCall) -> Any:
        """Return `opportunities` and `meta`."""
        api = Api.of(call)
        asked = given.model_dump(exclude_none=True)
        params = {
            "location_id": api.location_id,
            **{name: str(value) for name, value in asked.items()},
        }
        return api.ask(endpoints.SEARCH_OPPORTUNITIES, params=params)


class ListPipelines(Action):
    """Resolves the ids of stages to names."""

    name = "list_pipelines"
    label = "List pipelines"
    help = "Reads the pipelines of the location and their stages."
    effect = "read"
    input = NoInput

    def run(self, given: NoInput, call: ActionCall) -> Any:
        """Return `pipelines`."""
        api = Api.of(call)
        return api.ask(endpoints.LIST_PIPELINES, params={"locationId": api.location_id})


class CreateOpportunity(Action):
    """Repeating it makes a second one."""

    name = "create_opportunity"
    label = "Create an opportunity"
    help = "Adds a deal to a pipeline."
    effect = "send"
    input = NewOpportunity

    def run(self, given: NewOpportunity, call: ActionCall) -> Any:
        """Return `opportunity`."""
        api = Api.of(call)
        body = {"locationId": api.location_id, **vendor_fields(given)}
        return api.ask(endpoints.CREATE_OPPORTUNITY, json=body)


class UpdateOpportunityStatus(Action):
    """May be repeated with the same end."""

    name = "update_opportunity_status"
    label = "Change an opportunity's status"
    help = "Marks a deal as open, won, lost or abandoned."
    effect = "write"
    input = OpportunityStatus

    def run(self, given: OpportunityStatus, call: ActionCall) -> Any:
        """Return `succeeded`."""
        return Api.of(call).ask(
            endpoints.UPDATE_OPPORTUNITY_STATUS,
            ids={"opportunity_id": given.opportunity_id},
            json={"status": given.status},
        )
