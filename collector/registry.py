"""Which evidence and checks exist: the `checks` package, entry points and the folders in `check_paths`.

A folder of `check_paths` is read as `checks/` is: `acme/vpn.py` in it declares `acme.vpn.*`, and what its
modules share stands in files whose names begin with `_` (`from ._shared import ...`). A package offers its
own by an entry point of the group `collector.checks`, naming a package laid out the same way.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from collector.model import UserError
from collector.sdk import Accounts, Check, Evidence, Owners

REFERENCE = re.compile(r"\bName\(id='(\w+)'")
BINDING = re.compile(r"\bName\(id='(\w+)',ctx=Store\(\)")
"""A name in the text of a syntax tree, and one that is given a meaning there."""

DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Registry:
    """All declared evidence, checks and accounts, by id and in its order; and what tells whose those are."""

    evidence: dict[str, Evidence] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    accounts: dict[str, Accounts] = field(default_factory=dict)
    owners: Owners | None = None

    def of(self, platform: str) -> list[Evidence]:
        """The evidence of one platform."""
        return [one for one in self.evidence.values() if one.platform == platform]

    def checks_on(self, evidence_id: str) -> list[Check]:
        """The checks whose verdicts are on this evidence's resources."""
        return [one for one in self.checks.values() if one.of.id == evidence_id]


def load(check_paths: Iterable[Path] = ()) -> Registry:
    """Imports every check module and lists what they declare.

    Raises:
        UserError: a module cannot be imported, or two declare the same id.
    """
    found: dict[str, Evidence | Check | Accounts | Owners] = {}
    for module in _modules(check_paths):
        for declared in vars(module).values():
            if (
                not isinstance(declared, Evidence | Check | Accounts | Owners)
                or declared.module != module.__name__
            ):
                continue
            if found.setdefault(declared.id, declared) is not declared:
                raise UserError(f"{module.__file__}: {declared.id} is declared twice; rename one")
    ordered = sorted(found.items())
    return Registry(
        {id_: one for id_, one in ordered if isinstance(one, Evidence)},
        {id_: one for id_, one in ordered if isinstance(one, Check)},
        {id_: one for id_, one in ordered if isinstance(one, Accounts)},
        next((one for _, one in ordered if isinstance(one, Owners)), None),
    )


def _modules(check_paths: Iterable[Path]) -> Iterator[ModuleType]:
    roots = ["checks", *(point.value for point in entry_points(group="collector.checks"))]
    for root in roots:
        # Without `onerror` a package that cannot be imported would be left out without a word.
        for info in pkgutil.walk_packages(_import(root).__path__, f"{root}.", onerror=_import):
            if not info.ispkg:
                yield _import(info.name)
    for number, folder in enumerate(check_paths):
        if not folder.is_dir():
            raise UserError(f"check_paths: {folder} is not a folder; create it or remove the entry")
        root = _as_package(folder, f"check_path{number}")
        for path in sorted(folder.rglob("*.py")):
            if not path.name.startswith("_"):
                yield _import(".".join((root, *path.relative_to(folder).with_suffix("").parts)), path)


def _as_package(folder: Path, name: str) -> str:
    """Makes the folder a package of that name, whatever bore it before."""
    for known in [known for known in sys.modules if known == name or known.startswith(f"{name}.")]:
        del sys.modules[known]
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package
    importlib.invalidate_caches()
    return name


def _import(name: str, file: Path | None = None) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        said = " ".join(str(error).split())
        raise UserError(f"{file or name}: cannot be imported: {type(error).__name__}: {said}") from error


def version(check: Check) -> str:
    """Twelve hex digits that change when the check's own code changes.

    Hashes the syntax of the function and of everything it refers to, directly or through others, in its
    module and in modules of the same package, so a changed constant counts and a changed comment does not.
    """
    wanted = [(check.module, check.id.rsplit(".", 1)[1])]
    seen: dict[tuple[str, str], str] = {}
    while wanted:
        module, name = wanted.pop()
        if (whole := sys.modules.get(f"{module}.{name}")) is not None:
            wanted.extend((whole.__name__, one) for one in _definitions(whole))
        definition = _definitions(sys.modules[module]).get(name) if module in sys.modules else None
        if definition is None or (module, name) in seen:
            continue
        seen[module, name] = definition.syntax
        wanted.extend((definition.imported_from or module, reference) for reference in definition.references)
    return hashlib.sha256("\n".join(seen[key] for key in sorted(seen)).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class _Definition:
    syntax: str
    references: frozenset[str]
    imported_from: str = ""


@cache
def _definitions(module: ModuleType) -> dict[str, _Definition]:
    """The top-level names of a module: their syntax without docstrings, and the names they refer to."""
    tops: dict[str, _Definition] = {}
    root = module.__name__.partition(".")[0]
    # A folder without `__init__.py` is a module without a file.
    for node in ast.parse(Path(module.__file__).read_bytes() if module.__file__ else b"").body:
        if isinstance(node, ast.ImportFrom):
            origin = f"{'.' * node.level}{node.module or ''}"
            origin = importlib.util.resolve_name(origin, module.__name__.rpartition(".")[0])
            if origin.partition(".")[0] == root:
                for alias in node.names:
                    tops[alias.asname or alias.name] = _Definition("", frozenset({alias.name}), origin)
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                package, _, within = alias.name.partition(".")
                if package == root:
                    before = tops.get(alias.asname or root, _Definition("", frozenset()))
                    tops[alias.asname or root] = _Definition("", before.references | {within}, root)
            continue
        syntax = _syntax(node)
        references = frozenset(REFERENCE.findall(syntax))
        for name in [node.name] if isinstance(node, DOCUMENTED) else set(BINDING.findall(syntax)):
            # What is bound in several steps, as by `+=` or under `if`, is all of them.
            before = tops.get(name, _Definition("", frozenset()))
            tops[name] = _Definition(before.syntax + syntax, before.references | references)
    return tops


def _syntax(node: Any) -> str:
    """Code as text that leaves out layout, comments and docstrings, the same in every version of Python."""
    if isinstance(node, list):
        return f"[{','.join(_syntax(one) for one in node)}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
        node.body = node.body[1:]
    fields = ((name, getattr(node, name, None)) for name in node._fields)
    told = [f"{name}={_syntax(value)}" for name, value in fields if value is not None and value != []]
    return f"{type(node).__name__}({','.join(told)})"
