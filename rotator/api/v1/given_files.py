"""What is given over HTTP as a file: the whole body, with what is said of it beside."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query

from rotator.api.problems import Problem

NONE = Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_report", "no file came", mend="choose the file itself")
FileName = Annotated[
    str, Query(min_length=1, max_length=255, pattern=r"^[^\x00/]+$", description="What the file is called.")
]


def described(what: str) -> dict[str, Any]:
    """Return how a body that is a file is described."""
    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    return {"requestBody": {"required": True, "description": f"{what} The file itself.", "content": content}}
