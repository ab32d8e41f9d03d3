"""What programs print in several lines, of which each alone says too little: pip's and conda's tables, uv's changes.

uv heads its changes with how many it made, or would make: ` - name==1.0` without a heading may be any printed list.
Yarn 1's `list` looks at its lock alone; its lines are those of `add`, which installs. Of pip's table behind what nobody
here knows the ends of lines are looked at, and what they name is named, no more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rotator.packages import conda
from rotator.packages.component import Sureness
from rotator.packages.log_lines import NAME, VERSION, Said
from rotator.packages.names import NPM, PYPI, package
from rotator.packages.versions import pep440

_TABLE = re.compile(r"Package\s+Version\b")
_BEHIND = re.compile(r"\S.{0,300}?[^\w.-]Package\s+Version(?:\s.{0,100})?$")
_CONDA = re.compile(conda.TABLE)
_RULE = re.compile(r"---[ -]*$")
_RULE_BEHIND = re.compile(r"[^-]-{3,}\s+-{3,}[ -]*$")
_ROW = re.compile(rf"({NAME})\s+({VERSION})(?:\s.*)?$")
_ROW_BEHIND = re.compile(rf"[^\w.-]({NAME})\s+({VERSION})(?:\s+[/~]\S{{0,300}})?$")
_YARN = re.compile(r"yarn ([a-z]+) v\d")
_LEAF = re.compile(r"[│ ]{0,400}[├└]─ ((?:@[\w.-]{1,200}/)?[A-Za-z0-9_][\w.-]{0,200})@([0-9][\w.+-]{0,100})$")
_FIELD = re.compile(r"(Name|Version|Location): (\S{1,300})")
_HEADING = re.compile(r"(Would )?(?:un)?install(?:ed)? \d+ package", re.IGNORECASE)
_REMOVED = re.compile(r"(?:Would uninstall|Uninstalled) \d+ package")
_CHANGE = re.compile(rf"\s{{0,9}}([+~-]) ({NAME})==({VERSION})(?: \(from .*)?$")


@dataclass(slots=True)
class Blocks:
    """Where one log is: read its lines in their order, without what others put before them."""

    _table: str = ""
    _name: str = ""
    _version: str = ""
    _would: bool = False
    _removed: bool = False
    _of_lock: bool = False

    def read(self, text: str) -> Said | None:
        """Return what the line says as part of its block, None where it is of none."""
        # `DONE 0.5s`, right behind the table, is no row of it.
        if self._table == "rows" and (row := _ROW.match(text)) and pep440(row[2]):
            return iter([(package(PYPI, row[1]), row[2], Sureness.INSTALLED, False)])
        if self._table == "conda" and (row_or_heading := self._of_conda(text)) is not None:
            return row_or_heading
        if self._table == "rows behind" and (row := _ROW_BEHIND.search(text)) and pep440(row[2]):
            return iter([(package(PYPI, row[1]), row[2], Sureness.LOCKED, False)])
        self._table = self._next(text)
        if heading := _YARN.match(text):
            self._of_lock = heading[1] == "list"
        if self._of_lock and (leaf := _LEAF.match(text)):
            return iter([(package(NPM, leaf[1]), leaf[2], Sureness.LOCKED, False)])
        if change := _CHANGE.match(text):
            return self._changed(change)
        if heading := _HEADING.match(text):
            self._would = heading[1] is not None
            self._removed = self._removed or _REMOVED.match(text) is not None
            return None
        self._removed = False
        return self._shown(found[1], found[2]) if (found := _FIELD.match(text)) else None

    def _next(self, text: str) -> str:
        """Return where in a table a line leads that is no row of one."""
        if self._table == "head" and _RULE.match(text):
            return "rows"
        if self._table == "head behind" and _RULE_BEHIND.search(text):
            return "rows behind"
        if _TABLE.match(text):
            return "head"
        return "conda" if _CONDA.match(text) else "head behind" if "Package" in text and _BEHIND.match(text) else ""

    def _of_conda(self, text: str) -> Said | None:
        """Return the row of conda's table, nothing of its heading, None where the table has ended."""
        if row := conda.ROW.match(text):
            return iter([(conda.of_row(row), row[2], Sureness.INSTALLED, False)])
        return iter(()) if text.startswith("#") or not text.strip(" ─") else None

    def _changed(self, change: re.Match[str]) -> Said:
        if change[1] == "-":
            sure, came = Sureness.INSTALLED if self._removed else Sureness.LOCKED, False
        else:
            sure, came = Sureness.LOCKED if self._would else Sureness.INSTALLED, not self._would
        yield package(PYPI, change[2]), change[3], sure, came

    def _shown(self, field: str, value: str) -> Said | None:
        """Read `pip show`: only what says where a package lies is surely there, others have a name and version too."""
        if field == "Name":
            self._name, self._version = value, ""
        elif field == "Version" and self._name and value[0].isdigit():
            self._version = value
            return iter([(package(PYPI, self._name), value, Sureness.LOCKED, False)])
        elif field == "Location" and self._version:
            told = package(PYPI, self._name), self._version, Sureness.INSTALLED, False
            self._name = self._version = ""
            return iter([told])
        return None
