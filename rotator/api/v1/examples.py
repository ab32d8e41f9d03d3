"""One example of each operation: what is asked, and what is answered. A test asks them all, as one story, in order."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = json.loads(
    resources.files("rotator.api.v1").joinpath("examples.json").read_text("utf-8")
)
"""By method and path: `path`, `query` and `body` are asked, `answer` is what comes. No secret in it opens anything."""


def show(described: dict[str, Any]) -> None:
    """Put each operation's example into the description of the API."""
    for operation, example in EXAMPLES.items():
        method, path = operation.split(" ")
        told = described["paths"][path][method.lower()]
        given = {**example.get("path", {}), **example.get("query", {})}
        for each in told.get("parameters", ()):
            if each["name"] in given:
                each["example"] = given[each["name"]]
        if "body" in example:
            _all(told["requestBody"]["content"], example["body"])
        answers = told["responses"]
        _all((answers.get("201") or answers["200"])["content"], example["answer"])


def _all(content: dict[str, Any], example: Any) -> None:
    """Show it in each form; of an answer that comes also as a file of another kind, in its data's form alone."""
    data = content.get("application/json")
    for each in [data] if data is not None else content.values():
        each["example"] = example
