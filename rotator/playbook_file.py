"""Read playbooks from disk: YAML 1.2 to `flow/playbook.py`, every mistake as one line with its place.

A playbook decides what is destroyed, so nothing in a file is guessed at: no tags, no anchors, no second document.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rotator import model_errors, strict_yaml
from rotator.errors import BadInput
from rotator.flow.playbook import Playbook
from rotator.flow.playbook_check import asked, check
from rotator.flow.playbook_walk import Can
from rotator.flow.playbook_words import meant
from rotator.intake.reading import formats
from rotator.strict_yaml import MAX_BYTES, Places, Position, Problem

__all__ = ["SHIPPED", "Problem", "available", "files", "lint", "load", "load_all", "mistakes"]

SHIPPED = Path(__file__).resolve().parent.parent / "playbooks"
"""The folder that comes with the program: beside the package, in a checkout and in a wheel alike."""

_ECHO = 40
_KEPT = 512


def load(path: Path) -> Playbook:
    """Return the playbook of one file, checked as far as can be without its provider.

    Raises BadInput with the first mistake and its line.
    """
    outcome = _understood(_bytes(path))
    if isinstance(outcome, Playbook):
        return outcome
    first, *others = outcome
    more = f"; {len(others)} more" if others else ""
    raise BadInput(f"{first.what}{more}", f"{_shown(path)}:{first.line}", first.mend)


def lint(path: Path) -> list[Problem]:
    """Return every mistake of one file, in the order of its lines; BadInput only when it cannot be read at all."""
    return mistakes(_bytes(path))


def mistakes(raw: bytes) -> list[Problem]:
    """Return every mistake of a playbook's text, in the order of its lines."""
    outcome = _understood(raw)
    return [] if isinstance(outcome, Playbook) else list(outcome)


def load_all(folders: Sequence[Path] = ()) -> dict[str, Playbook]:
    """Return the shipped playbooks and those of more folders, by name.

    Raises BadInput for the first mistake, for two files of one name and for two that recognise the same finding.
    """
    found: dict[str, Playbook] = {}
    named: dict[str, Path] = {}
    claimed: dict[tuple[str, str], Path] = {}
    for path in files(folders):
        playbook = load(path)
        if playbook.playbook in named:
            raise BadInput(
                f"there is already a playbook `{playbook.playbook}` in {_shown(named[playbook.playbook])}",
                _shown(path),
                "rename one, or take one away",
            )
        for scanner, rules in playbook.recognises.items():
            for rule in rules:
                other = claimed.setdefault((scanner, rule), path)
                if other != path:
                    what = f"{scanner}'s `{rule}` is already recognised by {_shown(other)}"
                    raise BadInput(what, _shown(path), "only one playbook may answer a finding")
        found[playbook.playbook] = playbook
        named[playbook.playbook] = path
    return found


def available(folders: Sequence[Path] = ()) -> Mapping[str, Playbook]:
    """Return what `load_all` does. Where there are only shipped ones, each is read when it is asked for.

    To read them all takes half a second, and hardly a command needs more than a few. They are checked against each
    other before they are shipped; with more folders all are read at once, since only so can they be compared.
    """
    return load_all(folders) if folders else _Shipped()


class _Shipped(Mapping[str, Playbook]):
    """The shipped playbooks, each by the name of its file."""

    def __init__(self) -> None:
        self._paths = {path.stem: path for path in files()}
        self._read: dict[str, Playbook] = {}

    def __getitem__(self, name: str) -> Playbook:
        if name not in self._read:
            self._read[name] = load(self._paths[name])
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def files(folders: Sequence[Path] = ()) -> list[Path]:
    """Return the files of the shipped folder and of more folders, each folder's in order of their names.

    Raises BadInput for a folder that is not there, or that keeps a playbook under a name no loader looks for.
    """
    paths: list[Path] = []
    for folder in dict.fromkeys([SHIPPED, *(each.resolve() for each in folders)]):
        if not folder.is_dir():
            raise BadInput("there is no such folder of playbooks", _shown(folder), "make it, or mend the setting")
        paths += sorted(folder.glob("*.yaml"))
        for stray in sorted(folder.glob("*.yml")):
            raise BadInput("a playbook's file ends in .yaml", _shown(stray), f"rename it to {stray.stem}.yaml")
    return paths


