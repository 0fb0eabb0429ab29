"""Forms that Twilio may have sent in place of the one that arrived, by what middleware does."""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from urllib.parse import parse_qsl

from lib.errors import MalformedRequest
from lib.providers.base import FORM, InboundRequest
from lib.providers.diagnosis import Finding

Pairs = list[tuple[str, str]]
# What Twilio sends blank when it knows nothing, so what a proxy may have dropped. In a call the
# Caller is From and the Called is To, so both are blank together.
_PLACES = ("City", "State", "Zip", "Country")
_TWINS = (("From", "Caller"), ("To", "Called"))
_OTHERS = (("Body",), ("CallerName",), ("Digits",))
# Twilio sends some thirty fields; a stranger's thousands would each cost hundreds of copies.
_MOST_FIELDS = 60


@dataclass(frozen=True, repr=False)
class BodyGuess:
    """One way in which a form is damaged, and the forms that it may have been made of."""

    tried: str
    originals: tuple[Pairs, ...]
    finding: Finding


def guess_forms(request: InboundRequest) -> Iterator[BodyGuess]:
    """Yield what the signed fields may have been, for each known damage."""
    if request.content_type == FORM:
        pairs = request.form
        yield from _damaged(pairs)
        return
    for cause, tried, read in (
        ("content_type_lost", "The body as a form", _as_form),
        ("form_as_json", "The JSON fields as a form", _from_json),
    ):
        originals = tuple(pairs for pairs in read(request) if len(pairs) <= _MOST_FIELDS)
        yield _guess(cause, tried, originals)


def _damaged(pairs: Pairs) -> Iterator[BodyGuess]:
    if len(pairs) > _MOST_FIELDS:
        return
    yield _guess("body_trimmed", "White space at an end of a field", _untrimmed(pairs))
    fewer = tuple(pairs[:index] + pairs[index + 1 :] for index in range(len(pairs)))
    yield _guess("field_added", "One field left out", fewer)
    yield _guess("blank_fields_dropped", "Blank fields put back", _with_blanks(pairs))
    plus = [(name, "+" + text[1:] if text[:1] == " " else text) for name, text in pairs]
    yield _guess("plus_lost", "Plus signs put back", (plus,))
    ends = [(name, text.replace("\r\n", "\n")) for name, text in pairs]
    carriage = [(name, text.replace("\n", "\r\n")) for name, text in ends]
    yield _guess("line_ends", "Other line ends", (ends, carriage))
    plain = [(name, html.unescape(text)) for name, text in pairs]
    yield _guess("escaped", "HTML escapes taken back", (plain,))
    split = [(name, part) for name, text in pairs for part in text.split(",")]
    if len(split) <= _MOST_FIELDS * 4:
        yield _guess("fields_merged", "Values with commas as repeated fields", (split,))


def _untrimmed(pairs: Pairs) -> tuple[Pairs, ...]:
    return tuple(
        [*pairs[:index], (name, form.format(text)), *pairs[index + 1 :]]
        for index, (name, text) in enumerate((name, text) for name, text in pairs)
        for form in ("{} ", " {}", "{}\n", "\n{}", "{}\r\n", "{}  ", " {} ")
    )


def _with_blanks(pairs: Pairs) -> tuple[Pairs, ...]:
    """Return the form with every choice of the blank fields that may be gone."""
    present = {name for name, _ in pairs}
    sides = [tuple(side + place for side in twins) for twins in _TWINS for place in _PLACES]
    is_call = "CallSid" in present
    groups = [names if is_call else names[:1] for names in sides]
    groups += _OTHERS[1:] if is_call else _OTHERS[:1]
    gone = [[name for name in group if name not in present] for group in groups]
    choices = [names for names in gone if names]
    return tuple(
        [*pairs, *((name, "") for names in chosen for name in names)]
        for count in range(1, len(choices) + 1)
        for chosen in combinations(choices, count)
    )


def _as_form(request: InboundRequest) -> tuple[Pairs, ...]:
    text = request.body.decode("utf-8", "replace")
    try:
        return (parse_qsl(text, keep_blank_values=True, max_num_fields=500),)
    except ValueError:
        return ()


def _from_json(request: InboundRequest) -> tuple[Pairs, ...]:
    try:
        body = request.json
    except MalformedRequest:
        return ()
    if not isinstance(body, dict):
        return ()
    texts = [(name, str(text)) for name, text in body.items() if isinstance(text, str | int)]
    return ([(_clean(name), _clean(text)) for name, text in texts],)


def _clean(text: str) -> str:
    """Return text that UTF-8 can carry: JSON can hold lone surrogates, a form cannot."""
    return text.encode("utf-8", "replace").decode()


def _guess(cause: str, tried: str, originals: tuple[Pairs, ...]) -> BodyGuess:
    return BodyGuess(tried, originals, Finding(cause, _MESSAGES[cause]))


_MESSAGES = {
    "content_type_lost": (
        "Twilio sent a form, and it arrived under another Content-Type. Let the proxy pass the "
        "Content-Type on."
    ),
    "form_as_json": (
        "Twilio sent a form, and something in between turned it into JSON. Let the proxy or "
        "gateway pass the body on as it is."
    ),
    "body_trimmed": (
        "White space at the end or beginning of a field was trimmed on the way. Let the proxy "
        "pass the body on as it is."
    ),
    "blank_fields_dropped": (
        "Fields without a value were dropped on the way, and they are signed too. Let the proxy "
        "pass the body on as it is."
    ),
    "plus_lost": (
        "The form was decoded and encoded again on the way, and a + became a space. Let the proxy "
        "pass the body on as it is."
    ),
    "line_ends": "Line ends were changed on the way. Let the proxy pass the body on as it is.",
    "escaped": (
        "The values were escaped for HTML on the way. Let the proxy pass the body on as it is."
    ),
    "field_added": (
        "A field was added on the way that Twilio did not send. Let the proxy pass the body on "
        "as it is."
    ),
    "fields_merged": (
        "A repeated field was joined into one with commas on the way. Let the proxy pass the "
        "body on as it is."
    ),
}
