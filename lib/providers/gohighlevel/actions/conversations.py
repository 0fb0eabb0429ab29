"""Conversations: find them, read their messages, send one."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from lib.providers.actions import Action, ActionCall, ActionInput
from lib.providers.gohighlevel import endpoints
from lib.providers.gohighlevel.actions.inputs import (
    LONG,
    SOME_TIME,
    Id,
    Line,
    Moment,
    Phone,
    Text,
    vendor_fields,
    vendor_params,
)
from lib.providers.gohighlevel.api import Api

Channel = Literal["SMS", "RCS", "Email", "WhatsApp", "IG", "FB", "Custom", "Live_Chat", "TIKTOK"]


class ConversationSearch(ActionInput):
    """Which conversations."""

    contact_id: Id | None = Field(
        None, title="Contact id", description="Only conversations with this contact."
    )
    query: Line | None = Field(None, title="Search for", description="Part of a name or message.")
    limit: int = Field(20, ge=1, le=100, title="At most", description="At most 100.")


class OneConversation(ActionInput):
    """Which conversation, and how far back."""

    conversation_id: Id = Field(
        title="Conversation id", description="As a search of conversations returns it."
    )
    limit: int = Field(20, ge=1, le=100, title="At most", description="At most 100.")
    last_message_id: Id | None = Field(
        None, title="Before message", description="The id of the oldest message seen so far."
    )


class NewMessage(ActionInput):
    """A message to a contact."""

    type: Channel = Field("SMS", title="Channel", description="How the message is sent.")
    contact_id: Id = Field(title="Contact id", description="Who receives the message.")
    message: Text | None = Field(
        None, title="Text", description="The text of the message.", json_schema_extra=LONG
    )
    subject: Line | None = Field(None, title="Subject", description="For e-mail.")
    html: Text | None = Field(
        None, title="HTML", description="The body of an e-mail.", json_schema_extra=LONG
    )
    attachments: list[Line] | None = Field(
        None, max_length=10, title="Attachments", description="Addresses of files."
    )
    from_number: Phone | None = Field(
        None, title="From number", description="One of the location's numbers, with + and code."
    )
    to_number: Phone | None = Field(
        None, title="To number", description="Another number of the contact, with + and code."
    )
    scheduled_at: Moment | None = Field(
        None,
        title="Send at",
        description="With its time zone; blank sends at once.",
        examples=[SOME_TIME],
    )

    @model_validator(mode="after")
    def _check_content(self) -> Self:
        if not (self.message or self.html or self.attachments):
            raise ValueError("enter a text, or HTML or attachments")
        return self


class SearchConversations(Action):
    """One contact has one conversation over all channels."""

    name = "search_conversations"
    label = "Search conversations"
    help = "Finds conversations by contact or words."
    effect = "read"
    input = ConversationSearch

    def run(self, given: ConversationSearch, call: ActionCall) -> Any:
        """Return `conversations` and `total`."""
        api = Api.of(call)
        params = {"locationId": api.location_id, **vendor_params(given)}
        return api.ask(endpoints.SEARCH_CONVERSATIONS, params=params)


class ListMessages(Action):
    """Newest first."""

    name = "list_messages"
    label = "List a conversation's messages"
    help = "Reads the messages of one conversation, the newest first."
    effect = "read"
    input = OneConversation

    def run(self, given: OneConversation, call: ActionCall) -> Any:
        """Return `messages`."""
        return Api.of(call).ask(
            endpoints.LIST_MESSAGES,
            ids={"conversation_id": given.conversation_id},
            params=vendor_params(given, leave_out={"conversation_id"}),
        )


class SendMessage(Action):
    """Reaches a person."""

    name = "send_message"
    label = "Send a message"
    help = "Sends an SMS, e-mail or chat message to a contact."
    effect = "send"
    input = NewMessage

    def run(self, given: NewMessage, call: ActionCall) -> Any:
        """Return `conversationId` and `messageId`."""
        body = vendor_fields(given, leave_out={"scheduled_at"})
        if given.scheduled_at:
            # In seconds: apps/conversations.json, SendMessageBodyDto.
            body["scheduledTimestamp"] = int(given.scheduled_at.timestamp())
        return Api.of(call).ask(endpoints.SEND_MESSAGE, json=body)
