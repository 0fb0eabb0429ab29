"""TwiML: a reply as a list of verbs, checked, and written as XML.

https://www.twilio.com/docs/voice/twiml and https://www.twilio.com/docs/messaging/twiml. Twilio's
own builder is not loaded: the receiver answers with this.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal
from xml.sax.saxutils import escape, quoteattr

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lib.errors import InvalidInput
from lib.providers.twilio.addresses import Called, Caller, WebAddress

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
# XML 1.0 has no place for these, not even as references.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff￾￿]")
_MOST_VERBS = 20


def _check_text(text: str) -> str:
    if _UNWRITABLE.search(text):
        raise ValueError("Remove the control characters")
    return text


Text = Annotated[str, Field(min_length=1, max_length=3000), AfterValidator(_check_text)]


class Verb(BaseModel):
    """One step; a field of the same name becomes an attribute in Twilio's spelling."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    tag: ClassVar[str]
    # The field that is written between the tags, and those that are not attributes.
    content: ClassVar[str | None] = None
    inner: ClassVar[str | None] = None

    verb: str

    def write(self) -> str:
        """Return the step as XML."""
        outside = {"verb", self.content, self.inner}
        attributes = "".join(
            f" {_camel(name)}={quoteattr(_value(value))}"
            for name, value in self
            if name not in outside and value is not None
        )
        inside = "".join(self.parts())
        if not inside:
            return f"<{self.tag}{attributes}/>"
        return f"<{self.tag}{attributes}>{inside}</{self.tag}>"

    def parts(self) -> Iterator[str]:
        """Yield what stands between the tags, escaped."""
        if self.content is not None:
            yield escape(str(getattr(self, self.content)))
        if self.inner is not None:
            for each in getattr(self, self.inner):
                yield each.write()


class Say(Verb):
    """Reads a text out."""

    tag = "Say"
    content = "text"
    verb: Literal["say"]
    text: Text
    voice: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,60}$")
    language: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{2,20}$")
    loop: int | None = Field(default=None, ge=1, le=100)


class Play(Verb):
    """Plays a sound file."""

    tag = "Play"
    content = "url"
    verb: Literal["play"]
    url: WebAddress
    loop: int | None = Field(default=None, ge=1, le=100)


class Pause(Verb):
    """Waits."""

    tag = "Pause"
    verb: Literal["pause"]
    length: int | None = Field(default=None, ge=1, le=120)


class Gather(Verb):
    """Takes digits or speech while it says its prompt; the result comes as an event."""

    tag = "Gather"
    inner = "prompt"
    verb: Literal["gather"]
    input: Literal["dtmf", "speech", "dtmf speech"] | None = None
    num_digits: int | None = Field(default=None, ge=1, le=32)
    timeout: int | None = Field(default=None, ge=1, le=120)
    finish_on_key: str | None = Field(default=None, pattern=r"^[0-9#*]?$")
    language: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{2,20}$")
    action: WebAddress | None = None
    prompt: list[Annotated[Say | Play | Pause, Field(discriminator="verb")]] = Field(
        default=[], max_length=_MOST_VERBS
    )


class Dial(Verb):
    """Connects the caller to a number."""

    tag = "Dial"
    content = "number"
    verb: Literal["dial"]
    number: Called
    caller_id: Caller | None = None
    timeout: int | None = Field(default=None, ge=5, le=600)
    time_limit: int | None = Field(default=None, ge=1, le=86_400)
    record: Literal["do-not-record", "record-from-answer", "record-from-ringing"] | None = None


class Record(Verb):
    """Records the caller."""

    tag = "Record"
    verb: Literal["record"]
    max_length: int | None = Field(default=None, ge=1, le=14_400)
    timeout: int | None = Field(default=None, ge=1, le=600)
    play_beep: bool | None = None
    finish_on_key: str | None = Field(default=None, pattern=r"^[0-9#*]{0,12}$")
    action: WebAddress | None = None


class Reject(Verb):
    """Declines the call without answering it."""

    tag = "Reject"
    verb: Literal["reject"]
    reason: Literal["rejected", "busy"] | None = None


class Redirect(Verb):
    """Hands over to TwiML at another address."""

    tag = "Redirect"
    content = "url"
    verb: Literal["redirect"]
    url: WebAddress


class Hangup(Verb):
    """Ends the call."""

    tag = "Hangup"
    verb: Literal["hangup"]


class Message(Verb):
    """Replies with a message."""

    tag = "Message"
    verb: Literal["message"]
    body: Annotated[str, Field(min_length=1, max_length=1600), AfterValidator(_check_text)]
    media_urls: list[WebAddress] = Field(default=[], max_length=10)

    def write(self) -> str:
        """Return the reply with its media."""
        media = "".join(f"<Media>{escape(url)}</Media>" for url in self.media_urls)
        return f"<Message><Body>{escape(self.body)}</Body>{media}</Message>"


_VoiceVerb = Annotated[
    Say | Play | Pause | Gather | Dial | Record | Reject | Redirect | Hangup,
    Field(discriminator="verb"),
]
_MessageVerb = Annotated[Message | Redirect, Field(discriminator="verb")]
_VOICE: TypeAdapter[Any] = TypeAdapter(Annotated[list[_VoiceVerb], Field(max_length=_MOST_VERBS)])
_MESSAGES: TypeAdapter[Any] = TypeAdapter(
    Annotated[list[_MessageVerb], Field(max_length=_MOST_VERBS)]
)
_READERS: Mapping[str, tuple[TypeAdapter[Any], str, str]] = {
    "voice_reply": (_VOICE, "say", "text"),
    "message_reply": (_MESSAGES, "message", "body"),
}


def read_reply(field: str, text: str) -> list[Verb]:
    """Return the verbs of a reply: a JSON list of them, or a plain text to say or to send.

    `field` is voice_reply or message_reply. Raises InvalidInput naming it.
    """
    reader, verb, content = _READERS[field]
    is_list = text.lstrip().startswith("[")
    try:
        given = json.loads(text) if is_list else [{"verb": verb, content: text}]
        verbs: list[Verb] = reader.validate_python(given)
        return verbs
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"][:4])[:80]
        reason = first["msg"].removeprefix("Value error, ").rstrip(".")
    except (ValueError, RecursionError):
        place, reason = "", "It begins like a list but is no JSON"
    where = f" at {place}" if place else ""
    raise InvalidInput(
        f"The reply is not right{where}. {reason}. Enter a text, or a list such as "
        f'[{{"verb": "{verb}", "{content}": "Hello"}}].',
        field=field,
    )


def say_reply(text: str) -> list[Verb]:
    """Return a reply that reads `text` out; raise InvalidInput(field="say")."""
    try:
        return [Say(verb="say", text=text)]
    except ValidationError:
        pass
    raise InvalidInput("Say is not right. Remove the control characters.", field="say")


def render(verbs: Sequence[Verb]) -> bytes:
    """Return the document of a reply."""
    inside = "".join(verb.write() for verb in verbs)
    if not inside:
        return f"{_DECLARATION}<Response/>".encode()
    return f"{_DECLARATION}<Response>{inside}</Response>".encode()


@lru_cache(maxsize=1024)
def render_reply(field: str, text: str) -> bytes:
    """Return the document of a stored reply, written once for all requests that get it."""
    return render(read_reply(field, text))


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
