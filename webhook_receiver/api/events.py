"""Stored events in the shape of live deliveries: lists for polling, samples, and new ones."""

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from lib.events import contents, emission
from lib.events.contents import EventContent
from lib.events.emission import Emission
from lib.events.queries import EventFilters
from lib.outgoing.envelope import Envelope
from webhook_receiver.api.operations import Call, Operation, Reply
from webhook_receiver.api.shapes import Asked, Given, Moment, Paged, Shown, TimeAsked

READ = "read:events"


class EventsAsked(Paged):
    """What the list is narrowed to."""

    service: Annotated[str | None, Field(description="The service's short name.")] = None
    type: Annotated[str | None, Field(description="The event type.")] = None
    status: Annotated[
        Literal["pending", "success", "failed"] | None, Field(description="How far it is.")
    ] = None
    integration_id: Annotated[str | None, Field(description="One integration's alone.")] = None
    since: TimeAsked | None = None


class SamplesAsked(Asked):
    """Which samples, and how many."""

    event: Annotated[str | None, Field(description='The event type; "*" for all.')] = None
    limit: Annotated[int, Field(ge=1, le=200, description="How many at most.")] = 3


class EventGiven(Given):
    """An event of your own, stored and routed as if the integration had received it."""

    type: str = Field(description="The event type, such as order.paid.")
    data: Any = Field(description="What it carries: any JSON.")
    integration_id: str = Field(description="The integration that it belongs to.")


class SampleShown(Shown):
    """An event as destinations receive it."""

    id: str
    type: str
    timestamp: Moment
    service_name: str
    integration_id: str
    data: Any


class EventShown(SampleShown):
    """A stored event; `data` is null once retention has removed it."""

    status: str


class EventList(RootModel[list[EventShown]]):
    """Events, newest first; each id is unique."""


class SampleList(RootModel[list[SampleShown]]):
    """Events, newest first, with the keys of live deliveries."""


def list_events(call: Call) -> Reply:
    """Return a page of events."""
    asked: EventsAsked = call.query
    filters = EventFilters(
        service_name=asked.service,
        event_type=asked.type,
        status=asked.status,
        integration_id=asked.integration_id,
        since=asked.since,
    )
    page = contents.list_contents(
        call.hub, call.caller.actor, filters, cursor=asked.cursor, limit=asked.limit
    )
    return Reply(EventList([_show(item) for item in page.rows]), page.next_cursor)


def get_event(call: Call) -> Reply:
    """Return one event."""
    return Reply(_show(contents.get_content(call.hub, call.caller.actor, call.path["id"])))


def list_samples(call: Call) -> Reply:
    """Return the newest events of a type."""
    asked: SamplesAsked = call.query
    event_type = None if asked.event == "*" else asked.event
    found = contents.list_samples(
        call.hub, call.caller.actor, event_type=event_type, limit=asked.limit
    )
    return Reply(SampleList([SampleShown(**_shared(envelope)) for envelope in found]))


def add_event(call: Call) -> Reply:
    """Store an event and return it."""
    given: EventGiven = call.body
    hub, actor = call.hub, call.caller.actor
    event_id = emission.emit(
        hub,
        actor,
        Emission(
            integration_id=given.integration_id,
            event_type=given.type,
            data=given.data,
            token_name=call.caller.token.name,
            source_ip=call.address,
            unique=call.unique,
        ),
    )
    return Reply(_show(contents.get_content(hub, actor, event_id)))


def _show(item: EventContent) -> EventShown:
    return EventShown(**_shared(item.envelope), status=item.status)


def _shared(envelope: Envelope) -> dict[str, Any]:
    return {name: envelope[name] for name in SampleShown.model_fields}


OPERATIONS = (
    Operation(
        "GET",
        "/api/events",
        scope=READ,
        summary="List events, newest first",
        handler=list_events,
        answer=EventList,
        query=EventsAsked,
        note="Good for polling: an event keeps its id, so what was seen before is known by it.",
    ),
    Operation(
        "POST",
        "/api/events",
        scope="write:events",
        summary="Add an event",
        handler=add_event,
        answer=EventShown,
        status=201,
        body=EventGiven,
        creates=True,
    ),
    Operation(
        "GET",
        "/api/events/samples",
        scope=READ,
        summary="Show samples of an event type",
        handler=list_samples,
        answer=SampleList,
        query=SamplesAsked,
        note="Real events with the keys of live deliveries; [] before there is one.",
    ),
    Operation(
        "GET",
        "/api/events/{id}",
        scope=READ,
        summary="Show an event",
        handler=get_event,
        answer=EventShown,
    ),
)
