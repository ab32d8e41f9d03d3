"""What an operator configures: `rotator.toml`, each key also `ROTATOR_…`; environment beats file."""

from __future__ import annotations

import functools
import os
import re
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

import platformdirs
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from rotator import model_errors, seal, secret_reference
from rotator.errors import BadInput
from rotator.families import by_hand
from rotator.flow.scope import ConsumerAddress, Custody, host_name
from rotator.ports import Connection, Place
from rotator.seal import Seal

MEMORY = "memory://"


class Budget(BaseModel):
    """How many calls an account allows."""

    model_config = ConfigDict(extra="forbid")
    calls_per_second: Annotated[float, Field(gt=0)]
    burst: Annotated[int, Field(gt=0)] = 1


class ConnectionSettings(BaseModel):
    """One `[[connections]]` entry; keys that only the family knows are kept for it."""

    model_config = ConfigDict(extra="allow")
    name: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9_.-]+$")]
    family: Annotated[str, Field(min_length=1)]
    account: str | None = None
    credential: str | None = None
    recovery: str | None = None
    endpoint_url: str | None = None
    settle_s: Annotated[float, Field(ge=0)] | None = None
    propagation_s: Annotated[float, Field(ge=0)] | None = None
    budget: Budget | None = None
    kinds: list[str] | None = Field(None, description="the playbooks it serves; absent: all of its family")

    @field_validator("credential")
    @classmethod
    def _reference(cls, value: str | None, known: ValidationInfo) -> str | None:
        if value is not None:
            secret_reference.check(value, f"connections {known.data.get('name', '?')}: credential")
        return value

    @model_validator(mode="after")
    def _says_whose(self) -> ConnectionSettings:
        if self.family == "http" and not self.kinds:
            raise ValueError(
                f"the http connection {self.name} does not say what it serves: leaked secrets of any vendor would be "
                "shown to it; name its playbooks in `kinds`"
            )
        return self


class PlaceSettings(BaseModel):
    """Where a replacement goes."""

    model_config = ConfigDict(extra="forbid")
    store: str
    connection: str
    name: str


_WAYS = ("webhook", "command", "ssh_command", "systemd_unit", "kubernetes_rollout", "ecs_deployment")
_OF_A_CONNECTION = {"ssh_command": True, "systemd_unit": False, "kubernetes_rollout": True, "ecs_deployment": True}
"""The ways that go through a connection, and whether each must."""
_AT_A_HOST = frozenset({"ssh_command", "systemd_unit"})


class ConsumerSettings(BaseModel):
    """Who must hear of it, in exactly one way."""

    model_config = ConfigDict(extra="forbid")
    webhook: str | None = None
    command: list[str] | None = None
    ssh_command: list[str] | None = None
    systemd_unit: str | None = None
    kubernetes_rollout: str | None = None
    ecs_deployment: str | None = None
    connection: str | None = None
    host: str | None = Field(None, description="the machine it lives on, as `--foothold` names it")

    @field_validator("webhook")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None or secret_reference.is_one(value):
            return value
        try:
            parts = urlsplit(value)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError("a webhook is an http or https address, or a reference to one (env:NAME, file:PATH)")
        if "@" in parts.netloc:
            raise ValueError("a webhook's address holds no password: refer to it with env:NAME or file:PATH")
        return value

    @model_validator(mode="after")
    def _one(self) -> ConsumerSettings:
        if len(given := [way for way in _WAYS if getattr(self, way) is not None]) != 1:
            raise ValueError(f"a consumer has exactly one of {', '.join(f'`{way}`' for way in _WAYS)}")
        [way] = given
        if self.connection is None and _OF_A_CONNECTION.get(way):
            raise ValueError(f"`{way}` needs a `connection`, by its name")
        if self.connection is not None and way not in _OF_A_CONNECTION:
            raise ValueError(f"`{way}` goes through no `connection`")
        if self.connection is not None and way in _AT_A_HOST and not self.host:
            raise ValueError(f"`{way}` needs the `host`, as its connection names it")
        return self

    def address(self) -> ConsumerAddress:
        """Return it as the flow's noun."""
        host = host_name(self.host or "")
        if self.webhook is not None:
            return ConsumerAddress("webhook", self.webhook, host)
        way = next(each for each in _WAYS if getattr(self, each) is not None)
        told = getattr(self, way)
        words = (told,) if isinstance(told, str) else tuple(told)
        at = (host,) if way in _AT_A_HOST else ()
        through = (self.connection or "",) if way in _OF_A_CONNECTION else ()
        return ConsumerAddress(way, (*through, *at, *words), host)


