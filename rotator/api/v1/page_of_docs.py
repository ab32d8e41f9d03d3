"""The page at /docs: every operation of the API on one page that loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from json import dumps
from typing import Any

from rotator.api.v1.examples import EXAMPLES
from rotator.flow.roles import NEEDS

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>rotator API</title></head><body><main>
<h1>rotator API</h1>
"""


def html(described: Mapping[str, Any]) -> str:
    """Return the page for an OpenAPI description."""
    server = described["servers"][0]["url"]
    return "".join(
        [
            _HEAD,
            f"<p>{escape(described['info']['description'])} The whole description, for programs: ",
            '<a href="/openapi.json">/openapi.json</a>.</p>\n',
            *_operations(server, described["paths"]),
            "<h2>Roles</h2>\n<ul>\n",
            *(f"<li><code>{act}</code>: {role}</li>\n" for act, role in NEEDS.items()),
            "</ul>\n</main></body></html>\n",
        ]
    )


def _operations(server: str, paths: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            yield f"<h2><code>{method.upper()} {escape(server + path)}</code></h2>\n"
            yield f"<p>{escape(operation.get('description', operation['summary']))}</p>\n"
            named = [each for each in operation.get("parameters", ()) if each["in"] != "path"]
            if named:
                rows = (
                    f"<li><code>{escape(each['name'])}</code> ({each['in']}): "
                    f"{escape(each.get('description', ''))}</li>\n"
                    for each in named
                )
                yield f"<ul>\n{''.join(rows)}</ul>\n"
            yield f"<details><summary>Example</summary>\n<pre>{escape(_example(path, method))}</pre></details>\n"


def _example(path: str, method: str) -> str:
    """Return what is asked, and below it what is answered."""
    shown = EXAMPLES[f"{method.upper()} {path}"]
    query = "&".join(f"{name}={value}" for name, value in shown.get("query", {}).items())
    asked = path.format(**shown.get("path", {})) + (f"?{query}" if query else "")
    told = [shown[each] for each in ("body", "answer") if each in shown]
    texts = [each if isinstance(each, str) else dumps(each, indent=2, ensure_ascii=False) for each in told]
    return "\n\n".join([f"{method.upper()} {asked}", *(each.strip() for each in texts)])
