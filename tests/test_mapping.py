"""Mappings: the shapes they make, and that no expression can stop a worker."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import InvalidInput
from lib.outgoing.mapping import apply_mapping, check_mapping

ENVELOPE = {
    "id": "evt_1",
    "type": "ContactCreate",
    "timestamp": "2026-11-25T07:00:00.000Z",
    "service_name": "gohighlevel",
    "integration_id": "int_1",
    "data": {"email": "ada@example.com", "tags": ["vip", "new"], "age": 36, "note": None},
}
NAME = st.sampled_from(["id", "data", "tags", "age", "email", "missing", '"a b"', "@"])
EXPRESSIONS = st.recursive(
    NAME | st.sampled_from(["`1`", "'x'", "`null`", "`[1, 2]`", "*", "[0]", "[*]", "[]", "[:1]"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"{pair[0]}.{pair[1]}"),
        st.tuples(inner, inner).map(lambda pair: f"{pair[0]} | {pair[1]}"),
        st.tuples(inner, st.sampled_from(["==", "<", ">=", "&&", "||"]), inner).map(" ".join),
        inner.map(lambda text: f"!{text}"),
        inner.map(lambda text: f"&{text}"),
        inner.map(lambda text: f"[{text}, {text}]"),
        inner.map(lambda text: f"{{a: {text}}}"),
        st.tuples(
            st.sampled_from(["length", "keys", "to_number", "sum", "avg", "sort", "max", "merge"]),
            inner,
        ).map(lambda pair: f"{pair[0]}({pair[1]})"),
        inner.map(lambda text: f"sort_by({text}, &age)"),
        inner.map(lambda text: f"join(', ', {text})"),
    ),
    max_leaves=8,
)


def test_without_a_mapping_the_envelope_goes_on() -> None:
    assert apply_mapping(None, ENVELOPE) is ENVELOPE


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        (
            "{trigger: type, data: data, timestamp: timestamp}",
            {
                "trigger": "ContactCreate",
                "data": ENVELOPE["data"],
                "timestamp": ENVELOPE["timestamp"],
            },
        ),
        (
            "{event_type: type, contact: {email: data.email}, metadata: {id: id}}",
            {
                "event_type": "ContactCreate",
                "contact": {"email": "ada@example.com"},
                "metadata": {"id": "evt_1"},
            },
        ),
        ("join(', ', data.tags)", "vip, new"),
        ("to_string(data.tags)", '["vip","new"]'),
        ("[data.tags, ['x']][]", ["vip", "new", "x"]),
        ("data.age > `18`", True),
        ("{note: data.note}", {"note": None}),
    ],
)
def test_a_mapping_makes_any_json(expression: str, result: Any) -> None:
    check_mapping(expression)
    assert apply_mapping(expression, ENVELOPE) == result


@pytest.mark.parametrize(
    ("expression", "where"),
    [
        ("", "it is empty"),
        ("data..email", "'.' at character 6"),
        ("data.^", "character 6"),
        ("length(data", "it ends too early"),
        ("shout(data)", "there is no function shout()"),
        ("length(data, id)", "length() takes 1 arguments and got 2"),
        ("not_null()", "not_null() takes at least 1"),
        ("a" * 10_001, "10,001 characters"),
        ("(" * 4_000 + "a" + ")" * 4_000, "nested more than"),
        (" || ".join("a" * 400), "nested more than"),
        ("`" + "[" * 9_000 + "`", "nested more than"),
    ],
)
def test_a_wrong_mapping_says_where(expression: str, where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_mapping(expression)
    assert where in caught.value.message
    assert caught.value.field == "mapping"
    with pytest.raises(InvalidInput):
        apply_mapping(expression, ENVELOPE)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("sum(data.tags)", "sum() takes array-number and got"),
        ("data.age < data.email", "not of the type"),
        ("ceil(`1e999`)", "OverflowError"),
        ("data.missing", "yields nothing"),
        ("data.note", "yields nothing"),
        ("&data", "an expression"),
        ("[&data]", "an expression"),
    ],
)
def test_a_mapping_that_does_not_fit_the_event_is_refused(expression: str, why: str) -> None:
    check_mapping(expression)
    with pytest.raises(InvalidInput) as caught:
        apply_mapping(expression, ENVELOPE)
    assert why in caught.value.message
    assert "ada@example.com" not in caught.value.message


@pytest.mark.parametrize(
    "expression",
    [
        " | ".join(["[@, @]"] * 60),
        " | ".join(["[@, @][]"] * 60),
        " | ".join(["join('', [@, @])"] * 50).replace("join('', [@, @])", "'ab'", 1),
        " | ".join(["[@, @]"] * 40) + " | to_string(@)",
        " | ".join(["'\"'"] + ["to_string([@])"] * 50),
        "[" + ",".join(["@"] * 900) + "] | [" + ",".join(["@"] * 900) + "][] | map(&[@,@], @)",
        "data.many[*].[" + ",".join(["@"] * 400) + "]",
    ],
)
def test_an_expression_that_doubles_itself_gives_up_soon(expression: str) -> None:
    started = time.monotonic()
    with pytest.raises(InvalidInput, match=r"too large|too much work"):
        apply_mapping(expression, {**ENVELOPE, "data": {"many": [1] * 5_000}})
    assert time.monotonic() - started < 5


@settings(deadline=None)
@given(EXPRESSIONS)
def test_whatever_is_written_ends_in_json_or_in_a_sentence(expression: str) -> None:
    try:
        result = apply_mapping(expression, ENVELOPE)
    except InvalidInput as refusal:
        result = refusal.message
    assert json.loads(json.dumps(result)) is not None
