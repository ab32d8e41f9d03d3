"""What is looked at: made here by a function of the parts, or read under the path that the API has for it.

Each view stands in `views/`, in the file of its subject: who looks at one thing imports nothing of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator

ALL = "all"
"""What asks for all of a list that has less by itself."""

Of = TypeVar("Of", bound=StrEnum)
"""The forms that a sort of file has."""


@dataclass(frozen=True, slots=True)
class OfIncident:
    """A document about one incident, or none. `make` takes its id, and how this reader calls the program."""

    path: str
    make: Callable[[Rotator, str, str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list, of which the API gives out a page at a time. `make` takes whose it is, mostly an incident's id, or ""."""

    path: str
    make: Callable[[Rotator, str], list[dict[str, Any]]]
    by: str = ""
    """Which parameter of the query names it, where the path does not."""


@dataclass(frozen=True, slots=True)
class FileOf(Generic[Of]):
    """A file, whose `form` its path names. `make` takes in whose name, that, and what else is asked, by name.

    `types` are the media types of its forms. What is asked may stand in the path.
    """

    path: str
    make: Callable[[Rotator, str, Of, Mapping[str, str]], Iterator[bytes]]
    types: Mapping[Of, str]
