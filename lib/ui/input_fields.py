"""Widgets for the fields of any input model: one for each type, with its title and help."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lib.errors import InvalidInput
from lib.ui.form_problems import draw_problem

_LINES_HELP = "One on each line."


@dataclass(frozen=True)
class InputField:
    """One field as a form needs it; `key` is its widget's."""

    name: str
    key: str
    info: FieldInfo

    @property
    def title(self) -> str:
        """Return what the field is called."""
        return self.info.title or self.name.replace("_", " ").capitalize()

    @property
    def label(self) -> str:
        """Return the widget's label, which says whether it may be left out."""
        return self.title if self.info.is_required() else f"{self.title} (optional)"

    @property
    def kind(self) -> Any:
        """Return the type without "or nothing" and without notes."""
        return _bare(self.info.annotation)

    @property
    def is_long(self) -> bool:
        """Return whether it takes a text of several lines."""
        extra = self.info.json_schema_extra
        return isinstance(extra, Mapping) and extra.get("format") == "textarea"

    @property
    def is_main(self) -> bool:
        """Return whether the form is about it: it is needed, or a text of several lines."""
        return self.info.is_required() or self.is_long

    def limit(self, *names: str) -> Any:
        """Return the first of the named limits that the field has."""
        found = (getattr(each, name, None) for each in self.info.metadata for name in names)
        return next((each for each in found if each is not None), None)


def fields_of(model: type[BaseModel], *, prefix: str) -> list[InputField]:
    """Return the fields of a model in their order; `prefix` begins the keys of their widgets."""
    return [InputField(name, f"{prefix}_{name}", info) for name, info in model.model_fields.items()]


def draw_input(field: InputField, *, page: str) -> None:
    """Draw the widget of one field, and below it the problem that it has."""
    _drawer(field)(field)
    draw_problem(page, field.name)


def entered_values(fields: list[InputField]) -> dict[str, Any]:
    """Return what was entered, without what was left blank.

    Raises InvalidInput for a JSON box that holds none.
    """
    entered = {field.name: _entered(field) for field in fields}
    return {name: value for name, value in entered.items() if value not in (None, "", [])}


def _bare(annotation: Any) -> Any:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _bare(get_args(annotation)[0])
    if origin in (Union, UnionType):
        inner = [each for each in get_args(annotation) if each is not NoneType]
        return _bare(inner[0]) if len(inner) == 1 else Any
    return annotation


def _drawer(field: InputField) -> Callable[[InputField], None]:
    kind = field.kind
    if get_origin(kind) is Literal:
        return _draw_choice
    if get_origin(kind) is list:
        return _draw_choices if get_origin(_item(kind)) is Literal else _draw_lines
    is_free = kind in (Any, dict, list) or get_origin(kind) is dict
    return _draw_json if is_free else _DRAWERS.get(kind, _draw_text)


def _item(kind: Any) -> Any:
    return _bare(get_args(kind)[0]) if get_args(kind) else Any


def _hints(field: InputField) -> dict[str, Any]:
    return {"key": field.key, "help": field.info.description}


def _example(field: InputField) -> str:
    return str(field.info.examples[0]) if field.info.examples else ""


def _draw_text(field: InputField) -> None:
    draw = st.text_area if field.is_long else st.text_input
    draw(
        field.label,
        value=field.info.default if isinstance(field.info.default, str) else "",
        placeholder=_example(field),
        **_hints(field),
    )


def _draw_number(field: InputField) -> None:
    # One whole number among them makes Streamlit take whole numbers only.
    value, least, most = (
        field.kind(each) if isinstance(each, int | float) else None
        for each in (field.info.default, field.limit("ge", "gt"), field.limit("le"))
    )
    st.number_input(
        field.label,
        value=value,
        min_value=least,
        max_value=most,
        step=1 if field.kind is int else None,
        **_hints(field),
    )


def _draw_switch(field: InputField) -> None:
    st.checkbox(field.title, value=field.info.default is True, **_hints(field))


def _draw_day(field: InputField) -> None:
    st.date_input(field.label, value=None, **_hints(field))


def _draw_choice(field: InputField) -> None:
    options, default = list(get_args(field.kind)), field.info.default
    st.selectbox(
        field.label,
        options,
        index=options.index(default) if default in options else None,
        placeholder="Choose",
        **_hints(field),
    )


def _draw_choices(field: InputField) -> None:
    default = field.info.default
    st.multiselect(
        field.label,
        list(get_args(_item(field.kind))),
        default=default if isinstance(default, list) else [],
        **_hints(field),
    )


def _draw_lines(field: InputField) -> None:
    note = f"{field.info.description or ''} {_LINES_HELP}".strip()
    st.text_area(field.label, key=field.key, help=note, height=100)


def _draw_json(field: InputField) -> None:
    st.text_area(field.label, placeholder='{"name": "value"}', height=140, **_hints(field))


_DRAWERS: Mapping[Any, Callable[[InputField], None]] = {
    str: _draw_text,
    int: _draw_number,
    float: _draw_number,
    bool: _draw_switch,
    date: _draw_day,
}


def _entered(field: InputField) -> Any:
    value, kind = st.session_state.get(field.key), field.kind
    drawer = _drawer(field)
    if drawer is _draw_lines:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]
    if drawer is _draw_json:
        return _parsed(field, value or "")
    if kind is date and value is not None:
        return value.isoformat()
    return value


def _parsed(field: InputField, text: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            f'{field.title} is no JSON. Write it like {{"name": "value"}}.', field=field.name
        ) from error
