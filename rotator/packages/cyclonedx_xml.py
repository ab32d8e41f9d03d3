"""Read CycloneDX bills of materials in XML, as they come in. A document type declaration is refused unread.

What entities make of a small file (a "billion laughs") begins with one, and no bill of materials has any.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from rotator.errors import BadInput
from rotator.intake.report import Report
from rotator.packages.advisory import moment
from rotator.packages.component import About, Component, Parts
from rotator.packages.cyclonedx import component, site_of

DESCRIPTION = "CycloneDX XML"

_FIELDS = frozenset({"purl", "group", "name", "version"})
_TEXT_CAP = 4096
_DEPTH = 200


def claims(report: Report) -> bool:
    """Tell whether this is XML with a bill of materials as its root."""
    return report.head.opens == "<" and any("<bom" in line for line in report.head.lines)


def components(report: Report) -> Parts:
    """Yield each component, those inside others too, and what the document tells of itself."""
    reader = _Reader(report)
    for chunk in report.chunks():
        reader.feed(chunk)
        yield from reader.taken()
    reader.feed("", last=True)
    yield from reader.taken()


class _Reader:
    """What is open at the moment, and what was found since it was last asked."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._way: list[str] = []
        self._open: list[tuple[str, int, dict[str, str]]] = []
        self._text = ""
        self._made = ""
        self._found: list[Component | About] = []
        # The text is decoded already, whatever encoding the document declares.
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._more

    def feed(self, text: str, *, last: bool = False) -> None:
        try:
            self._parser.Parse(text.encode(), last)
        except expat.ExpatError as error:
            what = "this is not whole XML: it is cut off or damaged"
            raise self._report.bad(what, f"line {error.lineno}", "write the bill of materials again") from None

    def taken(self) -> Iterator[Component | About]:
        found, self._found = self._found, []
        yield from found

    def _refuse(self, *_: object) -> None:
        raise self._bad("it declares a document type, which no bill of materials needs")

    def _bad(self, what: str) -> BadInput:
        return self._report.bad(what, f"line {self._parser.CurrentLineNumber}", "write the bill of materials again")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        self._way.append(tag)
        if len(self._way) > _DEPTH:
            raise self._bad("its elements are nested too deep")
        self._text = ""
        if tag == "component":
            self._open.append((attributes.get("type", ""), self._parser.CurrentLineNumber, {}))

    def _more(self, text: str) -> None:
        if len(self._text) < _TEXT_CAP:
            self._text += text

    def _end(self, _: str) -> None:
        tag = self._way.pop()
        parent = self._way[-1] if self._way else ""
        if self._open and parent == "component" and tag in _FIELDS:
            self._open[-1][2][tag] = self._text.strip()
        elif tag == "timestamp" and parent == "metadata":
            self._made = self._text.strip()
        elif tag == "component":
            kind, line, of = self._open.pop()
            if parent == "metadata":
                self._found.append(About(site_of(kind, "/".join(filter(None, map(of.get, ("group", "name")))))))
            elif "metadata" not in self._way and (found := component(of, "", line)) is not None:
                self._found.append(found)
        elif tag == "metadata":
            self._found.append(About(made=moment(self._made)))
        self._text = ""