class Match(BaseModel):
    """Which credentials an entry speaks of."""

    model_config = ConfigDict(extra="forbid")
    provider: str | None = None
    connection: str | None = None
    owner: str | None = None
    id: str | None = None


class CredentialSettings(BaseModel):
    """One `[[credentials]]` entry."""

    model_config = ConfigDict(extra="forbid")
    match: Match
    criticality: Literal["low", "medium", "high", "critical"] = "medium"
    environment: Literal["production", "staging", "test", "development"] | None = None
    reads: list[str] | None = None
    administers: list[str] = []
    deliver: list[PlaceSettings] = []
    consumers: list[ConsumerSettings] = []

    def custody(self) -> Custody:
        """Return it as the flow's noun."""
        return Custody(
            match={key: value for key, value in self.match.model_dump().items() if value is not None},
            criticality=self.criticality,
            reads=None if self.reads is None else tuple(self.reads),
            administers=tuple(self.administers),
            environment=self.environment,
            deliver=tuple(Place(each.store, each.connection, each.name) for each in self.deliver),
            consumers=tuple(each.address() for each in self.consumers),
        )


def _names_exist(entry: CredentialSettings, connections: list[str]) -> None:
    for place in entry.deliver:
        if place.connection not in connections:
            raise ValueError(f"deliver names the connection {place.connection}, which is not there")
    for consumer in entry.consumers:
        if consumer.connection is not None and consumer.connection not in connections:
            raise ValueError(f"consumers name the connection {consumer.connection}, which is not there")
    for key, names in (("reads", entry.reads or ()), ("administers", entry.administers)):
        for each in names:
            if each.partition(":")[0] not in connections:
                raise ValueError(
                    f"{key} has {each}, and no connection is called {each.partition(':')[0]}: "
                    "a wrong name would let a new secret go where a thief can read it"
                )


def _recovers(entry: ConnectionSettings, connections: list[ConnectionSettings]) -> None:
    if entry.recovery is None:
        return
    found = next((each for each in connections if each.name == entry.recovery), None)
    if found is None or found.name == entry.name:
        what = "itself" if found else f"{entry.recovery}, which is not there"
        raise ValueError(f"the recovery of {entry.name} is {what}: name another connection to the same account")
    if found.family != entry.family:
        raise ValueError(
            f"the recovery of {entry.name} is {found.name}, which is one of {found.family}, not of {entry.family}"
        )


