"""JSON of any length, one piece at a time: the elements of an array, the members of an object, the lines of JSONL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from rotator.errors import BadInput
from rotator.intake.report import PIECE_CAP, Report

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
# A literal, a number or an escape that straddles two chunks shows itself this close to the window's end.
_STRADDLE = 16

Within = Mapping[str, "Within"]
"""The members to open, and within their objects the members to open again. A finite one: a report may nest for ever."""

END: Final = object()
"""Stands in the place of a value where an opened array or object ends."""


def records(report: Report) -> Iterator[tuple[str, object]]:
    """Yield each finding of an array or of JSONL, whichever the report is, with its place for error messages."""
    if report.head.opens == "[":
        for ordinal, value in enumerate(elements(report), start=1):
            yield f"finding {ordinal}", value
    else:
        for number, line in report.lines():
            yield f"line {number}", _line(report, number, line)


def elements(report: Report) -> Iterator[object]:
    """Yield each element of the one array that the report is."""
    text = _Pieces(report)
    yield from text.elements()
    if text.next_character():
        raise text.broken("something follows the report's end", "give each report as a file of its own")


def members(report: Report, unfold: str) -> Iterator[tuple[str, int, object]]:
    """Yield (key, 0, value) for each member of each top-level object.

    The array under the key `unfold` comes element by element instead, (key, ordinal from 1, element), and ends with
    (key, 0, []).
    """
    text = _Pieces(report)
    while text.next_character():
        text.take("{")
        if text.next_character() == "}":
            text.take("}")
            continue
        while True:
            key = text.value()
            text.take(":")
            if key == unfold and text.next_character() == "[":
                for ordinal, element in enumerate(text.elements(), start=1):
                    yield unfold, ordinal, element
                yield unfold, 0, []
            else:
                yield str(key), 0, text.value()
            if text.take(",}") == "}":
                break


def opened(report: Report, within: Within) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield (keys on the way, value) for each member of the one object that the report is, in the report's order.

    A member that `within` names comes piece by piece instead: an array as its elements, each under the array's keys; an
    object, also one in such an array if `within` names members of it, as its own members. Each ends with (keys, END).
    """
    text = _Pieces(report)
    yield from text.within((), within)
    if text.next_character():
        raise text.broken("something follows the report's end", "give each report as a file of its own")


def _line(report: Report, number: int, line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise report.bad(
            "this line is not a whole JSON value: the report is cut off or damaged",
            f"line {number}",
            "run the scanner again; in JSONL each finding stands on one line",
        ) from None


class _Pieces:
    """A window that moves over the report's text. Errors name the byte, and never quote."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._chunks = report.chunks()
        self._window = ""
        self._at = 0
        self._passed = report.starts_at

    def next_character(self) -> str:
        """Skip space and return the next character without taking it, or "" at the end."""
        while True:
            space = _SPACE.match(self._window, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._window):
                return self._window[self._at]
            if not self._more():
                return ""

    def take(self, one_of: str) -> str:
        """Take the next character, which must be one of these."""
        found = self.next_character()
        if not found:
            raise self.cut_off()
        if found not in one_of:
            raise self.broken("this is not JSON, or it is damaged")
        self._at += 1
        return found

    def elements(self) -> Iterator[object]:
        self.take("[")
        if self.next_character() == "]":
            self.take("]")
            return
        while True:
            yield self.value()
            if self.take(",]") == "]":
                return

    def within(self, way: tuple[str, ...], wanted: Within) -> Iterator[tuple[tuple[str, ...], object]]:
        self.take("{")
        if self.next_character() == "}":
            self.take("}")
        else:
            while True:
                key = str(self.value())
                self.take(":")
                if key in wanted:
                    yield from self._open((*way, key), wanted[key])
                else:
                    yield (*way, key), self.value()
                if self.take(",}") == "}":
                    break
        yield way, END

    def _open(self, way: tuple[str, ...], wanted: Within) -> Iterator[tuple[tuple[str, ...], object]]:
        first = self.next_character()
        if first == "{":
            yield from self.within(way, wanted)
        elif first != "[":
            yield way, self.value()
        else:
            self.take("[")
            while self.next_character() != "]":
                if wanted and self.next_character() == "{":
                    yield from self.within(way, wanted)
                else:
                    yield way, self.value()
                if self.take(",]") == "]":
                    return
                if self.next_character() == "]":
                    raise self.broken("this is not JSON, or it is damaged")
            self.take("]")

    def value(self) -> object:
        """Take one value, reading on until it is whole."""
        self.next_character()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._window, self._at)
            except json.JSONDecodeError as error:
                if not _may_go_on(error, len(self._window)):
                    raise self.broken("this is not JSON, or it is damaged") from None
            except (ValueError, RecursionError):
                raise self.broken("a number too long or values nested too deep") from None
            else:
                # A number near the window's end may go on beyond it: "12" of "123", "0" of "0.5".
                if isinstance(value, str | dict | list) or end < len(self._window) - _STRADDLE or not self._more():
                    self._at = end
                    return value
                continue
            # Twice as much each time, so that a long value is not decoded again for every chunk.
            wanted = max(2 * (len(self._window) - self._at), 1)
            if wanted > 2 * PIECE_CAP:
                raise self.broken(
                    f"one finding is longer than {PIECE_CAP >> 20} MB", "give one report, as the scanner wrote it"
                )
            if not self._more():
                raise self.cut_off()
            while len(self._window) < wanted and self._more():
                pass

    def cut_off(self) -> BadInput:
        return self._report.bad(
            "the report is cut off", f"byte {self._byte(len(self._window))}", "run the scanner again"
        )

    def broken(self, what: str, mend: str = "run the scanner again") -> BadInput:
        return self._report.bad(what, f"byte {self._byte(self._at)}", mend)

    def _byte(self, at: int) -> int:
        return self._passed + len(self._window[:at].encode())

    def _more(self) -> bool:
        chunk = next((chunk for chunk in self._chunks if chunk), "")
        if not chunk:
            return False
        self._passed = self._byte(self._at)
        self._window = self._window[self._at :] + chunk
        self._at = 0
        return True


def _may_go_on(error: json.JSONDecodeError, length: int) -> bool:
    """Tell whether more text could mend it: a string without end, or a failure at the window's very end."""
    return error.msg.startswith("Unterminated string") or error.pos >= length - _STRADDLE
