"""How a list goes on: the ways in which services turn pages, and how each of them tells the last one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from rotator.rest_authentication import ParameterName
from rotator.rest_template import FieldPath, Strict


class Pages(Strict):
    """How a list goes on: in exactly one of these ways."""

    next: FieldPath | None = Field(None, description="where the answer names the next page, by its path or URL")
    link_header: bool = Field(False, description="the header `Link` names it, as RFC 8288 says")
    cursor: FieldPath | None = Field(None, description="where the answer holds what the next call gives as `parameter`")
    number: ParameterName | None = Field(None, description="the parameter that counts pages")
    offset: ParameterName | None = Field(None, description="the parameter that counts entries")
    parameter: ParameterName | None = Field(None, description="of `cursor`; absent: the call or its body has {cursor}")
    first: Literal[0, 1] = Field(1, description="the number of the first page")
    more: FieldPath | None = Field(None, description="a field that is true while there is more")
    last: FieldPath | None = Field(None, description="where the answer holds the number of the last page")
    total: FieldPath | None = Field(None, description="where the answer holds how many entries there are in all")

    @model_validator(mode="after")
    def _one_way(self) -> Pages:
        ways = [name for name in ("next", "cursor", "number", "offset") if getattr(self, name) is not None]
        ways += ["link_header"] * self.link_header
        if len(ways) != 1:
            raise ValueError("name one of `next`, `link_header`, `cursor`, `number` and `offset`")
        for name, of in _SAYS_SOMETHING_TO.items():
            if name in self.model_fields_set and ways[0] not in of:
                raise ValueError(f"`{name}` says nothing to `{ways[0]}`")
        return self


_SAYS_SOMETHING_TO = {
    "parameter": {"cursor"},
    "first": {"number"},
    "more": {"cursor", "number", "offset"},
    "last": {"number"},
    "total": {"number", "offset"},
}


_NONE = "none"


def _said(value: object) -> object:
    if value is None or (isinstance(value, str) and value != _NONE):
        raise ValueError("`pages` names the way in which the list goes on, `none` where one answer holds all")
    return None if value == _NONE else value


def _aloud(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"const": _NONE} if each == {"type": "null"} else each for each in schema["anyOf"]]


Turning = Annotated[Pages | None, BeforeValidator(_said), Field(json_schema_extra=_aloud)]
"""How a list goes on; `none`, said aloud, is None here."""
