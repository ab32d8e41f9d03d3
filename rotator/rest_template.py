"""The few words of a playbook's `http:` section: calls with {placeholders}, and paths into JSON.

There is no expression language: what these words cannot say is a provider in Python.
"""

from __future__ import annotations

import contextlib
import contextvars
import re
from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Call = Annotated[str, StringConstraints(pattern=r"^(GET|POST|PUT|PATCH|DELETE) /\S*$")]
"""A method and a path under the connection's `endpoint_url`. `{id}`, `{owner}`, `{marker}`, `{exposed.FIELD}`, the
connection's `{account}` and the `settings` are filled in, percent-encoded in a path; `exposed.FIELD` is a field of the
listed entry of the exposed credential. Which of them a section knows is checked when the playbook is loaded."""

FieldPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_@-]+(\.[A-Za-z0-9_@-]+)*$")]
"""A dotted path into the answer's JSON, `data.token`; a number is a place in a list, from 0."""

PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_@-]+)*)\}")
EXPOSED = "exposed."
CREDENTIAL = "credential."
RESERVED = frozenset({"id", "owner", "marker", "secret", "cursor", "account", "exposed", "credential"})
"""Words that no setting may take."""

_settings: contextvars.ContextVar[frozenset[str]] = contextvars.ContextVar("settings", default=frozenset())


class Strict(BaseModel):
    """What takes no key that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@contextlib.contextmanager
def knowing(settings: Iterable[str]) -> Iterator[None]:
    """Let templates that are checked within name these settings of the connection."""
    token = _settings.set(frozenset(settings))
    try:
        yield
    finally:
        _settings.reset(token)


def placeholders(template: object) -> Iterator[str]:
    """Yield what stands in braces anywhere in a call or a body. Braces round anything but a name are text."""
    if isinstance(template, str):
        yield from PLACEHOLDER.findall(template)
    elif isinstance(template, dict):
        for each in template.values():
            yield from placeholders(each)
    elif isinstance(template, list | tuple):
        for each in template:
            yield from placeholders(each)


def refuse_unknown(templates: object, known: set[str]) -> None:
    """Raise ValueError for a placeholder that nothing would fill in. `exposed.` in `known` means any field of it."""
    known = known | _settings.get() | {"account"}
    for name in placeholders(templates):
        head, dot, field = name.partition(".")
        if name not in known and not (field and head + dot in known):
            choices = ", ".join(f"{{{each}FIELD}}" if each.endswith(".") else f"{{{each}}}" for each in sorted(known))
            raise ValueError(f"unknown placeholder {{{name}}}: this section knows {choices}")


class Asking(Strict):
    """A call with what it sends: a JSON `body`, or a `form`."""

    call: Call
    body: dict[str, object] = Field(default_factory=dict)
    form: dict[str, str] = Field(default_factory=dict, description="sent as a web form in place of a JSON body")

    @model_validator(mode="after")
    def _one_body(self) -> Asking:
        if self.body and self.form:
            raise ValueError("a call has a `body` or a `form`, not both")
        if set(PLACEHOLDER.sub("", self.call)) & set("{}"):
            raise ValueError(f"`{self.call}` has a brace that belongs to no placeholder")
        return self

    @property
    def templates(self) -> list[object]:
        return [self.call, self.body, self.form]
