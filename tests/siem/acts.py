"""Find in the code each word that it writes as the act of a record."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def acts_written():
    """Yield each word that the code writes as the act of a record."""
    for path in sorted((ROOT / "rotator").rglob("*.py")):
        text = path.read_text()
        if not re.search(r"\bact\b", text):
            continue
        tree = ast.parse(text)
        names = dict(_constants(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                keys = [each.value if isinstance(each, ast.Constant) else None for each in node.keys]
                told = dict(zip(keys, node.values, strict=True))
                # Beside a match of the inventory it is no record's.
                if "act" in told and "match" not in told:
                    yield from _words(told["act"], names)
            elif isinstance(node, ast.keyword) and node.arg == "act":
                yield from _words(node.value, names)


def _constants(tree):
    """Yield the names of a module that are given a word, alone or several at once."""
    for each in tree.body:
        if isinstance(each, ast.Assign):
            [target] = each.targets
            several = isinstance(target, ast.Tuple) and isinstance(each.value, ast.Tuple)
            pairs = zip(target.elts, each.value.elts, strict=True) if several else [(target, each.value)]
            yield from ((name.id, value) for name, value in pairs if isinstance(name, ast.Name))


def _words(value, names):
    if isinstance(value, ast.IfExp):
        yield from _words(value.body, names)
        yield from _words(value.orelse, names)
    elif isinstance(value, ast.Name) and value.id in names:
        yield from _words(names[value.id], names)
    elif isinstance(value, ast.Constant):
        yield value.value
