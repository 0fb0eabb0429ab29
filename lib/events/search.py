"""Finding events by a phone, an e-mail, an id or words, on either engine."""

import re
from collections.abc import Iterable

import phonenumbers
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlmodel import Session, col

from lib.models import EventKey, SearchDocument, WebhookEvent

# Up to so many matches are taken as a set; words that more events hold are looked for in the
# newest events instead.
MOST_MATCHES = 2_000
# Of that many expected documents not even the first 2,000 are read. An expectation may be wrong
# by a few times, hardly by twenty.
EXPECTED_OF_COMMON = 20 * MOST_MATCHES
_WORDS = 8
_PHONE = re.compile(r"\+?[\d\s()./-]{6,24}")
# PostgreSQL refuses NUL, and UTF-8 has no lone surrogates.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SIMPLE: ColumnElement[str] = literal_column("'simple'")


def looks_like_phone(query: str) -> bool:
    """Return whether `query` may be a number without its country."""
    value = query.strip()
    return not value.startswith("+") and bool(_PHONE.fullmatch(value))


def region_of(number: str) -> str | None:
    """Return the region of a number in E.164, such as "US"."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None


def keys_of(query: str, regions: Iterable[str]) -> list[str]:
    """Return the values that events found by `query` have among their keys."""
    value = _clean(query).strip()
    keys = {value, value.lower()}
    if not _PHONE.fullmatch(value):
        return sorted(keys)
    for region in [None] if value.startswith("+") else sorted(regions):
        try:
            number = phonenumbers.parse(value, region)
        except phonenumbers.NumberParseException:
            continue
        keys.add(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return sorted(keys)


def find_few(session: Session, query: str, keys: list[str]) -> set[str] | None:
    """Return the ids of all events that `query` finds, None where there are too many."""
    own = select(col(WebhookEvent.id)).where(col(WebhookEvent.id) == _clean(query).strip())
    found = set(session.execute(own).scalars())
    for key in keys:
        by_key = select(col(EventKey.event_id)).where(col(EventKey.value) == key)
        found.update(session.execute(by_key.limit(MOST_MATCHES + 1)).scalars())
        if len(found) > MOST_MATCHES:
            return None
    is_sqlite = _is_sqlite(session)
    if not is_sqlite and _expected_documents(session, query) > EXPECTED_OF_COMMON:
        return None
    by_words = _few_by_words(query, is_sqlite=is_sqlite)
    found.update(session.execute(by_words).scalars())
    return None if len(found) > MOST_MATCHES else found


def is_common(session: Session, keys: list[str]) -> bool:
    """Return whether more events than are taken as a set have one of `keys`."""
    by_key = select(col(EventKey.event_id)).where(col(EventKey.value).in_(keys))
    return len(session.execute(by_key.limit(MOST_MATCHES + 1)).all()) > MOST_MATCHES


def holds_key(keys: list[str]) -> ColumnElement[bool]:
    """Return the condition that an event has one of `keys`."""
    return exists().where(
        col(EventKey.event_id) == col(WebhookEvent.id), col(EventKey.value).in_(keys)
    )


def holds(query: str, keys: list[str], *, is_sqlite: bool) -> ColumnElement[bool]:
    """Return the condition that an event of a bounded range is found by `query`.

    On SQLite the range is that of the documents, from `low_document` to `high_document`.
    """
    by_key = holds_key(keys)
    document = col(SearchDocument.event_id) == col(WebhookEvent.id)
    if not is_sqlite:
        return or_(by_key, exists().where(document, _has_words(query)))
    rows = text(
        "SELECT rowid FROM search_index WHERE search_index MATCH :words "
        "AND rowid BETWEEN :low_document AND :high_document"
    ).bindparams(bindparam("words", _quoted(query)))
    by_words = select(col(SearchDocument.event_id)).where(col(SearchDocument.id).in_(rows))
    return or_(by_key, col(WebhookEvent.id).in_(by_words))


def documents_between(session: Session, low: str, high: str) -> dict[str, int]:
    """Return the range of the documents of the events from `low` to below `high`, for `holds`."""
    bounds = select(func.min(col(SearchDocument.id)), func.max(col(SearchDocument.id))).where(
        and_(col(SearchDocument.event_id) >= low, col(SearchDocument.event_id) < high)
    )
    first, last = session.execute(bounds).one()
    return {"low_document": first or 0, "high_document": last or -1}


def _few_by_words(query: str, *, is_sqlite: bool) -> Select[str]:
    documents = select(col(SearchDocument.event_id)).limit(MOST_MATCHES + 1)
    if not is_sqlite:
        return documents.where(_has_words(query))
    rows = text(
        "SELECT rowid FROM search_index WHERE search_index MATCH :words "
        "ORDER BY rowid DESC LIMIT :most"
    ).bindparams(words=_quoted(query), most=MOST_MATCHES + 1)
    return documents.where(col(SearchDocument.id).in_(rows))


def _expected_documents(session: Session, query: str) -> int:
    """Return how many documents PostgreSQL's planner expects to hold the words.

    It knows the commonest words by the last ANALYZE, and expects few of any other:
    https://www.postgresql.org/docs/current/row-estimation-examples.html.
    """
    explain = text(
        "EXPLAIN (FORMAT JSON) SELECT 1 FROM search_documents "
        "WHERE to_tsvector('simple', text) @@ plainto_tsquery('simple', :words)"
    )
    (found,) = session.execute(explain, {"words": " ".join(_words(query))}).scalar_one()
    return int(found["Plan"]["Plan Rows"])


def _has_words(query: str) -> ColumnElement[bool]:
    vector = func.to_tsvector(_SIMPLE, col(SearchDocument.text))
    asked = func.plainto_tsquery(_SIMPLE, " ".join(_words(query)))
    found: ColumnElement[bool] = vector.op("@@")(asked)
    return found


def _quoted(query: str) -> str:
    # Each word is quoted, so nothing in it can be FTS5 syntax.
    return " ".join(f'"{word}"' for word in _words(query)) or '""'


def _words(query: str) -> list[str]:
    return re.findall(r"\w+", _clean(query))[:_WORDS]


def _clean(query: str) -> str:
    return _UNSTORABLE.sub(" ", query)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
