"""Read secrets with their ids, one JSON object to a line: what no scanner's report of most kinds tells together.

    {"provider": "twilio_api_key", "id": "SK...", "secret": "..."}

`owner`, `account`, `address`, `connection` and `path` may stand beside. It is a form of its own, not one more column of
the list of ids: a list is mailed and pasted into tickets, so it holds no secret, by mistake or otherwise. These lines
are for a program to write, best straight into standard input. With the id alone a death could be stated, never proven.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from rotator.credential import Leaked
from rotator.flow.exposure import LIST, Exposure
from rotator.intake.fields import mapping, material, server, word
from rotator.intake.json_pieces import records
from rotator.intake.report import Head, Report

SOURCE = LIST
DESCRIPTION = 'ids with their secrets (JSON lines of {"provider", "id", "secret"})'

_NAMES = frozenset({"provider", "id", "secret", "owner", "account", "address", "connection", "path"})
_KIND = re.compile(r"[a-z][a-z0-9_]{0,62}")
_EXAMPLE = 'write {"provider": "twilio_api_key", "id": ..., "secret": ...} on a line of its own'


def claims(head: Head) -> bool:
    """Tell whether this is such a file."""
    return head.opens == "{" and {"provider", "secret"} <= head.keys


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each line. Raises BadInput where one is incomplete, or says what nobody would read."""
    for where, value in records(report):
        fields = mapping(value)
        # A name may be a secret that got out of its place.
        if not fields or not fields.keys() <= _NAMES:
            raise report.bad(f"only {', '.join(sorted(_NAMES))} are read", where, _EXAMPLE)
        secret, told = fields.get("secret"), {name: _text(report, where, fields, name) for name in _NAMES - {"secret"}}
        if not _KIND.fullmatch(told["provider"]):
            raise report.bad("`provider` is not the name of a kind", where, _EXAMPLE)
        if isinstance(secret, dict):
            secret = json.dumps(secret)  # a key file, as it is
        if not isinstance(secret, str) or not secret:
            raise report.bad("`secret` is missing or not a text", where, "without secrets, give a list of ids")
        address = told["address"] or None
        if address and "//" in address and server(address) is None:
            raise report.bad("`address` is not a server's", where, "write https://HOST")
        yield Exposure(
            source=SOURCE,
            rule=told["provider"],
            leaked=Leaked(
                id=told["id"] or None,
                secret=material(secret),
                owner=told["owner"] or None,
                account=told["account"] or None,
                address=server(address) or address if address else None,
                connection=told["connection"] or None,
            ),
            path=told["path"] or report.name,
            line=None if told["path"] else int(where.rpartition(" ")[2]),
        )


def _text(report: Report, where: str, fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    text = str(value) if type(value) is int else word(fields, name)
    if value is not None and (not isinstance(value, str | int) or isinstance(value, bool) or "-----BEGIN" in text):
        raise report.bad(f"`{name}` is not a plain word", where, _EXAMPLE)
    return text.strip()
