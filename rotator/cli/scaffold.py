"""Begin a kind of credential: a playbook that is sound as it stands, and in a checkout the shapes to try it on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from rotator.errors import BadInput

_PLAYBOOK = """\
# How to read a playbook: docs/glossary.md. Its order is checked on every load: rotator/flow/playbook_check.py.
# connection: endpoint_url = https://…, credential = …            what the rotator needs there, and which rights
# confirmed in the vendor's documentation: …
# not confirmed: …
playbook: NAME
provider: http
summary: Replace an exposed … of ….
tested: {grade: fake, with: "a fake of the shapes in its published API documentation"}
strategies: [contain_first, replace_first, revoke_only]
recognises:
  list: [NAME]                    # and what scanners call it: kingfisher, trufflehog, gitleaks
http:
  # authenticate: {header: X-Api-Key}    absent: Authorization: Bearer. Or basic, query, headers, oauth, sigv4; `subject` likewise
  settle_s: 60                    # the vendor's propagation time: say where the number comes from
  format: tok_[A-Za-z0-9]{32}     # a whole secret: what differs was cut off, and is sent to nobody
  issue:    {call: POST /v1/tokens, body: {name: "{marker}", scopes: "{exposed.scopes}"}, id: id, secret: token}
  list:     {call: GET /v1/tokens, each: tokens, id: id, marker: name, created_at: created_at, last_used_at: last_used_at, keep: [name, scopes], pages: {next: next}}
  identify: {call: GET /v1/me, id: token_id}    # or by: hint, format, sha256 or report
  # Any other answer to the knock is inconclusive. Say what the refusal of a dead one says: a living one is refused as well.
  verify:   {call: GET /v1/me, accepted: [200], rejected: [{status: 401, where: {error: invalid_token}}]}
  revoke:   {call: "DELETE /v1/tokens/{id}", done: [204, 404]}
steps:
  - {id: keep,      do: preserve exposed}
  - {id: paired,    do: verify exposed}         # recorded, whatever it says: a refusal later needs its pair
  - {id: contain,   do: revoke exposed,                                       only_if: {strategy: [contain_first, revoke_only]}}
  - {id: refused,   do: verify exposed,       expect: rejected, retry_for: 15m, only_if: {strategy: [contain_first, revoke_only]}}
  - {id: issue,     do: issue replacement,    undo: revoke,                   only_if: {strategy: [contain_first, replace_first]}}
  - {id: works,     do: verify replacement,   expect: accepted, retry_for: 5m, only_if: {strategy: [contain_first, replace_first]}}
  - {id: deliver,   do: promote replacement,  undo: demote,                   only_if: {strategy: [contain_first, replace_first]}}
  - {id: reload,    do: reload consumers,                                     only_if: {strategy: [contain_first, replace_first]}}
  - {id: converged, do: verify consumers,     hold: {until: converged},       only_if: {strategy: [contain_first, replace_first]}}
  - {id: retire,    do: revoke exposed,                                       only_if: {strategy: [replace_first]}}
  - {id: dead,      do: verify exposed,       expect: rejected, retry_for: 15m, only_if: {strategy: [replace_first]}}
"""  # noqa: E501 - YAML's lines are as long as a call

_SHAPE = """\
# What the vendor's documentation prints, written down apart from the playbook: tests/fakes/vendor_server.py reads it.
source: the page that these answers were read on
case: {}                          # report: [id, secret] where the secret alone does not tell; settings, account, own
make: {id: "{16}", secret: "tok_{32}", scopes: [read]}
admin: {header: {Authorization: "Bearer {admin}"}}
subject: {header: {Authorization: "Bearer {secret}"}}
refused: [401, {error: invalid_token}]
living: [[403, {error: forbidden}]]    # how a living one is refused: an address that is not allowed, a missing right
routes:
  - {call: POST /v1/tokens, does: issue, takes: {name: name, scopes: scopes}, answer: [201, {id: "{id}", name: "{name}", scopes: "{scopes}", token: "{secret}"}]}
  - call: GET /v1/tokens
    does: list
    pages: {size: 2, parameter: after, by: id}
    each: {id: "{id}", name: "{name}", scopes: "{scopes}", created_at: "2026-01-02T03:04:05Z", last_used_at: null}
    answer: [200, {tokens: "{entries}", next: "{next_path}"}]
  - {call: "DELETE /v1/tokens/{id}", does: revoke, answer: [204], absent: [404, {error: not_found}]}
  - {call: GET /v1/me, as: subject, does: knock, answer: [200, {token_id: "{id}"}]}
"""  # noqa: E501 - likewise

_TRIED = ".venv/bin/pytest -n0 tests/contracts tests/test_architecture.py"
"""What runs the contract; `make lint` sets up what it needs."""


def register(app: typer.Typer) -> None:
    """Add `new` to the group `playbook`, which is there already."""
    (group,) = (each.typer_instance for each in app.registered_groups if each.name == "playbook")
    if group is not None:
        group.command("new")(new)


def new(
    name: Annotated[str, typer.Argument(help="The kind's name: small letters, digits and underlines.")],
    provider: Annotated[str, typer.Option(help="http: a REST service, described in YAML alone.")] = "http",
    folder: Annotated[
        Path | None, typer.Option("--in", help="Where the playbook goes; default: playbooks/ of a checkout, or here.")
    ] = None,
) -> None:
    """Write a playbook to begin with.

    In a checkout, also the shapes of the vendor's answers that it is tried on.

    Example: rotator playbook new acme_token
    """
    if provider != "http":
        raise BadInput(f"a kind with the provider {provider} is four files", name, "see docs/add-a-provider.md")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise BadInput(f"`{name}` is no name of a kind", "playbook new", "like acme_api_token")
    checkout = Path("tests/fakes/vendors").is_dir() and Path("playbooks").is_dir()
    home = folder or (Path("playbooks") if checkout else Path())
    texts = {home / f"{name}.yaml": _PLAYBOOK}
    if checkout and folder is None:
        texts[Path("tests/fakes/vendors") / f"{name}.yaml"] = _SHAPE
    for path in texts:
        if path.exists():
            raise BadInput("there is such a file already", str(path), "give another name, or edit that one")
        if not path.parent.is_dir():
            raise BadInput("there is no such folder", str(path.parent), "make it, or give another with --in")
    for path, text in texts.items():
        path.write_text(text.replace("NAME", name), encoding="utf-8")
        typer.echo(str(path))
    applies = f"name its folder in rotator.toml (`playbooks = [{json.dumps(str(home.resolve()))}]`), then"
    tried = f"`{_TRIED} -k {name}`" if len(texts) > 1 else f"{applies} `rotator provider check`"
    typer.echo(f"Next: put the vendor's calls in, then `rotator playbook lint {home / name}.yaml`, then {tried}.")
