"""Read `rotator.toml` and the environment, which beats it; a mistake is one line: what, where, how to mend it."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

import platformdirs
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rotator import model_errors, secret_reference
from rotator.errors import BadInput
from rotator.settings.approval import Approving
from rotator.settings.configuration import Settings

NAMED = "ROTATOR_CONFIG"
_OURS = frozenset({"folder", "file"})
"""The fields that nobody writes."""


def load(path: Path | None = None) -> Settings:
    """Read the configuration. Raises BadInput with what is wrong, where, and how to mend it."""
    given = chosen(path)
    folder = Path.cwd() if given is None else given.resolve().parent
    ours = {"folder": folder, "file": None if given is None else folder / given.name}
    values = {**({} if given is None else _read(given)), **_environment(), **ours}
    try:
        return Settings(**values)
    except ValidationError as error:
        # A key that is misspelt is missing too, which tells less.
        first = min(error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden")
        named = variable(str(first["loc"][0]) if first["loc"] else "")
        source = named if named in os.environ else given or "the environment"
        at = model_errors.place(first["loc"], values)
        where = f"{source}{f': {at}' if at else ''}"
        raise BadInput(model_errors.in_words(first), where, _mend(first)) from None
    except BadInput as error:
        raise BadInput(error.what, f"{given or 'the environment'}: {error.where}", error.mend) from None


def ruled(settings: Settings) -> Settings:
    """Return them with the rule of approval as its file says now: a process that lives long must not keep an old one.

    Raises BadInput where nobody can read it: then no rule is known, and nobody is let do anything by it.
    """
    if settings.file is None:
        return settings
    values = {**_read(settings.file), **_environment()}
    try:
        rule = Approving(**{key: values[key] for key in Approving.model_fields if key in values})
    except ValidationError:
        mend = "`rotator doctor` says what is wrong"
        raise BadInput("the rule of approval cannot be read", str(settings.file), mend) from None
    return settings.model_copy(update={key: getattr(rule, key) for key in Approving.model_fields})


def chosen(path: Path | None = None) -> Path | None:
    """Return the file that is read: the one that is named, ROTATOR_CONFIG, or the one that applies here; or None."""
    return path or (Path(os.environ[NAMED]) if NAMED in os.environ else None) or find()


def find() -> Path | None:
    """Return the configuration file that applies here, or None: ./rotator.toml, then the user's own."""
    for path in (Path("rotator.toml"), Path(platformdirs.user_config_dir("rotator")) / "rotator.toml"):
        if path.is_file():
            return path
    return None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror})", str(path), "give another with --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"is not TOML: {error}", str(path), "mend that line") from None


def _environment() -> dict[str, Any]:
    """Return what the environment says of the keys of the top level; a list is written as JSON there."""
    found: dict[str, Any] = {}
    for key, field in Settings.model_fields.items():
        text = os.environ.get(variable(key))
        if text is None or key in _OURS:
            continue
        if key == "token" and not secret_reference.is_one(text):  # the token itself: it stays where it is
            found[key] = f"env:{variable(key)}"
            continue
        try:
            is_data = get_origin(field.annotation) is list or any(_models(field.annotation))
            found[key] = json.loads(text) if is_data else text
        except (ValueError, RecursionError):
            raise BadInput(f"{key} is not JSON", variable(key), "lists and tables are written as JSON there") from None
    return found


def variable(key: str) -> str:
    """Return the environment variable of a key of the top level."""
    return f"ROTATOR_{key.upper()}"


def _mend(error: ErrorDetails) -> str:
    """Say which key was meant, where one is unknown."""
    if error["type"] == "list_type" and isinstance(error["input"], dict):
        return f"write [[{error['loc'][-1]}]], once for each"
    if error["type"] != "extra_forbidden":
        return "see docs/configuration.md"
    model: Any = Settings
    for part in error["loc"][:-1]:
        if isinstance(part, str) and part in model.model_fields:
            model = next(_models(model.model_fields[part].annotation), model)
    names = [name for name in model.model_fields if name not in _OURS]
    close = get_close_matches(str(error["loc"][-1]), names, n=1)
    return f"did you mean `{close[0]}`?" if close else f"there are {', '.join(names)}"


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
