"""Read a `.env` file as it lies on disk, or the output of `env`: what is a secret by its looks or by its name.

The name tells the kind where the vendor's own tools read that very name. Other names with `TOKEN`, `SECRET` and the
like are rules of their own, so a playbook may recognise them. What has neither is a setting, and left out. Comments are
searched too, for what has an issuer's form: who took the file has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rotator.credential import Leaked
from rotator.flow.exposure import LIST, Exposure
from rotator.intake.fields import aws_key_id, aws_session, material, server
from rotator.intake.report import PIECE_CAP, Head, Report
from rotator.intake.shapes import AWS_KEY, AWS_SESSION, kind_of, only_one_in, told

SOURCE = "dotenv"
DESCRIPTION = ".env files"

_SETTING = re.compile(r"(?:export\s+|set\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_.]{0,199})\s*=\s*(?P<value>.*)", re.DOTALL)
_SECRET_NAME = re.compile(
    r"SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY|AUTH_?KEY|(?:^|_)(?:PASS|PWD|PAT)$",
    re.IGNORECASE,
)
# What such a name says of something beside the secret.
_BESIDE = re.compile(
    r"_(?:ID|URL|URI|FILE|PATH|NAME|TTL|EXPIRY|EXPIRES(?:_IN)?|ENDPOINT|HOST|TYPE|ALGORITHM)$", re.IGNORECASE
)
# Not here: another place is named where the secret is, or none is given yet.
_REFERENCE = re.compile(
    r"\$\{[^}]*\}|\$[A-Z][A-Z0-9_]*|\$\(.*\)|\{\{.*\}\}|<[^<>]*>|(?:op:/|vault:|env:|file:|arn:|projects/|secretref:).*|\*+",
    re.DOTALL,
)
NAMED = {
    "CIRCLECI_TOKEN": "circleci_token",
    "CIRCLE_TOKEN": "circleci_token",
    "CLOUDFLARE_API_TOKEN": "cloudflare_api_token",
    "DATADOG_API_KEY": "datadog_api_key",
    "DD_API_KEY": "datadog_api_key",
    "DISCORD_TOKEN": "discord_bot_token",
    "FASTLY_API_TOKEN": "fastly_api_token",
    "GH_TOKEN": "github_token",
    "GITHUB_TOKEN": "github_token",
    "GITLAB_TOKEN": "gitlab_token",
    "LINODE_TOKEN": "linode_token",
    "MAILGUN_API_KEY": "mailgun_api_key",
    "PAGERDUTY_TOKEN": "pagerduty_api_key",
    "PGPASSWORD": "postgres_role",
    "REDISCLI_AUTH": "redis_acl_user",
    "TFE_TOKEN": "terraform_cloud_token",
    "VAULT_TOKEN": "vault_token",
}
PAIRED = {
    "AUTH0_CLIENT_SECRET": ("AUTH0_CLIENT_ID", "auth0_client_secret"),
    "AZURE_CLIENT_SECRET": ("AZURE_CLIENT_ID", "azure_entra_secret"),
    "ARM_CLIENT_SECRET": ("ARM_CLIENT_ID", "azure_entra_secret"),
    "OKTA_CLIENT_SECRET": ("OKTA_CLIENT_ID", "okta_client_secret"),
    "TWILIO_API_SECRET": ("TWILIO_API_KEY", "twilio_api_key"),
    "TWILIO_API_KEY_SECRET": ("TWILIO_API_KEY_SID", "twilio_api_key"),
}
_BESIDES = {"VAULT_ADDR", "PGUSER", *(name for name, _ in PAIRED.values())}
_AWS = re.compile(r"(?P<before>\w*?)AWS_(?P<part>ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)(?P<after>\w*)")
_LOGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s:/@]*:[^\s@/]+@\S+", re.IGNORECASE)
_QUOTES = frozenset("'\"`")
_Told = dict[str, tuple[str, int]]


def claims(head: Head) -> bool:
    """Tell whether this is such a file: settings from its first line on."""
    return bool(head.lines) and _SETTING.fullmatch(head.lines[0]) is not None


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each secret; those that other settings complete come last."""
    aws: dict[tuple[str, str], _Told] = {}
    later: list[tuple[str, str, int]] = []
    for name, value, number in _settings(report):
        part = _AWS.fullmatch(name)
        if part and value and not _BESIDE.search(part["after"]):
            parts = aws.setdefault((part["before"], part["after"]), {})
            if part["part"] in parts:
                yield from _key(report, parts)
                parts.clear()
            parts[part["part"]] = value, number
        elif not value or _REFERENCE.fullmatch(value):
            continue
        elif name in _BESIDES or name in PAIRED or name in {"VAULT_TOKEN", "PGPASSWORD"}:
            later.append((name, value, number))
        elif _is_secret(name, value):
            source, rule, leaked = told(SOURCE, name, value)
            if source != LIST and name in NAMED:
                source, rule = LIST, NAMED[name]
            yield Exposure(source=source, rule=rule, leaked=leaked, path=report.name, line=number)
    for parts in aws.values():
        yield from _key(report, parts)
    beside = {name: value for name, value, _ in later}
    for name, value, number in later:
        yield from _completed(report, name, value, number, beside)


