"""Requests as a vendor sends them, for trying the hub out: samples, and what a signature covers."""

import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from pathlib import Path
from string import Template
from urllib.parse import urlencode

from lib.clock import now
from lib.errors import InvalidInput
from lib.providers.fields import Values

FORM_TYPE = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"
_TYPES = {".form": FORM_TYPE, ".json": JSON_TYPE}


@dataclass(frozen=True)
class Sample:
    """A realistic request body; `$name` in it stands for a fresh id, a time or a setting.

    A form is written one field a line, `Name=value`, without encoding.
    """

    label: str
    event_type: str
    content_type: str
    text: str


@dataclass(frozen=True, repr=False)
class Unsigned:
    """What is to be signed; id and time count only where the scheme has them.

    A blank id or time is replaced by a fresh one.
    """

    url: str
    content_type: str
    body: bytes
    message_id: str = ""
    timestamp: str = ""


@dataclass(frozen=True, repr=False)
class Signed:
    """A request ready to send; `base` is the text that the signature covers, "" for none."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    base: str


def load_samples(folder: Path) -> dict[str, Sample]:
    """Return the samples of a folder by label; files are named <event type>__<variant>."""
    found: dict[str, Sample] = {}
    for path in sorted(folder.iterdir()):
        content_type = _TYPES.get(path.suffix)
        if content_type is None:
            continue
        event_type, _, variant = path.stem.partition("__")
        label = f"{event_type} ({variant})" if variant else event_type
        text = path.read_text(encoding="utf-8").rstrip("\n")
        found[label] = Sample(label, event_type, content_type, text)
    return found


def fill_sample(sample: Sample, settings: Values) -> str:
    """Return the text with fresh ids and times, and with the connection's own settings."""
    moment = now()
    fresh = {
        "hex32": secrets.token_hex(16),
        "short_id": secrets.token_hex(10),
        "uuid": str(uuid.uuid4()),
        "iso_time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "mail_time": format_datetime(moment),
    }
    return Template(sample.text).safe_substitute({**fresh, **settings})


def encode_body(content_type: str, text: str) -> bytes:
    """Return edited text as a body: the lines of a form become fields, all else stays as it is.

    Raises InvalidInput(field="body") for a line without `=`.
    """
    if content_type != FORM_TYPE:
        return text.encode()
    pairs = []
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if not equals and line.strip():
            raise InvalidInput(
                f"The line {line[:40]!r} is no field. Write each on a line of its own, as "
                "Name=value.",
                field="body",
            )
        if equals:
            pairs.append((name.strip(), value))
    return encode_form(pairs)


def encode_form(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Return fields as a form body, in their order."""
    return urlencode(list(pairs)).encode()
