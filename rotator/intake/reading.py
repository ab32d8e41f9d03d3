"""Read any report: its format is told from its content, never from its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from rotator.errors import BadInput
from rotator.flow.exposure import Exposure
from rotator.intake import credential_list, gitleaks, kingfisher, trufflehog
from rotator.intake.report import Head, Report


class Format(Protocol):
    """What each module of this package that reads a format has."""

    SOURCE: str
    DESCRIPTION: str

    def claims(self, head: Head) -> bool: ...
    def exposures(self, report: Report) -> Iterator[Exposure]: ...


_FORMATS: tuple[Format, ...] = (kingfisher, trufflehog, gitleaks, credential_list)


def formats() -> tuple[str, ...]:
    """Return the sources that exposures may name: what a playbook's `recognises` may ask for."""
    return tuple(each.SOURCE for each in _FORMATS)


def read(name: str, stream: BinaryIO) -> Iterator[Exposure]:
    """Yield the exposures that a report names, in its order, while it is read.

    `name` is what errors call it. Raises BadInput, at once or at any later exposure: a report is to be believed only
    when it was read to its end, so collect it before you act on any of it.
    """
    report = Report(name, stream)
    for each in _FORMATS:
        if each.claims(report.head):
            return each.exposures(report)
    raise _unknown(report)


def _unknown(report: Report) -> BadInput:
    what = "this is no report that rotator reads"
    if {"runs", "version"} <= report.head.keys:
        what = "this is a SARIF report: have the scanner write JSON"
    return report.bad(what, mend="it reads " + "; ".join(each.DESCRIPTION for each in _FORMATS))