def _is_secret(name: str, value: str) -> bool:
    if aws_key_id(value) or kind_of(value) or _LOGIN.fullmatch(value) or "PRIVATE KEY-----" in value:
        return True
    return _SECRET_NAME.search(name) is not None and _BESIDE.search(name) is None


def _settings(report: Report) -> Iterator[tuple[str, str, int]]:
    """Yield (name, value, line); a quoted value may go on over lines, and what no setting says has no name."""
    name, quote, started, length = "", "", 0, 0
    begun: list[str] = []
    for number, line in report.lines():
        rest = line.rstrip("\r")
        if not quote:
            found = _SETTING.fullmatch(rest.strip())
            if found is None or rest.lstrip().startswith("#"):
                yield "", only_one_in(rest), number
                continue
            name, started, rest = found["name"], number, found["value"]
            if rest[:1] not in _QUOTES:
                yield name, re.split(r"\s#", rest, maxsplit=1)[0].strip(), number
                continue
            quote, rest, begun, length = rest[0], rest[1:], [], 0
        end = re.search(rf"(?<!\\){quote}", rest)
        begun.append(rest[: end.start()] if end else rest)
        length += len(begun[-1])
        if end:
            yield name, "\n".join(begun).replace(f"\\{quote}", quote), started
            quote = ""
        elif length > PIECE_CAP:
            break
    if quote:
        raise report.bad("a quote without its end", f"line {started}", "is the file cut short?")


def _key(report: Report, parts: _Told) -> Iterator[Exposure]:
    key_id, number = parts.get("ACCESS_KEY_ID", ("", 0))
    secret, _ = parts.get("SECRET_ACCESS_KEY", ("", 0))
    token, _ = parts.get("SESSION_TOKEN", ("", 0))
    if aws_key_id(key_id):
        whole = aws_session(key_id, secret, token) or material("" if _REFERENCE.fullmatch(secret) else secret)
        rule = AWS_SESSION if key_id.startswith("ASIA") else AWS_KEY
        yield Exposure(source=LIST, rule=rule, leaked=Leaked(id=key_id, secret=whole), path=report.name, line=number)
        return
    for name in ("SECRET_ACCESS_KEY", "SESSION_TOKEN"):
        text, number = parts.get(name, ("", 0))
        if text and not _REFERENCE.fullmatch(text):
            # Its id stands elsewhere: nothing can be done with it, and somebody must know.
            leaked = Leaked(secret=material(text))
            yield Exposure(source=SOURCE, rule=f"AWS_{name}", leaked=leaked, path=report.name, line=number)


def _completed(report: Report, name: str, value: str, number: int, beside: Mapping[str, str]) -> Iterator[Exposure]:
    """Yield a secret with what stands beside it: its id, its owner, its server."""
    if name in PAIRED:
        other, kind = PAIRED[name]
        source, rule = (LIST, kind) if other in beside else (SOURCE, name)
        leaked = Leaked(id=beside.get(other), secret=material(value))
    elif name in NAMED:
        address = server(beside.get("VAULT_ADDR", "")) if name == "VAULT_TOKEN" else None
        owner = beside.get("PGUSER") if name == "PGPASSWORD" else None
        source, rule, leaked = LIST, NAMED[name], Leaked(secret=material(value), owner=owner, address=address)
    else:
        return  # an id, a server's address: nothing that opens anything
    yield Exposure(source=source, rule=rule, leaked=leaked, path=report.name, line=number)
