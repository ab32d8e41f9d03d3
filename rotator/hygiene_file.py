"""Read hygiene's policies from disk: YAML to `flow/hygiene.py`, every mistake as one line with its place."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from rotator import model_errors, strict_yaml
from rotator.errors import BadInput
from rotator.flow.duration import Duration
from rotator.flow.hygiene import Freeze, Policy
from rotator.flow.playbook_words import Strategy, meant
from rotator.flow.selector import selector
from rotator.flow.timetable import timetable
from rotator.settings.timing import Cron, TimeZone
from rotator.strict_yaml import MAX_BYTES, Places, Problem

_DAY_S = 86400


class FreezeEntry(BaseModel):
    """Days on which nothing is begun, the first and the last included, in the policy's time zone."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    first: dt.date = Field(alias="from")
    last: dt.date = Field(alias="to")
    why: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> FreezeEntry:
        if self.last < self.first:
            raise ValueError(f"the freeze ends {self.last}, before it begins {self.first}")
        return self


class PolicyEntry(BaseModel):
    """One policy. It `expires` at the end of that day, UTC: until then what it says is agreed."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    select: str
    max_age: Annotated[Duration, Field(ge=_DAY_S)]
    schedule: Cron
    window: Annotated[Duration, Field(ge=60)]
    time_zone: TimeZone = "UTC"
    jitter: Duration = 0
    overlap: Duration = _DAY_S
    deadline: Annotated[Duration, Field(ge=60)] = 7 * _DAY_S
    strategy: Literal[Strategy.REPLACE_FIRST] = Strategy.REPLACE_FIRST
    at_once: Annotated[int, Field(ge=1, le=1000)] = 5
    freeze: list[FreezeEntry] = []
    approved_by: Annotated[str, Field(min_length=1, max_length=128)]
    expires: dt.date
    destroys: bool = False

    @field_validator("select")
    @classmethod
    def _selects(cls, value: str) -> str:
        try:
            selector(value, "select")
        except BadInput as error:
            raise ValueError(f"{error.what}: {error.mend}") from None
        return value

    @model_validator(mode="after")
    def _fits(self) -> PolicyEntry:
        if self.jitter >= self.max_age:
            raise ValueError("jitter is taken from max_age, and must be less than that")
        if self.deadline < self.overlap:
            raise ValueError("a person is asked after the deadline, which cannot come before the overlap is over")
        return self

    def policy(self) -> Policy:
        """Return it as the flow's noun."""
        return Policy(
            name=self.name,
            select=selector(self.select, self.name),
            max_age_s=float(self.max_age),
            timetable=timetable(self.schedule),
            window_s=float(self.window),
            zone=ZoneInfo(self.time_zone),
            jitter_s=float(self.jitter),
            overlap_s=float(self.overlap),
            deadline_s=float(self.deadline),
            at_once=self.at_once,
            freezes=tuple(Freeze(each.first, each.last, each.why) for each in self.freeze),
            approved_by=self.approved_by,
            expires=dt.datetime.combine(self.expires, dt.time.max, dt.UTC).timestamp(),
            destroys=self.destroys,
        )


class HygieneFile(BaseModel):
    """A file of policies."""

    model_config = ConfigDict(extra="forbid")
    policies: Annotated[list[PolicyEntry], Field(min_length=1)]


def load_all(paths: Sequence[Path]) -> tuple[Policy, ...]:
    """Return the policies of all files, in their order. Raises BadInput for the first mistake, or one name twice."""
    found: dict[str, Policy] = {}
    for path in paths:
        outcome = _understood(_bytes(path))
        if not isinstance(outcome, HygieneFile):
            first, more = outcome[0], len(outcome) - 1
            raise BadInput(f"{first.what}{f'; {more} more' if more else ''}", f"{path}:{first.line}", first.mend)
        for entry in outcome.policies:
            if entry.name in found:
                raise BadInput(f"two policies are called {entry.name}", str(path), "rename one")
            found[entry.name] = entry.policy()
    return tuple(found.values())


def lint(path: Path, kinds: Collection[str], now: float) -> list[Problem]:
    """Return every mistake of one file, in the order of its lines; BadInput only when it cannot be read at all.

    Also what can be read and does nothing: a policy whose day is over `now`, in epoch seconds, or for none of the
    `kinds` that there are.
    """
    raw = _bytes(path)
    outcome = _understood(raw)
    if not isinstance(outcome, HygieneFile):
        return list(outcome)
    found = [one for number, each in enumerate(outcome.policies) for one in _idle(each, number, kinds, now)]
    places = strict_yaml.read(raw)[1]
    return [Problem(*places.of(at), what, mend) for at, what, mend in found]


def _idle(
    entry: PolicyEntry, number: int, kinds: Collection[str], now: float
) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Yield why nothing would begin by a policy, where that stands, and what mends it."""
    policy = entry.policy()
    pattern = policy.select.names("provider")
    if not any(fnmatchcase(each, pattern) for each in kinds):
        close = get_close_matches(pattern, kinds, n=1)
        mend = f"did you mean `{close[0]}`?" if close else "`rotator provider list` says which there are"
        yield ("policies", number, "select"), f"no kind is called `{pattern}`", mend
    if policy.expires < now:
        what = f"its day is over: nothing begins by {entry.name} since {entry.expires}"
        yield ("policies", number, "expires"), what, "have it agreed to anew, with a day to come"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of such a file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **HygieneFile.model_json_schema()}


@functools.lru_cache(maxsize=16)  # it is read each minute, and changes once a quarter
def _understood(raw: bytes) -> HygieneFile | tuple[Problem, ...]:
    try:
        document, places = strict_yaml.read(raw)
    except strict_yaml.NotPlain as error:
        return (error.problem,)
    try:
        found = HygieneFile.model_validate(document)
    except ValidationError as error:
        problems = {_of_model(each, places) for each in error.errors(include_url=False)}
        return tuple(sorted(problems, key=lambda each: (each.line, each.column)))
    names = [each.name for each in found.policies]
    twice = [
        Problem(*places.of(("policies", number, "name")), f"two policies are called {name}", "rename one")
        for number, name in enumerate(names)
        if name in names[:number]
    ]
    return tuple(twice) or found


def _of_model(error: ErrorDetails, where: Places) -> Problem:
    at, context = tuple(error["loc"]), error.get("ctx", {})
    line, column = where.of(at)
    words = [part for part in at if isinstance(part, str)]
    name = words[-1] if words else "the document"
    match error["type"]:
        case "playbook":
            return Problem(line, column, f"`{name}`: {context['what']}", context["mend"])
        case "missing":
            return Problem(line, column, f"`{name}` is missing", f"add `{name}:`")
        case "extra_forbidden":
            fields = (HygieneFile if len(at) == 1 else FreezeEntry if "freeze" in at else PolicyEntry).model_fields
            keys = [field.alias or key for key, field in fields.items()]
            return Problem(line, column, f"unknown key `{name}`", meant(name, keys))
        case "literal_error":
            among = ", ".join(re.findall(r"'([^']+)'", context["expected"]))
            return Problem(line, column, f"`{name}` must be {among}", f"write `{name}: {among}`, or leave it out")
        case "value_error":
            return Problem(line, column, str(context["error"]), f"mend `{name}`" if words[1:] else "mend this policy")
    return Problem(line, column, f"`{name}` {model_errors.in_words(error)}", "see docs/hygiene.md")


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise BadInput("there is no such file", str(path), "mend the path") from None
    except OSError as error:
        raise BadInput(f"it cannot be read: {error.strerror}", str(path), "mend the path or its mode") from None
