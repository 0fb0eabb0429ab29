"""The API's documentation as one HTML page without scripts, drawn from the OpenAPI document."""

import base64
import hashlib
import re
from html import escape
from http import HTTPStatus
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3 { line-height: 1.2; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
code { font-family: ui-monospace, monospace; font-size: .9em; }
code { background: var(--soft); padding: .1em .3em; border-radius: .2em; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; }
tr { border-bottom: 1px solid var(--line); }
nav ul { columns: 2; padding-left: 1.2rem; }
details { margin: .5rem 0; }
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'"
_CODE = re.compile(r"`([^`]+)`")
_CODE_HTML = re.compile(r"<code>(\w+)</code>")
_METHODS = ("get", "post", "put", "delete")


def draw_page(document: dict[str, Any]) -> str:
    """Return the page."""
    info = document["info"]
    parts = [
        f"<h1>{_text(info['title'])}: REST API</h1>",
        f"<p>{_prose(info['description'])}</p>",
        '<p>The same for programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>',
        f"<p>Address: <code>{_text(document['servers'][0]['url'])}</code></p>",
        _draw_contents(document),
    ]
    for tag in document["tags"]:
        parts.append(f"<h2>{_text(tag['name'])}</h2>")
        parts += [
            _draw_operation(document, path, method)
            for path, method, entry in _operations(document)
            if tag["name"] in entry["tags"]
        ]
    parts += [_draw_shapes(document), _draw_problems(document)]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(info['title'])}: REST API</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>"
    )


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, entries[method])
        for path, entries in document["paths"].items()
        for method in _METHODS
        if method in entries
    ]


def _draw_contents(document: dict[str, Any]) -> str:
    links = "".join(
        f'<li><a href="#{_text(entry["operationId"])}"><code>{method.upper()} {_text(path)}</code>'
        "</a></li>"
        for path, method, entry in _operations(document)
    )
    return f'<nav aria-label="Operations"><ul>{links}</ul></nav>'


def _draw_operation(document: dict[str, Any], path: str, method: str) -> str:
    entry = document["paths"][path][method]
    parts = [
        f'<section id="{_text(entry["operationId"])}">',
        f"<h3><code>{method.upper()} {_text(path)}</code></h3>",
        f"<p><strong>{_text(entry['summary'])}.</strong> {_prose(entry['description'])}</p>",
        _draw_parameters(entry.get("parameters", [])),
    ]
    if "requestBody" in entry:
        parts.append(_draw_body(document, entry["requestBody"]))
    for status, answer in entry["responses"].items():
        if status.startswith("2"):
            content = answer.get("content", {}).get("application/json")
            parts.append(f"<p>Answers <code>{status}</code>: {_prose(answer['description'])}</p>")
            if content:
                parts.append(_draw_schema(document, "Answer", content["schema"]))
    refusals = ", ".join(
        f'<a href="#problem-{status}">{status}</a>'
        for status in entry["responses"]
        if not status.startswith("2")
    )
    return "".join([*parts, f"<p>Problems: {refusals}</p></section>"])


def _draw_body(document: dict[str, Any], body: dict[str, Any]) -> str:
    schema = body["content"]["application/json"]["schema"]
    if "anyOf" not in schema:
        return _draw_schema(document, "Body", schema)
    uses = body["description"].removeprefix("- ").split("\n- ")
    items = "".join(f"<li>{_link_shapes(document, _prose(use))}</li>" for use in uses)
    return f"<details><summary>Body: depends on what is asked</summary><ul>{items}</ul></details>"


def _link_shapes(document: dict[str, Any], prose: str) -> str:
    """Return HTML in which the names of shapes lead to them."""
    shapes = document["components"]["schemas"]
    return _CODE_HTML.sub(
        lambda found: (
            _kind({"$ref": found[1]}) if _draw_fields(shapes.get(found[1], {})) else found[0]
        ),
        prose,
    )


def _draw_parameters(parameters: list[dict[str, Any]]) -> str:
    if not parameters:
        return ""
    rows = "".join(
        f"<tr><td><code>{_text(item['name'])}</code></td><td>{_text(item['in'])}</td>"
        f"<td>{_prose(item.get('description', ''))}</td></tr>"
        for item in parameters
    )
    head = "<tr><th>Parameter</th><th>In</th><th>Meaning</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _draw_schema(document: dict[str, Any], label: str, schema: dict[str, Any]) -> str:
    name = _name_of(schema)
    shape = document["components"]["schemas"][name]
    if shape.get("type") == "array" and "$ref" in shape.get("items", {}):
        label, name = f"{label}, a list of", _name_of(shape["items"])
        shape = document["components"]["schemas"][name]
    table = _draw_fields(shape)
    return (
        f"<details><summary>{label}: <code>{_text(name)}</code></summary>{table}</details>"
        if table
        else f"<p>{label}: {_kind(shape)}</p>"
    )


def _draw_fields(shape: dict[str, Any]) -> str:
    fields = shape.get("properties")
    if not fields:
        return ""
    required = shape.get("required", [])
    rows = "".join(
        f"<tr><td><code>{_text(field)}</code></td><td>{_kind(about)}</td>"
        f"<td>{'yes' if field in required else 'no'}</td>"
        f"<td>{_prose(about.get('description', ''))}</td></tr>"
        for field, about in fields.items()
    )
    head = "<tr><th>Field</th><th>Kind</th><th>Always</th><th>Meaning</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _draw_shapes(document: dict[str, Any]) -> str:
    """Draw every shape that another one names."""
    parts = ["<h2>Shapes</h2>"]
    for name, shape in sorted(document["components"]["schemas"].items()):
        if table := _draw_fields(shape):
            about = _prose(" ".join(shape.get("description", "").split()))
            parts.append(f'<section id="shape-{_text(name)}"><h3><code>{_text(name)}</code></h3>')
            parts.append(f"<p>{about}</p>{table}</section>")
    return "".join(parts)


def _name_of(schema: dict[str, Any]) -> str:
    return str(schema["$ref"].rpartition("/")[2])


def _kind(schema: dict[str, Any]) -> str:
    """Return what a value is, as HTML."""
    if "$ref" in schema:
        name = _text(_name_of(schema))
        return f'<a href="#shape-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(_text(str(each)) for each in schema["enum"])
    kind = str(schema.get("type", "any"))
    return f"list of {_kind(schema['items'])}" if kind == "array" else _text(kind)


def _draw_problems(document: dict[str, Any]) -> str:
    texts: dict[str, str] = {}
    for _path, _method, entry in _operations(document):
        for status, answer in entry["responses"].items():
            if not status.startswith("2"):
                texts[status] = answer["description"]
    items = "".join(
        f'<dt id="problem-{status}">{status} {HTTPStatus(int(status)).phrase}</dt>'
        f"<dd>{_prose(texts[status])}</dd>"
        for status in sorted(texts)
    )
    return f"<h2>Problems</h2><dl>{items}</dl>"


def _text(value: str) -> str:
    return escape(value)


def _prose(value: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(value))
