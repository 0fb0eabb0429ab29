"""REST hooks: an address subscribes to events by itself and ends it again."""

from typing import Any

from pydantic import Field

from lib.errors import NotFound
from lib.outgoing import hook_subscriptions
from lib.outgoing.hook_subscriptions import SubscriptionDraft
from webhook_receiver.api.operations import Call, Operation, Reply
from webhook_receiver.api.routes import FilterGiven, filter_rows
from webhook_receiver.api.shapes import Given, Moment, Shown, stamp

WRITE = "write:integrations"


class HookGiven(Given):
    """Which events go to which address; each is sent in a POST of its own."""

    target_url: str = Field(description="Where events are sent.")
    event: str = Field(default="*", description='An event type, or "*" for all.')
    filters: list[FilterGiven] = Field(default=[], description="Rows that must all hold.")
    integration_id: str | None = Field(
        default=None, description="One integration's events; left out, those of all your own."
    )


class HookShown(Shown):
    """A subscription; its id ends it."""

    id: str
    event: str
    integration_ids: list[str]
    created_at: Moment
    signing_secret: str = Field(description="Shown this once: it proves that the hub has sent.")


def subscribe(call: Call) -> Reply:
    """Begin a subscription."""
    given: HookGiven = call.body
    made = hook_subscriptions.subscribe(
        call.hub,
        call.caller.actor,
        SubscriptionDraft(
            target_url=given.target_url,
            event=given.event,
            filters=filter_rows(given.filters),
            integration_id=given.integration_id,
        ),
    )
    fields: dict[str, Any] = {"id": made.id, "event": made.event}
    return Reply(
        HookShown(
            **fields,
            integration_ids=list(made.integration_ids),
            created_at=stamp(made.created_at),
            signing_secret=made.signing_secret,
        )
    )


def unsubscribe(call: Call) -> Reply:
    """End a subscription; one that is gone already counts as ended."""
    try:
        hook_subscriptions.unsubscribe(call.hub, call.caller.actor, call.path["id"])
    except NotFound:
        # Whoever turns a Zap off twice, or after a 410, must not see it fail.
        return Reply()
    return Reply()


OPERATIONS = (
    Operation(
        "POST",
        "/api/hooks",
        scope=WRITE,
        summary="Subscribe an address to events",
        handler=subscribe,
        answer=HookShown,
        status=201,
        body=HookGiven,
        creates=True,
        note="An address that answers 410 is not called again; its subscription has ended.",
    ),
    Operation(
        "DELETE",
        "/api/hooks/{id}",
        scope=WRITE,
        summary="End a subscription",
        handler=unsubscribe,
        status=204,
        note="It may be repeated: a subscription that is gone answers 204 too.",
    ),
)
