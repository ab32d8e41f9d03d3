"""Tell what each evidence file is, from its content, and read it: bills of materials, lists, locks, logs.

Formats for which a program writes nothing telling at the start are also known by their usual name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Protocol

from rotator.errors import BadInput
from rotator.intake.report import Report
from rotator.packages import (
    conda,
    conda_yaml,
    cyclonedx,
    cyclonedx_xml,
    job_log,
    node_text,
    node_trees,
    package_lock,
    pipfile_lock,
    pnpm_lock,
    requirements,
    spdx,
    spdx_tags,
    toml_lock,
    yarn_lock,
)
from rotator.packages.component import Document, Parts, Unread
from rotator.packages.evidence_text import utf8
from rotator.packages.place import of_folder


class Format(Protocol):
    """What each module of this package that reads a format has."""

    DESCRIPTION: str

    def claims(self, report: Report) -> bool: ...
    def components(self, report: Report) -> Parts: ...


# The plainer a form, the later: almost any text could be a log.
_FORMATS: tuple[Format, ...] = (
    cyclonedx,
    spdx,
    package_lock,
    pipfile_lock,
    node_trees,
    cyclonedx_xml,
    spdx_tags,
    yarn_lock,
    pnpm_lock,
    toml_lock,
    conda_yaml,
    conda,
    requirements,
    node_text,
    job_log,
)


def formats() -> tuple[str, ...]:
    """Return what can be read, in words."""
    return tuple(each.DESCRIPTION for each in _FORMATS)


def walk(pairs: Iterable[tuple[str, BinaryIO]]) -> Iterator[Document | Unread]:
    """Yield each file of (path, stream) pairs, to be read through before the next is asked for.

    A path is as it was given, with the folders that say whose it is (see `place`). A file that nobody here understands
    comes as Unread.
    """
    for path, stream in pairs:
        try:
            report = Report(path, utf8(stream))
        except BadInput as error:
            yield Unread(path, error.what)
            continue
        except OSError as error:
            yield Unread(path, f"it cannot be read ({error.strerror})")
            continue
        reader = next((each for each in _FORMATS if each.claims(report)), None)
        if reader is None:
            yield Unread(path, "this is no evidence of packages that rotator reads")
        else:
            happened = reader is job_log
            yield Document(path, reader.DESCRIPTION, of_folder(path), reader.components(report), happened)
