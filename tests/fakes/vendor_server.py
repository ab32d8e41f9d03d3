"""A vendor's REST service, as far as its credentials go: what it answers is read from a shape file in `vendors/`.

A shape is written from the vendor's published documentation, apart from the playbook: paths, who may call, the answers
and the errors as printed there. This file is the same for all of them and knows no vendor; it keeps credentials, lets
in who shows one in the vendor's own form, and pages. It is a fake of ours and proves no more than that the playbook
and the documentation agree.

    source: where the shapes are printed
    case: what the contract's case says: {report: [secret], settings: {}, account: …, own: TEMPLATE}
    make: {id: "key_{12}", secret: "sk-{40}", owner: "team-{n}", admin: "adm-{20}", FIELD: VALUE}
    admin: how the rotator shows itself: {header: {NAME: TEMPLATE}, basic: [USER, PASSWORD], query: {…}, body: {…}}
    subject: likewise, how a credential does; also {path: TEMPLATE}
    told: what the rotator is told of itself: {admin: {NAME: VALUE}, narrow: {NAME: VALUE}}, in an answer {told.NAME}
    narrow: the answer to a change that a credential asks for which may look and no more; it is shown as the rotator's
    refused: the answer to who is not let in: [STATUS, BODY], or [STATUS, TEXT, text] where it is no JSON
    living: a list of the answers to a living credential that is refused for another reason: an address that is not
        allowed, a missing right, a limit. [] where the documentation prints none
    routes: a list of
        call: METHOD PATH, with {id}, {owner}, {name} for what stands there
        as: admin, subject or anyone
        does: issue, list, read, suspend, resume, revoke, knock or tell (what the rotator may do)
        if: {FIELD: VALUE} of the request's body; "~PATTERN" is a regular expression whose groups are id, owner or name
        takes: {FIELD of the new one: FIELD of the body}, all of them required
        only: suspended, where an active one is refused
        answer: [STATUS, BODY], and `absent` likewise; of this call alone `refused`, `shown` (as `admin` above), and
            where it tells the answer's `headers`: {NAME: TEMPLATE}
        each: one entry of a list; its answer has {entries}, and of what leads on {more}, {cursor}, {last_id},
            {next_path}, {next_url}, {total} or {pages}
        pages: none, or {size: 2, parameter: NAME, by: id, number or offset, first: 1, in: body, link: what the header
            `Link` says, link_last: on the last page, last: what leads on there, past_the_end: [404, BODY]}
        most: {of: N, answer: [STATUS, BODY]}, when an owner has so many

A TEMPLATE holds {id}, {secret}, {owner}, {name}, {n} (a running number) and what `make` and the settings name; `{12}`
draws letters, `{hex12}` hex digits, `{secret[:16]}` and `{secret[-4:]}` show a part. `states` names what {state} says
of an active and a suspended one; {on} is true while it is active.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import random
import re
import string
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ruamel.yaml import YAML

from tests.fakes.http_server import Request, listening

SHAPES = Path(__file__).parent / "vendors"
_HOLE = re.compile(r"\{([A-Za-z_0-9.]+)(?:\[(-?\d*):(-?\d*)\])?\}")
_LETTERS = string.ascii_letters + string.digits
_LOOKS = frozenset({"list", "read", "knock", "tell"})
Answer = tuple[int, object, dict[str, str]]


def shape_names() -> list[str]:
    """Return the vendors' kinds that have a shape, in order."""
    return sorted(path.stem for path in SHAPES.glob("*.yaml"))


def shape_of(name: str) -> dict[str, Any]:
    """Read one shape."""
    return YAML(typ="safe").load((SHAPES / f"{name}.yaml").read_text())