def _shown(path: Path) -> str:
    """Return the path as a person in the working directory would write it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


@functools.lru_cache(maxsize=_KEPT)
def _understood(raw: bytes) -> Playbook | tuple[Problem, ...]:
    """Return what a file says; the same bytes always say the same, and to read all that is shipped takes half a second.

    Nobody changes a playbook: who wants another one makes a copy.
    """
    try:
        document, places = strict_yaml.read(raw)
    except strict_yaml.NotPlain as error:
        return (error.problem,)
    found = _unknown_scanners(document, places)
    walked: Playbook | None = None
    playbook: Playbook | None = None
    try:
        walked = playbook = Playbook.model_validate(document)
    except ValidationError as error:
        found += [_of_model(each, places) for each in error.errors(include_url=False)]
        walked = _steps_alone(document)
    if walked is not None:
        found += _missteps(walked, places)
    if playbook is not None and not found:
        return playbook
    return tuple(sorted(dict.fromkeys(found), key=lambda problem: (problem.line, problem.column)))


def _unknown_scanners(document: Any, places: Places) -> list[Problem]:
    """Return what `recognises` asks of scanners that no reader reads: it would never be met."""
    told = document.get("recognises") if isinstance(document, dict) else None
    return [
        Problem(*places.of(("recognises", name)), f"no report comes from `{_short(name)}`", meant(name, formats()))
        for name in (told if isinstance(told, dict) else ())
        if isinstance(name, str) and name not in formats()
    ]


def _steps_alone(document: Any) -> Playbook | None:
    """Return a playbook of the document's steps, so that they are walked although something else is wrong."""
    parts = {name: document[name] for name in ("strategies", "steps") if name in document}
    try:
        return Playbook.model_validate({"playbook": "a", "provider": "a", "summary": "", **parts})
    except ValidationError:
        return None


def _missteps(playbook: Playbook, places: Places) -> list[Problem]:
    steps = {line.id: ("steps", number) for number, line in enumerate(playbook.steps)}
    # Whatever else a REST kind can do or not, what its service shows can be kept.
    can = asked(playbook) | ({Can.PRESERVING} if playbook.http is not None and playbook.http.looks else set())
    return [
        Problem(*places.of(steps[each.step] if each.step else ("strategies",)), each.what, each.mend)
        for each in check(playbook, can)
    ]


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise BadInput("there is no such file", _shown(path), "mend the path") from None
    except OSError as error:
        raise BadInput(f"it cannot be read: {error.strerror}", _shown(path), "mend the path or its mode") from None


def _of_model(error: ErrorDetails, where: Places) -> Problem:
    position: Position = tuple(error["loc"])
    context: dict[str, Any] = error.get("ctx", {})
    if error["type"] == "playbook":
        return Problem(*where.of((*position, *context["at"])), context["what"], context["mend"])
    return Problem(*where.of(position), *_in_words(error, position, context))


def _in_words(error: ErrorDetails, position: Position, context: dict[str, Any]) -> tuple[str, str]:
    """Return what is wrong and how to mend it, for an error that Pydantic found by itself."""
    words = [part for part in position if isinstance(part, str)]
    name, given = words[-1] if words else "the document", error["input"]
    match error["type"]:
        case "missing":
            return f"`{name}` is missing", f"add `{name}:`"
        case "extra_forbidden":
            return f"unknown key `{name}`", meant(name, _keys_at(position[:-1]))
        case "enum" | "literal_error" if isinstance(given, str):
            return f"unknown {name} `{_short(given)}`", meant(given, re.findall(r"'([^']+)'", context["expected"]))
        case "value_error":
            return str(context["error"]), f"mend `{name}`"
        case "string_pattern_mismatch":
            return f"`{_short(str(given))}` is no {name}", f"it must match {context['pattern']}"
    return f"`{name}` {model_errors.in_words(error)}", f"see `{name}` in docs/playbook.schema.json"


def _short(text: str) -> str:
    return model_errors.one_line(text if len(text) <= _ECHO else f"{text[:_ECHO]}…")


def _keys_at(position: Position) -> list[str]:
    """Return the keys that the mapping at this place may have."""
    model: type[BaseModel] = Playbook
    for part in position:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if part in fields:
            model = next(_models(fields[str(part)].annotation), model)
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
