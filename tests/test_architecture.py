"""The house style as tests: who imports whom, how long things are, what appears nowhere."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests import house_rules as rules

ROOT = Path(__file__).parent.parent
NESTING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _find_files() -> list[str]:
    found = [
        path
        for folder in ("lib", "webhook_receiver", "pages")
        for path in (ROOT / folder).rglob("*.py")
    ]
    entry = ROOT / "app.py"
    return sorted(str(path.relative_to(ROOT)) for path in [*found, *[entry][: entry.exists()]])


FILES = _find_files()
SLUGS = {path.parent.name for path in (ROOT / "lib/providers").glob("*/__init__.py")}
PAGES = [name for name in FILES if name.startswith("pages/")]
BUDGETED = [name for name in FILES if not name.startswith(rules.NO_LENGTH_BUDGET)]


@cache
def _parse(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


def _walk_functions(name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(_parse(name)):
        if isinstance(node, FUNCTIONS):
            yield node


def _imports(name: str) -> set[str]:
    """Return the full names that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(_parse(name)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _is_under(name: str, prefix: str, mark: str) -> bool:
    return name == prefix or name.startswith(prefix + mark)


def _check(names: Iterable[str], find: Callable[[str], Collection[object]]) -> None:
    """Fail with what `find` finds, by file; a test a file would be thousands."""
    assert not {name: found for name in names if (found := find(name))}


def test_imports_follow_the_arrows() -> None:
    _check(FILES, _find_wrong_imports)


def _find_wrong_imports(name: str) -> set[str]:
    forbidden = {
        prefix
        for place, prefixes in rules.FORBIDDEN_IMPORTS.items()
        if _is_under(name, place, "/")
        for prefix in prefixes
    }
    if name.startswith("lib/") and not _is_under(name, rules.SCREENS, "/"):
        forbidden |= {"streamlit", "lib.ui"}
    forbidden -= rules.FURTHER_IMPORTS.get(name, {}).keys()
    return {
        imported
        for imported in _imports(name)
        if any(_is_under(imported, prefix, ".") for prefix in forbidden)
    }


def test_providers_do_not_know_each_other() -> None:
    names = [name for name in FILES if name.startswith("lib/providers/")]
    assert names
    _check([name for name in names if name != "lib/providers/registry.py"], _find_other_providers)


def _find_other_providers(name: str) -> set[str]:
    # A provider may have folders within its folder.
    own = Path(name).parts[2]
    others = SLUGS - {own}
    return {
        imported
        for imported in _imports(name)
        for other in others
        if _is_under(imported, f"lib.providers.{other}", ".")
    }


@pytest.mark.parametrize("name", rules.SMALL_PROCESSES)
def test_small_processes_load_little(name: str) -> None:
    code = f"import sys, {name}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {*loaded.stdout.split()} & {*rules.NEVER_LOADED}


def test_lib_has_no_import_cycle() -> None:
    modules = {_module_of(name): name for name in FILES if name.startswith("lib/")}
    graph = {module: _known_imports(name, modules) for module, name in modules.items()}
    done: set[str] = set()
    for module in graph:
        assert not (cycle := _find_cycle(graph, [module], done)), " → ".join(cycle)


def _module_of(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _known_imports(name: str, modules: dict[str, str]) -> set[str]:
    """Return what importing this file imports, as modules: not what a function imports later."""
    found: set[str] = set()
    for node in _parse(name).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in modules else node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return (found & modules.keys()) - {_module_of(name)}


def _find_cycle(graph: dict[str, set[str]], path: list[str], done: set[str]) -> list[str]:
    for following in sorted(graph[path[-1]] - done):
        if following in path:
            return [*path[path.index(following) :], following]
        if cycle := _find_cycle(graph, [*path, following], done):
            return cycle
    done.add(path[-1])
    return []


def test_files_keep_their_length() -> None:
    _check(BUDGETED, _find_long_lines)


def _find_long_lines(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    budget = rules.MAX_PAGE_LINES if name in PAGES else rules.MAX_FILE_LINES
    if name == "app.py":
        budget = rules.MAX_ENTRY_LINES
    long = [f"line {number}" for number, line in enumerate(lines, 1) if len(line) > rules.MAX_LINE]
    return [f"{len(lines)} lines", *long] if len(lines) > budget else long


def test_functions_keep_their_size() -> None:
    _check(BUDGETED, _find_large_functions)


def _find_large_functions(name: str) -> list[str]:
    return [
        f"{function.name}: {fault}"
        for function in _walk_functions(name)
        for fault in _find_faults(name, function)
    ]


def _find_faults(name: str, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    length = (function.end_lineno or 0) - function.lineno + 1
    if length > rules.MAX_FUNCTION_LINES:
        yield f"{length} lines"
    if (depth := _nesting(function)) > rules.MAX_NESTING:
        yield f"nested {depth} deep"
    if f"{name}:{function.name}" in rules.FOREIGN_SIGNATURES:
        return
    positional = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    if positional[:1] in (["self"], ["cls"]):
        positional = positional[1:]
    if len(positional) + len(function.args.kwonlyargs) > rules.MAX_PARAMETERS:
        yield "too many parameters"


def _nesting(node: ast.AST, depth: int = 0) -> int:
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FUNCTIONS):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deeper = isinstance(child, NESTING) and not is_elif
        deepest = max(deepest, _nesting(child, depth + deeper))
    return deepest


def test_everything_is_caught_only_at_the_edges() -> None:
    _check([name for name in FILES if name not in rules.BROAD_EXCEPT_AT], _find_broad_excepts)


def _find_broad_excepts(name: str) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(_parse(name))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type)
    ]


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_is_broad(item) for item in caught.elts)
    return caught is None or (
        isinstance(caught, ast.Name) and caught.id in ("Exception", "BaseException")
    )


