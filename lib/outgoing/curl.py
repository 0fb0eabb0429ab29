"""Requests as commands that a person can paste: what is secret stays a placeholder that says so."""

import shlex
from collections.abc import Mapping

from lib.log import REDACTED

_SIGNED = ("signature",)
# curl sets these itself.
_OMITTED = frozenset({"host", "content-length", "accept-encoding", "connection"})


def as_curl(url: str, headers: Mapping[str, str], body: str) -> str:
    """Return a curl command for one POST; signatures and secrets are placeholders."""
    lines = [f"curl -X POST {shlex.quote(url)}"]
    for name, value in headers.items():
        if name.lower() not in _OMITTED:
            lines.append(f"  -H {shlex.quote(f'{name}: {_shown(name, value)}')}")
    lines.append(f"  --data-binary {shlex.quote(body)}")
    return " \\\n".join(lines)


def as_pytest(url: str, headers: Mapping[str, str], body: str) -> str:
    """Return a test that posts `body` to an address and expects that it is taken."""
    shown = {
        name: _shown(name, value) for name, value in headers.items() if name.lower() not in _OMITTED
    }
    return (
        "import requests\n\n\n"
        "def test_the_hub_takes_the_event() -> None:\n"
        f"    headers = {shown!r}\n"
        f"    body = {body.encode()!r}\n"
        f"    answer = requests.post({url!r}, data=body, headers=headers, timeout=10)\n"
        "    assert answer.status_code in (200, 201, 204), answer.text\n"
    )


def _shown(name: str, value: str) -> str:
    lower = name.lower()
    if any(part in lower for part in _SIGNED):
        return f"<put a fresh {lower} here>"
    return f"<put your {lower} here>" if REDACTED in value else value
