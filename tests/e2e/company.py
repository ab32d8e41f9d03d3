"""A company of the tests' own on the practice range's servers: victims with consumers, a configuration and a ledger.

Each company has names of its own, so that many can stand on the same servers.
"""

from __future__ import annotations

import contextlib
import functools
import json
import secrets
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from rotator.practice import doors
from rotator.practice.configuration import write_configuration
from rotator.practice.consumer import Consumer, Document, listening
from rotator.practice.doors import Answer, Knock
from rotator.practice.honesty import InUse, Stolen, Tried
from rotator.practice.servers import Servers
from rotator.practice.uses import AWS_STORE, VAULT_STORE, Use, keep
from tests.e2e.commands import CommandLine, stop_runtime


class Watcher(Consumer):
    """A consumer that remembers all it ever held, and what the stolen credential's doors said when it was told."""

    def __init__(self, name: str, read: Callable[[], Document], use: Use) -> None:
        super().__init__(name, read, use.log_in)
        self._use = use
        self.held: list[Document] = []
        self.old_when_told: list[set[Answer]] = []
        self.new_when_told: list[set[Answer]] = []

    def reload(self) -> None:
        old = {knock.answer for knock in self._use.log_in(self._use.document)}
        super().reload()
        self.held.append(dict(self._held))
        self.old_when_told.append(old)
        self.new_when_told.append({knock.answer for knock in self.log_in()})


@dataclass(frozen=True)
class Victim:
    """One stolen credential: how it is used, who uses it, and what TruffleHog would say of it."""

    use: Use
    consumer: Watcher
    finding: dict[str, Any]

    @property
    def id(self) -> str:
        return self.use.document["id"]

    def knock(self) -> Sequence[Knock]:
        """Try the stolen credential at its doors, with a client that is not the product's."""
        return self.use.log_in(self.use.document)

    @property
    def answers(self) -> set[Answer]:
        return {knock.answer for knock in self.knock()}

    @property
    def tried(self) -> Tried:
        return Tried(Stolen(self.use.consumer, self.use.provider, self.id, self.knock), self.knock())

    @property
    def in_use(self) -> InUse:
        return InUse(self.consumer.name, self.id, self.consumer.using, self.consumer.log_in())