@dataclass
class Asked:
    """One request, taken apart."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass
class Vendor:
    """The service's memory and rules, without the network."""

    shape: dict[str, Any]
    values: dict[str, Any] = field(default_factory=dict)
    kept: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _count: int = 0
    _chance: random.Random = field(default_factory=lambda: random.Random(7))

    def __post_init__(self) -> None:
        made = self.shape["make"]
        self.values = {**self.shape.get("case", {}).get("settings", {}), "admin_token": self._drawn(_LETTERS, 24)}
        self.values["account"] = self.shape.get("case", {}).get("account", "")
        for name in ("admin", "admin_id", "admin_other"):
            self.values[name] = self._made(made.get(name, "adm-{24}"))
        self.values["last_owner"] = ""
        alike = {"admin": self._made(made.get("admin", "adm-{24}")), "admin_token": self._drawn(_LETTERS, 24)}
        self.narrow = {**self.values, **alike} if "narrow" in self.shape else {}

    def plant(self, owner: str | None = None, **told: Any) -> dict[str, Any]:
        """Make a credential as the vendor does."""
        with self._lock:
            self._count += 1
            made = {**self.shape["make"], **{name: value for name, value in told.items() if value is not None}}
            entry: dict[str, Any] = {"n": self._count, "suspended": False, "name": f"planted {self._count}"}
            entry["owner"] = owner if owner is not None else self._made(made.pop("owner", ""))
            made.pop("owner", None)
            self.values["last_owner"] = entry["owner"]
            for name in [each for each in made if not each.startswith("admin")]:
                entry[name] = self._made(made[name]) if name in {"id", "secret"} else made[name]
            entry["secret"] = entry["secret"].replace("{id}", entry["id"])
            entry["sha256"] = hashlib.sha256(entry["secret"].encode()).hexdigest()
            if entry["id"] == "{sha256}":
                entry["id"] = entry["sha256"]
            self.kept.append(entry)
            return entry

    def remove(self, credential_id: str) -> None:
        """Take one away, as a person does on the vendor's page."""
        with self._lock:
            self.kept = [entry for entry in self.kept if entry["id"] != credential_id]

    def unheard_of(self) -> str:
        """Return an id of the right form that nobody has."""
        with self._lock:
            self._count += 1
            return self._made(self.shape["make"]["id"])

    def answer(self, asked: Asked, address: str) -> Answer:
        """Answer one request."""
        with self._lock:
            refusal: Answer | None = None
            call = ""
            for route in self.shape["routes"]:
                found = self._fits(route, asked)
                if found is None or (refusal and route["call"] != call):
                    continue
                who = self._who(route.get("as", "admin"), asked, route)
                if who is None:  # unless the same call is open to others
                    refusal, call = self._said(route.get("refused", self.shape["refused"]), {}), route["call"]
                    continue
                if who == self.narrow and who and route["does"] not in _LOOKS:
                    return self._said(self.shape["narrow"], {})
                return self._done(route, asked, found, who, address)
            return refusal or (404, {"error": "no such path"}, {})

    def _fits(self, route: dict[str, Any], asked: Asked) -> dict[str, str] | None:
        method, _, path = route["call"].partition(" ")
        path, _, query = path.partition("?")
        pattern = re.sub(r"\\\{([a-z_]+)\\\}", lambda hole: self._hole(hole[1]), re.escape(path))
        match = re.fullmatch(pattern, asked.path)
        if method != asked.method or match is None:
            return None
        if any(asked.query.get(name) != value for name, value in parse_qsl(query)):
            return None
        found = {name: unquote(value) for name, value in match.groupdict().items()}
        for where, wanted in route.get("if", {}).items():
            said = _at(asked.body, where)
            if not (isinstance(wanted, str) and wanted.startswith("~")):
                if said != wanted:
                    return None
                continue
            spelled = re.fullmatch(wanted[1:], str(said))
            if spelled is None:
                return None
            found |= spelled.groupdict()
        return found

    def _hole(self, name: str) -> str:
        return re.escape(str(self.values[name])) if name in self.values else f"(?P<{name}>[^/]+)"

    def _who(self, who: str, asked: Asked, route: dict[str, Any]) -> dict[str, Any] | None:
        if who == "anyone":
            return {}
        shown = route.get("shown", self.shape.get(who, self.shape["admin"]))
        if who == "admin":
            if self._shows(asked, shown, self.values):
                return {}
            return self.narrow if self.narrow and self._shows(asked, shown, self.narrow) else None
        alive = (entry for entry in self.kept if not entry["suspended"])
        return next((entry for entry in alive if self._shows(asked, shown, {**self.values, **entry})), None)

    def _shows(self, asked: Asked, shown: dict[str, Any], values: dict[str, Any]) -> bool:
        basic = shown.get("basic")
        if basic is not None:
            pair = ":".join(_text(each, values) for each in basic)
            wanted = f"Basic {base64.b64encode(pair.encode()).decode()}"
            if asked.headers.get("Authorization") != wanted:
                return False
        for name, template in shown.get("header", {}).items():
            if asked.headers.get(name) != _text(template, values):
                return False
        if any(asked.query.get(name) != _text(template, values) for name, template in shown.get("query", {}).items()):
            return False
        if "path" in shown and asked.path != _text(shown["path"], values):
            return False
        return all(_at(asked.body, name) == _text(template, values) for name, template in shown.get("body", {}).items())

    def _done(
        self, route: dict[str, Any], asked: Asked, found: dict[str, str], who: dict[str, Any], address: str
    ) -> Answer:
        does = route["does"]
        if does == "knock":
            return self._said(route["answer"], who)
        if does == "tell":
            told = self.shape["told"]["narrow" if who else "admin"]
            shown = {**who, **{f"told.{name}": value for name, value in told.items()}}
            status, body, headers = self._said(route["answer"], shown)
            return status, body, {**headers, **filled(route.get("headers", {}), shown)}
        if does == "issue":
            return self._issued(route, asked, found)
        if does == "list":
            return self._listed(route, asked, found, address)
        mine = {**who} if who.get("id") else None
        wanted = {name: value for name, value in found.items() if name in {"id", "owner", "name"}}
        entry = mine or next((each for each in self.kept if all(each[name] == wanted[name] for name in wanted)), None)
        if entry is None or (not wanted and mine is None):
            return self._said(route.get("absent", [404, None]), {})
        if route.get("only") == "suspended" and not entry["suspended"]:
            return 403, {"error": "it is active"}, {}
        if does == "revoke":
            self.kept = [each for each in self.kept if each["id"] != entry["id"]]
        elif does in {"suspend", "resume"}:
            next(each for each in self.kept if each["id"] == entry["id"])["suspended"] = does == "suspend"
            entry = {**entry, "suspended": does == "suspend"}
        return self._said(route["answer"], entry)

    def _issued(self, route: dict[str, Any], asked: Asked, found: dict[str, str]) -> Answer:
        told: dict[str, Any] = {}
        for name, where in route.get("takes", {}).items():
            told[name] = found.get(where[1:-1]) if where.startswith("{") else _at(asked.body, where)
            if told[name] is None:
                return 422, {"error": f"{where} is missing"}, {}
        told |= {name: value for name, value in found.items() if name in {"owner", "name"}}
        limit = route.get("most")
        owner = told.pop("owner", None)
        if owner is None:
            owner = next((each["owner"] for each in self.kept), None)
        if limit and sum(each["owner"] == owner for each in self.kept) >= limit["of"]:
            return self._said(limit["answer"], {})
        return self._said(route["answer"], self.plant(owner, **told))

    def _listed(self, route: dict[str, Any], asked: Asked, found: dict[str, str], address: str) -> Answer:
        chosen = [each for each in self.kept if "owner" not in found or each["owner"] == found["owner"]]
        pages = {} if route["pages"] == "none" else route["pages"]
        size = pages.get("size", len(chosen) + 1)
        told = (
            _at(asked.body, pages["parameter"])
            if pages.get("in") == "body"
            else asked.query.get(pages.get("parameter"))
        )
        start = 0
        if told:
            match pages["by"]:
                case "number":
                    start = (int(told) - pages.get("first", 1)) * size
                case "offset":
                    start = int(told)
                case "id":
                    start = next((n + 1 for n, each in enumerate(chosen) if each["id"] == told), 0)
        if start >= len(chosen) and start > 0 and "past_the_end" in pages:
            return self._said(pages["past_the_end"], {})
        page = chosen[start : start + size]
        more = start + size < len(chosen)
        following: object = None
        if more and pages.get("parameter"):
            step = {"number": start // size + 1 + pages.get("first", 1), "offset": start + size, "id": page[-1]["id"]}
            following = str(step[pages["by"]])
        last = pages.get("last", None)
        kind = {"more": more, "cursor": following if more else last, "last_id": page[-1]["id"] if page else None}
        path = f"{asked.path}?{pages.get('parameter')}={following}"
        kind |= {"next_path": path if more else last, "next_url": f"{address}{path}" if more else last}
        entries = [filled(route["each"], {**self.values, **self._shown(each)}) for each in page]
        kind |= {"total": len(chosen), "pages": max(1, -(-len(chosen) // size))}
        status, body, headers = self._said(route["answer"], {**kind, "entries": entries})
        if "link" in pages:
            template = pages["link"] if more else pages.get("link_last", "")
            if template:
                headers["Link"] = _text(template, kind)
        return status, body, headers

    def _shown(self, entry: dict[str, Any]) -> dict[str, Any]:
        states = self.shape.get("states", {})
        return {
            **entry,
            "state": states.get("suspended" if entry["suspended"] else "active"),
            "on": not entry["suspended"],
        }

    def _said(self, answer: list[Any], values: dict[str, Any]) -> Answer:
        status, body = answer[0], answer[1] if len(answer) > 1 else None
        told = {**self.values, **(self._shown(values) if "suspended" in values else values)}
        text = {"Content-Type": "text/html"} if answer[2:] == ["text"] else {}
        return status, filled(body, told), text

    def _made(self, template: str) -> str:
        def letters(hole: re.Match[str]) -> str:
            if hole[1] == "n":
                return str(self._count)
            if hole[1].startswith("hex"):
                return self._drawn(string.hexdigits[:16], int(hole[1][3:]))
            return self._drawn(_LETTERS, int(hole[1])) if hole[1].isdigit() else hole[0]

        return re.sub(r"\{([a-z0-9]+)\}", letters, template) if isinstance(template, str) else template

    def _drawn(self, letters: str, count: int) -> str:
        return "".join(self._chance.choice(letters) for _ in range(count))


def _at(content: Any, path: str) -> Any:
    if isinstance(content, dict) and path in content:
        return content[path]
    for name in path.split("."):
        if isinstance(content, dict):
            content = content.get(name)
        elif isinstance(content, list) and name.isdigit() and int(name) < len(content):
            content = content[int(name)]
        else:
            return None
    return content


def _text(template: str, values: Mapping[str, Any]) -> str:
    def value(hole: re.Match[str]) -> str:
        if hole[1] not in values:
            return hole[0]
        text = str(values[hole[1]])
        start, end = (int(each) if each else None for each in (hole[2] or "", hole[3] or ""))
        return text[start:end]

    return _HOLE.sub(value, template)


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(template, str):
        whole = _HOLE.fullmatch(template)
        if whole and whole[2] is None and whole[3] is None and whole[1] in values:
            return values[whole[1]]
        return _text(template, values)
    if isinstance(template, dict):
        return {name: filled(each, values) for name, each in template.items()}
    if isinstance(template, list):
        return [filled(each, values) for each in template]
    return template


def _body(raw: bytes, kind: str) -> Any:
    if "x-www-form-urlencoded" in kind:
        return dict(parse_qsl(raw.decode(), keep_blank_values=True))
    with contextlib.suppress(ValueError):
        return json.loads(raw)
    return None


def written(body: Any, *, text: bool) -> bytes:
    """Return an answer's body as it is sent."""
    return str(body).encode() if text else json.dumps(body).encode()


@contextlib.contextmanager
def serving(vendor: Vendor) -> Iterator[str]:
    """Serve it on a free port of 127.0.0.1; yield its address."""

    class Called(Request):
        def answered(self, sent: bytes) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            body = _body(sent, self.headers.get("Content-Type", ""))
            asked = Asked(self.command, parts.path, query, self.headers, body)
            status, said, headers = vendor.answer(asked, f"http://{self.headers['Host']}")
            content = b"" if said is None else written(said, text="Content-Type" in headers)
            self.reply(status, content, {"Content-Type": "application/json", **headers})

    with listening(Called) as address:
        yield address
