"""What an answer of a REST service means: the sorts of answers that a playbook names, and those that mean nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema, model_validator

from rotator.rest_template import Strict


def _where(value: object) -> object:
    if not isinstance(value, dict) or not value:
        raise ValueError("`where` names fields and what stands there: {error: [revoked, expired]}")
    told: dict[str, tuple[str | int | float | bool | None, ...]] = {}
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
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "description": "field: the value, or values, that it has; a number in a path is a place in a list, from 0",
        }
    ),
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
    """One sort of answer: its status, and where the status does not tell enough, what stands in it.

    `where` is read in its JSON; `says` is found in a text that is no JSON; `empty` is an answer without any.
    """

    status: tuple[int, ...]
    where: Where = Field(default_factory=dict)
    says: Annotated[str, StringConstraints(min_length=4, max_length=120)] | None = None
    empty: bool = False

    @model_validator(mode="after")
    def _one_form(self) -> Answered:
        if bool(self.where) + (self.says is not None) + self.empty > 1:
            raise ValueError("an answer is JSON (`where`), another text (`says`) or `empty`: name one of them")
        return self

    @property
    def names(self) -> int:
        """Return how much it names beside the status: what names more goes first."""
        return len(self.where) + (self.says is not None) + self.empty

    @property
    def by_status_alone(self) -> bool:
        """Tell whether it names nothing that an answer must hold: a missing field is missing in anybody's answer."""
        return self.says is None and not self.empty and all(wanted == (None,) for wanted in self.where.values())

    def shares(self, other: Answered) -> set[int]:
        """Return the statuses under which one answer could be of both sorts, and neither says more than the other."""
        if bool(self.names) != bool(other.names) or self._form != other._form:
            return set()
        if _differ(self.where, other.where) or _differ(other.where, self.where):
            return set()
        return set(self.status) & set(other.status)

    @property
    def _form(self) -> tuple[bool, bool]:
        return self.says is not None, self.empty


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
                        "says": {"type": "string", "minLength": 4, "maxLength": 120},
                        "empty": {"type": "boolean"},
                    },
                },
            ]
        }
    ),
]
"""A status, or `{status: 200, where: {ok: false, error: token_revoked}}`, or `{status: 403, says: "no such token"}`."""

Answers = Annotated[list[Answer], Field(min_length=1)]


def _none(value: object) -> object:
    if value == []:
        raise ValueError("`none` where the service refuses a dead one with nothing that is its own: say it aloud")
    return [] if value == "none" else value


Refusals = Annotated[list[Answer], BeforeValidator(_none)]
"""Answers, or `none` where no answer of the service tells a dead credential from a living one."""

_UNKNOWN_ASKER, _NOT_FOUND = 401, 404
_NO_ANSWER = frozenset({407, 408, 425, 429, *range(300, 400), *range(500, 600)})
"""What says nothing of a credential: somebody is in between, too busy, or broken."""
_REFUSED = frozenset({_UNKNOWN_ASKER, 403})
"""What says that the asker was not let in, and nothing of what was asked about."""


def refuse_untellable(answers: Iterable[Answered], what: str, *, of_asker: bool) -> None:
    """Raise ValueError where an answer would be taken for `what` that tells nothing of the kind.

    `of_asker`: the rotator asks, so that its own refusal says nothing of the credential either.
    """
    untold = _NO_ANSWER | _REFUSED if of_asker else _NO_ANSWER
    for status in sorted({each for answer in answers for each in answer.status} & untold):
        why = "it refuses whoever asks" if status in _REFUSED else "a proxy, a limit or a breakdown says the same"
        raise ValueError(f"{status} never means {what}: {why}")


def refuse_unnamed(rejected: Iterable[Answered]) -> None:
    """Raise ValueError for a refusal that would be taken for a death, and that a living credential may meet as well.

    A gateway refuses in JSON too, with nothing, or in the words that HTTP has for it: none of these is the service's.
    """
    mend = "name with `where`, or `says`, what the service itself says; `none` where it says nothing of its own"
    for sort in rejected:
        if sort.where and sort.by_status_alone:
            raise ValueError("a `where` of nulls alone holds of any answer: name what the refusal says")
        if sort.by_status_alone:
            raise ValueError(f"{sort.status[0]} alone is also said to a living credential, by a gateway: {mend}")
        if sort.empty:
            raise ValueError(f"an empty {sort.status[0]} is also said by a gateway: {mend}")
        if sort.says is not None and sort.says.strip().lower() in _PHRASES:
            raise ValueError(f"`{sort.says}` are HTTP's own words, which a gateway says as well: {mend}")


_PHRASES = frozenset(each.phrase.lower() for each in HTTPStatus) | {"access denied"}


def refuse_untold_absence(answers: Iterable[Answered], what: str) -> None:
    """Raise ValueError for a 404 that would be taken for `what`, where nothing else tells whose 404 it is."""
    for sort in answers:
        if _NOT_FOUND in sort.status and sort.by_status_alone:
            raise ValueError(f"404 alone never means {what} without a `list`: a wrong address says the same")


def an_answer(status: int) -> Answered:
    """Return the answer that a status alone tells."""
    return Answered(status=(status,))