@dataclass
class Company:
    """What stands: its folder, its command line, its victims by kind."""

    folder: Path
    servers: Servers
    rotator: CommandLine
    victims: list[Victim] = field(default_factory=list)
    more_secrets: list[str] = field(default_factory=list)

    @property
    def data_dir(self) -> Path:
        return self.folder / "rotator-data"

    @property
    def ledger(self) -> Path:
        return self.data_dir / "ledger.db"

    def victim(self, kind: str) -> Victim:
        [found] = [each for each in self.victims if each.use.provider == kind]
        return found

    def leak(self, *kinds: str, name: str = "leak.jsonl", **changed: str) -> str:
        """Write what a scanner reports of the victims of these kinds, of all when none is named; return its path."""
        chosen = [each for each in self.victims if not kinds or each.use.provider in kinds]
        return self.write(name, "".join(json.dumps({**each.finding, **changed}) + "\n" for each in chosen))

    def approve(self, **changed: str) -> None:
        """Declare an incident with all victims, as `leak` writes them, and approve its plan."""
        self.rotator("incident", "declare", self.leak(**changed), "--title", "Stolen").ended(0)
        plan = self.rotator("plan", "last", "-o", "json").report["incident"]["plan"]
        self.rotator("approve", "last", "--digest", plan).ended(0)

    def write(self, name: str, text: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    def configure(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the configuration file."""
        path = self.folder / "rotator.toml"
        settings = tomllib.loads(path.read_text())
        change(settings)
        path.write_text(toml(settings))

    def connection(self, name: str, **settings: object) -> None:
        """Change one connection of the configuration file."""

        def change(given: dict[str, Any]) -> None:
            next(each for each in given["connections"] if each["name"] == name).update(settings)

        self.configure(change)

    @property
    def secrets(self) -> list[str]:
        """Return all material that there is: stolen, new, and the rotator's own."""
        held = [each.use.document for each in self.victims]
        held += [document for each in self.victims for document in each.consumer.held]
        texts = [value for document in held for name, value in document.items() if name not in PUBLIC_FIELDS]
        own = [path.read_text() for path in (self.folder / "rotator-credentials").iterdir()]
        own += [json.loads(text)["aws_secret_access_key"] for text in own if text.startswith("{")]
        return texts + [text for text in own if not text.startswith("{")] + self.more_secrets


PUBLIC_FIELDS = {"id", "aws_access_key_id", "public_key", "accessor", "fingerprint", "comment"}


def toml(settings: dict[str, Any]) -> str:
    """Write a configuration. TOML's basic strings, numbers and lists are written as JSON's are."""

    def value(given: object) -> str:
        if isinstance(given, dict):
            return "{" + ", ".join(f"{key} = {value(each)}" for key, each in given.items()) + "}"
        if isinstance(given, list):
            return "[" + ", ".join(map(value, given)) + "]"
        return json.dumps(given)

    plain = {key: each for key, each in settings.items() if key not in ("connections", "credentials")}
    lines = [f"{key} = {value(each)}" for key, each in plain.items()]
    for table in ("connections", "credentials"):
        for entry in settings.get(table, []):
            lines += ["", f"[[{table}]]", *(f"{key} = {value(each)}" for key, each in entry.items())]
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def company(folder: Path, servers: Servers, *kinds: str) -> Iterator[Company]:
    """Stand up a company with one victim of each kind, until the block ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    tag = secrets.token_hex(3)
    found = Company(folder, servers, CommandLine(folder, folder / "rotator.toml"))
    with contextlib.ExitStack() as up:
        webhooks = {}
        for kind in kinds:
            use, finding = _PLANTED[kind](servers, tag)
            consumer = Watcher(use.consumer, keep(use, servers.aws, servers.vault), use)
            consumer.reload()
            assert consumer.using == use.document["id"]
            consumer.old_when_told.clear()
            consumer.new_when_told.clear()
            webhooks[use.consumer] = up.enter_context(listening(consumer))
            found.victims.append(Victim(use, consumer, finding))
        write_configuration(folder, servers, [each.use for each in found.victims], webhooks)
        for name in ("aws", "vault", "hosts"):
            found.connection(name, settle_s=0.5)
        up.callback(stop_runtime, found.data_dir)
        yield found


def _aws(servers: Servers, tag: str) -> tuple[Use, dict[str, Any]]:
    owner, key_id, secret = servers.aws.plant(f"ci-{tag}")
    document = {"id": key_id, "aws_access_key_id": key_id, "aws_secret_access_key": secret.reveal()}
    log_in = functools.partial(_at_aws, servers.aws.endpoint_url)
    use = Use(f"runner-{tag}", "aws_iam_access_key", owner, AWS_STORE, f"ci/{tag}", "high", document, log_in)
    return use, finding("AWS", key_id, f"{key_id}:{secret.reveal()}")


def _vault(servers: Servers, tag: str) -> tuple[Use, dict[str, Any]]:
    owner = f"deploy-{tag}"
    planted = servers.vault.plant("default", owner)
    document = {"id": planted.accessor, "token": planted.token.reveal()}
    log_in = functools.partial(_at_vault, servers.vault.address)
    use = Use(f"gateway-{tag}", "vault_token", owner, AWS_STORE, f"vault/{tag}", "critical", document, log_in)
    return use, finding("HashiCorpVaultToken", planted.token.reveal())


def _acme(servers: Servers, tag: str) -> tuple[Use, dict[str, Any]]:
    owner = f"billing-{tag}"
    planted = servers.acme.plant(owner, ("read",))
    document = {"id": planted.id, "token": planted.token.reveal()}
    log_in = functools.partial(_at_acme, servers.acme.address)
    use = Use(f"invoices-{tag}", "acme_api_token", owner, VAULT_STORE, f"{tag}/acme", "high", document, log_in)
    found = finding("CustomRegex", planted.token.reveal())
    return use, {**found, "ExtraData": {"name": "acme_api_token"}}


def _ssh(servers: Servers, tag: str) -> tuple[Use, dict[str, Any]]:
    key = asyncssh.generate_private_key("ssh-ed25519", comment=f"dev@{tag}")
    servers.ssh.authorize(key.export_public_key().decode().strip())
    pem = key.export_private_key().decode()
    document = {"id": key.get_fingerprint(), "private_key": pem}
    log_in = functools.partial(_at_hosts, servers)
    use = Use(f"deployer-{tag}", "ssh_authorized_key", "deploy", VAULT_STORE, f"{tag}/ssh", "high", document, log_in)
    return use, finding("PrivateKey", pem)


def finding(detector: str, raw: str, joined: str = "", where: str = "home/.env") -> dict[str, Any]:
    """Return one finding as TruffleHog v3 prints it."""
    return {
        "SourceMetadata": {"Data": {"Filesystem": {"file": where, "line": 1}}},
        "SourceID": 1,
        "SourceType": 15,
        "SourceName": "trufflehog - filesystem",
        "DetectorType": 2,
        "DetectorName": detector,
        "DecoderName": "PLAIN",
        "Verified": False,
        "Raw": raw,
        "RawV2": joined,
        "Redacted": "",
        "ExtraData": None,
        "StructuredData": None,
    }


def _at_aws(address: str, document: Document) -> Sequence[Knock]:
    return [doors.aws(address, document["id"], document["aws_secret_access_key"])]


def _at_vault(address: str, document: Document) -> Sequence[Knock]:
    return [doors.vault(address, document["token"])]


def _at_acme(address: str, document: Document) -> Sequence[Knock]:
    return [doors.acme(address, document["token"])]


def _at_hosts(servers: Servers, document: Document) -> Sequence[Knock]:
    login = (servers.ssh.user, document["private_key"])
    return [doors.ssh(name, address, port, login) for name, address, port in servers.ssh.doors()]


AWS, VAULT, ACME, SSH = "aws_iam_access_key", "vault_token", "acme_api_token", "ssh_authorized_key"
KINDS = (AWS, VAULT, ACME, SSH)
_PLANTED = {AWS: _aws, VAULT: _vault, ACME: _acme, SSH: _ssh}
