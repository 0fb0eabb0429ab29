"""Finding events by a phone, an e-mail, an id or words, on either engine."""

import re

import phonenumbers
from sqlalchemy import Select, func, literal_column, select, text, union
from sqlalchemy.sql.selectable import CompoundSelect
from sqlmodel import col

from lib.models import EventKey, SearchDocument, WebhookEvent

# A match set larger than this is cut: a search that broad is no search.
_MOST_MATCHES = 10_000
_WORDS = 8
# PostgreSQL refuses NUL, and UTF-8 has no lone surrogates.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def matching_events(query: str, *, is_sqlite: bool) -> CompoundSelect[str]:
    """Return a select of the event ids that `query` finds: by id, by key or by its words."""
    asked = _UNSTORABLE.sub(" ", query)
    by_id = select(col(WebhookEvent.id)).where(col(WebhookEvent.id) == asked.strip())
    by_key = select(col(EventKey.event_id)).where(col(EventKey.value).in_(_as_keys(asked)))
    # SQLite takes a LIMIT within a UNION only inside a subquery.
    words = _by_words(asked, is_sqlite=is_sqlite).subquery()
    return union(by_id, by_key, select(words.c.event_id))


def _as_keys(query: str) -> list[str]:
    value = query.strip()
    keys = [value, value.lower()]
    if re.fullmatch(r"\+?[\d\s().-]{6,20}", value):
        try:
            number = phonenumbers.parse(value, None if value.startswith("+") else "US")
        except phonenumbers.NumberParseException:
            return keys
        keys.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return keys


def _by_words(query: str, *, is_sqlite: bool) -> Select[str]:
    words = re.findall(r"\w+", query)[:_WORDS]
    documents = select(col(SearchDocument.event_id)).limit(_MOST_MATCHES)
    if not is_sqlite:
        vector = func.to_tsvector(literal_column("'simple'"), col(SearchDocument.text))
        return documents.where(
            vector.op("@@")(func.plainto_tsquery(literal_column("'simple'"), " ".join(words)))
        )
    # Each word is quoted, so nothing in it can be FTS5 syntax.
    quoted = " ".join(f'"{word}"' for word in words) or '""'
    rows = text("SELECT rowid FROM search_index WHERE search_index MATCH :words")
    return documents.where(col(SearchDocument.id).in_(rows.bindparams(words=quoted)))
