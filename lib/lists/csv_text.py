"""Tables as CSV that spreadsheets open without running anything."""

import csv
import io
from collections.abc import Iterable, Sequence

# A cell that begins with one of these is taken for a formula:
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as RFC 4180 text; a cell of None is empty, texts are never formulas."""
    return write_rows([header]) + write_rows(rows)


def write_rows(rows: Iterable[Sequence[object]]) -> str:
    """Return further rows of such a table, for one that is written in parts."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA_MARKS):
        return f"'{value}"
    return "" if value is None else value