class Settings(BaseSettings):
    """The whole configuration."""

    model_config = SettingsConfigDict(env_prefix="ROTATOR_", extra="forbid")

    data_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("rotator")))
    database_url: str = ""
    broker_url: str = MEMORY
    seal_key: str | None = Field(None, description="a reference to a base64 key of 32 bytes; absent: a key file")
    playbooks: list[Path] = []
    concurrency: Annotated[int, Field(ge=1, le=256)] = 32
    connections: list[ConnectionSettings] = []
    credentials: list[CredentialSettings] = []
    folder: Path = Field(default_factory=Path.cwd, exclude=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings calls with all five
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment beat the file, which comes as `init_settings`."""
        return env_settings, init_settings

    @field_validator("seal_key")
    @classmethod
    def _reference(cls, value: str | None) -> str | None:
        if value is not None:
            secret_reference.check(value, "seal_key")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        self.data_dir = self.folder / _at_home("data_dir", self.data_dir)
        self.playbooks = [self.folder / _at_home("playbooks", each) for each in self.playbooks]
        if not self.database_url:
            self.database_url = f"sqlite:///{self.data_dir / 'ledger.db'}"
        embedded = self.database_url.startswith("sqlite")
        if embedded and self.broker_url != MEMORY:
            raise ValueError(
                "a SQLite ledger belongs to one process and cannot be shared through a broker: "
                "set database_url to PostgreSQL, or leave broker_url out"
            )
        if not embedded and self.broker_url == MEMORY:
            raise ValueError(
                "a PostgreSQL ledger is for workers on many machines, which an in-memory broker cannot reach: "
                "set broker_url to redis://…, or leave database_url out"
            )
        if not embedded and self.seal_key is None:
            raise ValueError("workers on many machines need one seal_key: set it to env:NAME, file:PATH or vault:…")
        names = [each.name for each in self.connections]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two connections are called {name}")
        if by_hand.CONNECTION.name in names:
            raise ValueError(f"`{by_hand.CONNECTION.name}` is what people do: give that connection another name")
        for connection in self.connections:
            _recovers(connection, self.connections)
        for entry in self.credentials:
            _names_exist(entry, names)
        return self

    @property
    def embedded(self) -> bool:
        """Tell whether everything runs in one process."""
        return self.broker_url == MEMORY

    @property
    def shown_ledger(self) -> str:
        """Return where the ledger is, as it may be shown: without a password."""
        return re.sub(r"://[^@/]*@", "://", self.database_url).partition("?")[0]

    def connection(self, name: str) -> Connection:
        """Return one connection as the ports' noun. Raises BadInput when there is none of that name."""
        if name == by_hand.CONNECTION.name:
            return by_hand.CONNECTION
        for each in self.connections:
            if each.name == name:
                reference = each.credential
                return Connection(
                    name=each.name,
                    family=each.family,
                    account=each.account,
                    endpoint_url=each.endpoint_url,
                    credential=(
                        functools.partial(secret_reference.read, reference, self.folder) if reference else lambda: None
                    ),
                    settings=each.model_extra or {},
                    settle_s=each.settle_s,
                    propagation_s=each.propagation_s,
                    kinds=None if each.kinds is None else tuple(each.kinds),
                )
        known = ", ".join(each.name for each in self.connections) or "none"
        raise BadInput(f"no connection is called {name}", "rotator.toml", f"there are: {known}")

    def seal(self) -> Seal:
        """Return the deployment's seal; the embedded default makes a key file at first use."""
        if self.seal_key is None:
            path = self.data_dir / "seal.key"
            if not path.exists() and (self.data_dir / "ledger.db").exists():
                raise BadInput(
                    "the seal key is gone, and the ledger beside it was sealed with it",
                    str(path),
                    "restore it from your backup; without it, move the ledger away and declare again",
                )
            return seal.from_file(path)
        return seal.from_text(secret_reference.read(self.seal_key, self.folder).reveal())


def _at_home(key: str, path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError(f"{key}: nobody has the home of {path}") from None


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
    names = [name for name in model.model_fields if name != "folder"]
    close = get_close_matches(str(error["loc"][-1]), names, n=1)
    return f"did you mean `{close[0]}`?" if close else f"there are {', '.join(names)}"


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def find() -> Path | None:
    """Return the configuration file that applies here, or None: ./rotator.toml, then the user's own."""
    for path in (Path("rotator.toml"), Path(platformdirs.user_config_dir("rotator")) / "rotator.toml"):
        if path.is_file():
            return path
    return None


def load(path: Path | None = None) -> Settings:
    """Read the configuration. Raises BadInput with what is wrong, where, and how to mend it."""
    given = path or (Path(os.environ["ROTATOR_CONFIG"]) if "ROTATOR_CONFIG" in os.environ else None) or find()
    values: dict[str, Any] = {}
    folder = Path.cwd()
    if given is not None:
        folder = given.resolve().parent
        try:
            values = tomllib.loads(given.read_text())
        except OSError as error:
            raise BadInput(f"cannot be read ({error.strerror})", str(given), "give another with --config") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"is not TOML: {error}", str(given), "mend that line") from None
    try:
        return Settings(**{**values, "folder": folder})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = str(first["loc"][0]) if first["loc"] else ""
        variable = f"ROTATOR_{key.upper()}"
        source = variable if variable in os.environ else given or "the environment"
        at = model_errors.place(first["loc"], values)
        where = f"{source}{f': {at}' if at else ''}"
        raise BadInput(model_errors.in_words(first), where, _mend(first)) from None
    except SettingsError as error:
        what = str(error).partition(" from source")[0]
        raise BadInput(what, "the environment", "lists are written as JSON there") from None
    except BadInput as error:
        raise BadInput(error.what, f"{given or 'the environment'}: {error.where}", error.mend) from None
