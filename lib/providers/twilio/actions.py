"""What Twilio can be asked to do: send and read messages, place and look at calls."""

from lib.providers.actions import Action
from lib.providers.twilio.call_actions import GetCall, PlaceCall
from lib.providers.twilio.message_actions import GetMessage, ListMessages, SendMessage

ACTIONS: tuple[Action, ...] = (
    SendMessage(),
    PlaceCall(),
    GetMessage(),
    GetCall(),
    ListMessages(),
)
