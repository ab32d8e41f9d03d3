"""A mistake in what people write."""

from __future__ import annotations

from pydantic_core import PydanticCustomError


def wrong(what: str, mend: str = "", at: tuple[str | int, ...] = ()) -> PydanticCustomError:
    """Make an error that tells `playbook_file.py` what, how to mend it, and which part of the document it is about."""
    return PydanticCustomError("playbook", "{what}", {"what": what, "mend": mend, "at": at})
