"""Every action that the product records has words, and the filter of the screen finds it."""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from lib.audit_reading import parts_of
from lib.ui.audit_words import SUBJECTS, WORDS

ROOT = Path(__file__).parents[1]
ACTION = re.compile(r"[a-z_*]+\.[a-z_*]+")


def recorded() -> set[str]:
    """Return the actions in the modules that record, with "*" for what varies."""
    sources = [path for part in ("lib", "webhook_receiver") for path in (ROOT / part).rglob("*.py")]
    modules = [ast.parse(text) for path in sources if "audit.record(" in (text := path.read_text())]
    found: set[str] = set()
    for node in (node for module in modules for node in ast.walk(module)):
        if isinstance(node, ast.Call):
            found |= {text for item in node.args for text in _texts(item)}
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "action":
            found |= set(_texts(node.value))
    return {text for text in found if ACTION.fullmatch(text)}


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values
        )


def test_every_recorded_action_has_words_and_no_other() -> None:
    patterns = recorded()
    assert len(patterns) > 70
    assert not {each for each in patterns if not any(fnmatch(word, each) for word in WORDS)}
    assert not {word for word in WORDS if not any(fnmatch(word, each) for each in patterns)}


def test_every_action_is_about_a_subject_of_the_filter() -> None:
    parts = [part for subject in SUBJECTS for part in parts_of(subject)]
    assert len(parts) == len(set(parts))
    assert {word.partition(".")[0] for word in WORDS} == set(parts)
