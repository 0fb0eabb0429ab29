"""Filter rows: what each operator means, and what is refused before it is stored."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import InvalidInput
from lib.outgoing.filters import (
    OPERATORS,
    FilterRow,
    matches,
    parse_filters,
    stored_filters,
    takes_type,
)

ENVELOPE: dict[str, Any] = {
    "id": "evt_1",
    "type": "message.received",
    "data": {
        "From": "+14155550123",
        "NumMedia": "2",
        "Body": "Hallo Grace",
        "age": 36,
        "ratio": 0.1,
        "vip": True,
        "empty": "",
        "nothing": None,
        "tags": ["vip", "new"],
        "a b": {"c": 1},
        "at": "2026-11-25T07:00:00Z",
        "items": [{"sku": "A1", "sizes": [{"n": 1}]}, {"sku": "B2", "sizes": [{"n": 2}]}],
    },
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)
PATHS = st.sampled_from(["data", "data.a", "data.a.b", "data[0]", "data[*]", "data[*].a[*]", "id"])
VALUES = st.text(min_size=1, max_size=12) | st.booleans() | st.integers()
NEGATIONS = [
    ("equals", "not_equals"),
    ("contains", "not_contains"),
    ("in", "not_in"),
    ("exists", "not_exists"),
]


def _holds(path: str, operator: str, value: Any = None) -> bool:
    return matches(parse_filters([{"path": path, "operator": operator, "value": value}]), ENVELOPE)


@pytest.mark.parametrize(
    ("path", "operator", "value"),
    [
        ("data.From", "equals", "+14155550123"),
        ("data.NumMedia", "equals", 2),
        ("data.NumMedia", "equals", "2"),
        ("data.age", "equals", "36"),
        ("data.age", "equals", 36.0),
        ("data.ratio", "equals", "0.1"),
        ("data.vip", "equals", "true"),
        ("data.vip", "equals", True),
        ("data.Body", "not_equals", "hallo grace"),
        ("data.missing", "not_equals", "x"),
        ("data.Body", "contains", "Grace"),
        ("data.tags", "contains", "vip"),
        ("data.tags", "not_contains", "vi"),
        ("data.missing", "not_contains", "x"),
        ("data.From", "starts_with", "+1415"),
        ("data.age", "ends_with", 6),
        ("data.NumMedia", "greater_than", 1),
        ("data.NumMedia", "less_than", "10"),
        ("data.at", "greater_than", "2026-11-24"),
        ("data.at", "less_than", "2026-11-25T09:30:00+02:00"),
        ("data.age", "in", "35, 36"),
        ("type", "in", ["message.sent", "message.received"]),
        ("data.age", "not_in", [1, 2]),
        ("data.missing", "not_in", "a,b"),
        ("data.empty", "exists", None),
        ("data.nothing", "not_exists", None),
        ("data.missing", "not_exists", None),
        ('data."a b".c', "equals", 1),
        ("data.items[1].sku", "equals", "B2"),
        ("data.items[-1].sku", "equals", "B2"),
        ("data.items[*].sku", "equals", "B2"),
        ("data.items[*].sku", "starts_with", "A"),
        ("data.items[*].sizes[*].n", "greater_than", 1),
        ("data.items[*].sku", "not_equals", "C3"),
    ],
)
def test_a_row_holds(path: str, operator: str, value: Any) -> None:
    assert _holds(path, operator, value)


@pytest.mark.parametrize(
    ("path", "operator", "value"),
    [
        ("data.Body", "equals", "hallo grace"),
        # Texts that are written like numbers are not numbers to each other: ids, phones.
        ("data.NumMedia", "equals", "2.0"),
        ("data.From", "equals", 14155550123),
        ("data.vip", "equals", 1),
        ("data.missing", "equals", "null"),
        ("data.missing", "contains", "x"),
        ("data.missing", "less_than", 5),
        ("data.missing", "in", "x"),
        ("data.Body", "greater_than", 1),
        ("data.at", "greater_than", 5),
        ("data", "contains", "From"),
        ("data.tags", "equals", "vip"),
        ("data.nothing", "exists", None),
        ("data.From[*]", "exists", None),
        ("data.items[*].sku", "not_equals", "B2"),
        ("data.items[*].sizes[*].n", "greater_than", 2),
    ],
)
def test_a_row_does_not_hold(path: str, operator: str, value: Any) -> None:
    assert not _holds(path, operator, value)


def test_all_rows_must_hold_and_none_takes_everything() -> None:
    rows = [
        {"path": "data.age", "operator": "greater_than", "value": 18},
        {"path": "data.From", "operator": "starts_with", "value": "+44"},
    ]
    assert not matches(parse_filters(rows), ENVELOPE)
    assert matches(parse_filters(rows[:1]), ENVELOPE)
    assert matches((), ENVELOPE)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("data.x", "Give the filters as a list"),
        ([{"path": "id", "operator": "exists"}] * 21, "at most 20"),
        (["data.x"], "needs path, operator and value"),
        ([{"path": "id", "operator": "exists", "extra": 1}], "and nothing else"),
        ([{"operator": "exists"}], "names no field"),
        ([{"path": "id", "operator": "like", "value": "x"}], "one of these operators"),
        ([{"path": "id", "operator": ["equals"], "value": "x"}], "one of these operators"),
        ([{"path": "id", "operator": "equals"}], "has no value"),
        ([{"path": "id", "operator": "contains", "value": ""}], "has no value"),
        ([{"path": "id", "operator": "equals", "value": {"a": 1}}], "a short text or a number"),
        ([{"path": "id", "operator": "equals", "value": "x" * 1001}], "a short text"),
        ([{"path": "id", "operator": "greater_than", "value": "much"}], "a number or a date"),
        ([{"path": "id", "operator": "in", "value": " , "}], "1 to 100 values"),
        ([{"path": "id", "operator": "in", "value": list(range(101))}], "1 to 100 values"),
        ([{"path": "id", "operator": "in", "value": [None]}], "has no value"),
    ],
)
def test_a_bad_row_is_refused_in_words(rows: Any, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        parse_filters(rows)
    assert caught.value.field == "filters"


@pytest.mark.parametrize(
    "path",
    [
        "length(data)",
        "data.*",
        "data[]",
        "data[0:2]",
        "data[?a]",
        "data | id",
        "data || id",
        "[id, type]",
        "{a: id}",
        "`1`",
        "'x'",
        "@",
        "!id",
        "data..x",
        "a" * 301,
        "a" + "[*]" * 90,
    ],
)
def test_a_path_is_names_and_indexes_only(path: str) -> None:
    with pytest.raises(InvalidInput, match="The field of filter 1"):
        parse_filters([{"path": path, "operator": "exists"}])


def test_what_is_stored_parses_to_the_same() -> None:
    rows = parse_filters(
        [
            {"path": " data.age ", "operator": "in", "value": "35, 36"},
            {"path": "id", "operator": "exists", "value": "left over"},
            {"path": "id", "operator": "not_equals", "value": True},
        ]
    )
    assert rows[0] == FilterRow("data.age", "in", ("35", "36"))
    assert stored_filters(rows)[1] == {"path": "id", "operator": "exists"}
    assert parse_filters(stored_filters(rows)) == parse_filters(rows) == rows


def test_a_star_takes_every_type() -> None:
    assert takes_type(["*"], "anything")
    assert takes_type(["a", "b"], "b")
    assert not takes_type(["a"], "b")
    assert not takes_type([], "b")


@settings(deadline=None)
@given(PATHS, st.sampled_from(sorted(OPERATORS)), VALUES, JSON)
def test_no_document_breaks_a_filter(path: str, operator: str, value: Any, data: Any) -> None:
    try:
        rows = parse_filters([{"path": path, "operator": operator, "value": value}])
    except InvalidInput:
        return
    assert matches(rows, {"id": "evt_1", "data": data}) in (True, False)


@settings(deadline=None)
@given(PATHS, st.sampled_from(NEGATIONS), st.text("ab1,", min_size=1), JSON)
def test_a_negation_is_the_opposite(
    path: str, pair: tuple[str, str], value: str, data: Any
) -> None:
    try:
        rows = [
            parse_filters([{"path": path, "operator": operator, "value": value}])
            for operator in pair
        ]
    except InvalidInput:
        return
    document = {"id": "evt_1", "data": data}
    assert matches(rows[0], document) is not matches(rows[1], document)
