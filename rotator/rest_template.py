"""The few words of a playbook's `http:` section: calls with {placeholders}, paths into JSON, what an answer must say.

There is no expression language: what these words cannot say is a provider in Python.
"""

from __future__ import annotations

import contextlib
import contextvars
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

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


Plain = str | int | float | bool | None


def _where(value: object) -> object:
    if not isinstance(value, dict) or not value:
        raise ValueError("`where` names fields and what stands there: {error: [revoked, expired]}")
    told: dict[str, tuple[Plain, ...]] = {}
    for path, wanted in value.items():
        if not isinstance(path, str) or not re.fullmatch(r"[A-Za-z0-9_@-]+(\.[A-Za-z0-9_@-]+)*", path):
            raise ValueError(f"`{path}` is no path into an answer: names with dots between them")
        several = tuple(wanted) if isinstance(wanted, list | tuple) else (wanted,)
        if not several or not all(each is None or isinstance(each, str | int | float | bool) for each in several):
            raise ValueError(f"`{path}`: a text, a number, true, false or null, or a list of those")
        told[path] = several
    return told


Where = Annotated[
    dict[str, tuple[Any, ...]],
    BeforeValidator(_where),
    WithJsonSchema({"type": "object", "minProperties": 1, "description": "field: the value, or values, that it has"}),
]
"""Fields of the answer and the values that they may have; `null` also means that the field is missing or empty."""


def _differ(one: dict[str, tuple[Any, ...]], other: dict[str, tuple[Any, ...]]) -> bool:
    """Tell whether no answer can hold both: one field has other values, or is missing in one."""
    for path, wanted in one.items():
        if path in other and not set(map(repr, wanted)) & set(map(repr, other[path])):
            return True
        within = [told for longer, told in other.items() if longer.startswith(f"{path}.")]
        if wanted == (None,) and any(None not in told for told in within):
            return True
    return False


class Answered(Strict):
    """One sort of answer: its status, and where the status does not tell enough, what its JSON says."""

    status: tuple[int, ...]
    where: Where = Field(default_factory=dict)

    def shares(self, other: Answered) -> set[int]:
        """Return the statuses under which one answer could be of both sorts, and neither says more than the other."""
        if bool(self.where) != bool(other.where):
            return set()
        if _differ(self.where, other.where) or _differ(other.where, self.where):
            return set()
        return set(self.status) & set(other.status)


_LOWEST, _HIGHEST = 200, 599


def _answered(value: object) -> object:
    if isinstance(value, Answered):
        return value
    told = {"status": value} if isinstance(value, int) else value
    if not isinstance(told, dict) or "status" not in told:
        raise ValueError("an answer is a status, or {status: 200, where: {FIELD: VALUE}}")
    several = told["status"] if isinstance(told["status"], list | tuple) else [told["status"]]
    for each in several:
        if isinstance(each, bool) or not isinstance(each, int) or not _LOWEST <= each <= _HIGHEST:
            raise ValueError(f"`{each}` is no status of an answer: {_LOWEST} to {_HIGHEST}")
    if not several:
        raise ValueError("an answer has at least one status")
    return {**told, "status": tuple(several)}


_STATUS = {"type": "integer", "minimum": _LOWEST, "maximum": _HIGHEST}
Answer = Annotated[
    Answered,
    BeforeValidator(_answered),
    WithJsonSchema(
        {
            "anyOf": [
                _STATUS,
                {
                    "type": "object",
                    "required": ["status"],
                    "additionalProperties": False,
                    "properties": {
                        "status": {"anyOf": [_STATUS, {"type": "array", "items": _STATUS, "minItems": 1}]},
                        "where": {"type": "object", "minProperties": 1},
                    },
                },
            ]
        }
    ),
]
"""A status, or `{status: 200, where: {ok: false, error: token_revoked}}`."""

Answers = Annotated[list[Answer], Field(min_length=1)]

_NO_ANSWER = frozenset({408, 425, 429, *range(300, 400), *range(500, 600)})
"""What says nothing of a credential: somebody is in between, too busy, or broken."""
_REFUSED = frozenset({401, 403, 407})
"""What says that the asker was not let in, and nothing of what was asked about."""


def refuse_untellable(answers: Iterable[Answered], what: str, *, of_asker: bool) -> None:
    """Raise ValueError where an answer would be taken for `what` that tells nothing of the kind.

    `of_asker`: the rotator asks, so that its own refusal says nothing of the credential either.
    """
    untold = _NO_ANSWER | _REFUSED if of_asker else _NO_ANSWER
    for status in sorted({each for answer in answers for each in answer.status} & untold):
        why = "it refuses whoever asks" if status in _REFUSED else "a proxy, a limit or a breakdown says the same"
        raise ValueError(f"{status} never means {what}: {why}")


def an_answer(status: int) -> Answered:
    """Return the answer that a status alone tells."""
    return Answered(status=(status,))