def test_only_the_registry_knows_the_providers() -> None:
    _check(FILES, _find_slugs)


def _find_slugs(name: str) -> list[str]:
    if any(_is_under(name, place, "/") for place in rules.SLUGS_ALLOWED_IN):
        return []
    slugs = {slug for slug in SLUGS if not _is_under(name, f"lib/providers/{slug}", "/")}
    return [
        f"{node.lineno}: {node.value[:60]}"
        for node in _strings(name)
        for slug in slugs
        if _names(slug, node.value)
    ]


def _strings(name: str) -> Iterator[ast.Constant]:
    tree = _parse(name)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
        ):
            yield node


def _names(slug: str, text: str) -> bool:
    if slug in rules.SLUGS_THAT_ARE_WORDS:
        return text == slug
    return re.search(rf"\b{slug}\b", text, re.IGNORECASE) is not None


@pytest.mark.parametrize("name", PAGES)
def test_a_page_guards_first(name: str) -> None:
    statements = [
        node
        for node in _parse(name).body
        if not isinstance(node, (ast.Import, ast.ImportFrom))
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    guard = statements[0]
    assert isinstance(guard, ast.Assign)
    assert isinstance(guard.value, ast.Call)
    assert [ast.unparse(target) for target in guard.targets] == ["user"]
    assert ast.unparse(guard.value.func) == rules.GUARD


@pytest.mark.parametrize("name", PAGES)
def test_a_page_does_not_query(name: str) -> None:
    queries = {"select", "insert", "update", "delete", "text"}
    assert not [
        node.lineno
        for node in ast.walk(_parse(name))
        if isinstance(node, ast.Call)
        and (ast.unparse(node.func) in queries or ast.unparse(node.func).endswith(".execute"))
    ]


def test_every_datetime_has_a_zone() -> None:
    _check(FILES, _find_naive_datetimes)


def _find_naive_datetimes(name: str) -> list[str]:
    naive = ("utcnow", "utcfromtimestamp", "today")
    return [
        ast.unparse(node)
        for node in ast.walk(_parse(name))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (
            (node.func.attr in naive and ast.unparse(node.func.value) in ("datetime", "date"))
            or (
                node.func.attr == "now"
                and not node.args
                and not node.keywords
                and ast.unparse(node.func.value).endswith("datetime")
            )
        )
    ]
