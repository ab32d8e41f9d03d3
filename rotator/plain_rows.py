"""Refuse what no file of names needs: secrets, keys that nobody knows, and what is no plain text.

It is done before anything is validated, and repeats nothing: a validator's words quote.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from rotator.errors import BadInput
from rotator.intake.shapes import holds_material
from rotator.inventory_rows import Row

MAX_TEXT = 1000
"""Characters of one value. The longest that is any use is an address."""
_FORBIDDEN = re.compile(r"secret|passw|passphrase|token|private|material", re.IGNORECASE)
_NO_SECRETS = "an inventory holds names alone: leave it out, or refer to it as env:NAME or file:PATH"

_looks_secret = functools.lru_cache(maxsize=1 << 16)(holds_material)


def refuse(row: Row, value: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise BadInput, which repeats nothing of it, where a key or a value is one that no such file needs."""
    for name in value:
        if name in known:
            continue
        if holds_material(name) or not name.isprintable() or len(name) > MAX_TEXT:
            raise wrong(row, "a key that is no plain word", f"there are {', '.join(known)}")
        if _FORBIDDEN.search(name):
            raise wrong(row, f"a key for secrets: {name}", _NO_SECRETS)
        close = get_close_matches(name, known, n=1)
        mend = f"did you mean `{close[0]}`?" if close else f"there are {', '.join(known)}"
        raise wrong(row, f"unknown key {name}", mend)
    for top, inside in value.items():
        for text in _texts(inside):
            if _looks_secret(text):
                raise wrong(row, f"a secret seems to stand under `{top}`", _NO_SECRETS)
            if not text.isprintable() or len(text) > MAX_TEXT:
                raise wrong(row, f"`{top}` has what is no plain text", f"words of {MAX_TEXT} letters at most")


def wrong(row: Row, what: str, mend: str) -> BadInput:
    """Return what is wrong with a row, and where it stands."""
    return BadInput(what, row.where, mend)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield str(name)
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
