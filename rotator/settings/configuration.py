"""The whole configuration: the keys of the top level, and what its parts must agree on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rotator import seal, secret_reference
from rotator.errors import BadInput
from rotator.families import by_hand
from rotator.flow.paths import mounts_of
from rotator.flow.playbook_words import meant
from rotator.ports.connection import Connection
from rotator.seal import Seal
from rotator.settings.advisories import AdvisorySettings
from rotator.settings.approval import Approving
from rotator.settings.connections import ConnectionSettings, check_together
from rotator.settings.credentials import CredentialSettings
from rotator.settings.drills import DrillSettings
from rotator.settings.evidence import EvidenceSettings
from rotator.settings.far import FarAway
from rotator.settings.notices import NoticeSettings
from rotator.settings.notices import check_together as check_notices
from rotator.settings.ownership import OwnershipSettings
from rotator.settings.siem import SiemSettings
from rotator.settings.siem import check_together as check_siem
from rotator.settings.sign_in import SigningIn
from rotator.settings.targets import Aiming
from rotator.settings.triggers import TriggerSettings
from rotator.settings.triggers import check_together as check_triggers
from rotator.settings.vendors import VendorSettings
from rotator.settings.watch import WatchSettings

if TYPE_CHECKING:
    from rotator.evidence.signing import SigningKey

MEMORY = "memory://"


class Settings(Approving, SigningIn, FarAway, Aiming, BaseModel):
    """The whole configuration. `folder` is where its `file` stands, from which paths in it are meant."""

    model_config = ConfigDict(extra="forbid")

    data_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("rotator")))
    database_url: str = ""
    broker_url: str = MEMORY
    seal_key: str | None = Field(None, description="a reference to a base64 key of 32 bytes; absent: a key file")
    playbooks: list[Path] = []
    concurrency: Annotated[int, Field(ge=1, le=256)] = 32
    connections: list[ConnectionSettings] = []
    credentials: list[CredentialSettings] = []
    triggers: list[TriggerSettings] = []
    advisories: AdvisorySettings = AdvisorySettings()
    notices: list[NoticeSettings] = []
    siem: list[SiemSettings] = []
    ownership: OwnershipSettings = OwnershipSettings()
    hygiene: list[Path] = []
    drills: DrillSettings = DrillSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    watch: WatchSettings = WatchSettings()
    vendors: VendorSettings = VendorSettings()
    folder: Path = Field(default_factory=Path.cwd, exclude=True)
    file: Path | None = Field(None, exclude=True)

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
        self.hygiene = [self.folder / _at_home("hygiene", each) for each in self.hygiene]
        if not self.database_url:
            self.database_url = f"sqlite:///{self.data_dir / 'ledger.db'}"
        self._one_process_or_many()
        check_together(self.connections)
        check_triggers(self.triggers, self.connections)
        check_notices(self.notices)
        check_siem(self.siem)
        self.drills.check_names([each.name for each in self.connections])
        self.evidence.settle(lambda key, path: self.folder / _at_home(key, path), self.connections)
        mounts = mounts_of(each.connection(self.folder) for each in self.connections)
        for entry in self.credentials:
            entry.check_names(mounts)
        return self

    def _one_process_or_many(self) -> None:
        sqlite = self.database_url.startswith("sqlite")
        if sqlite and self.broker_url != MEMORY:
            raise ValueError(
                "a SQLite ledger belongs to one process and cannot be shared through a broker: "
                "set database_url to PostgreSQL, or leave broker_url out"
            )
        if not sqlite and self.broker_url == MEMORY:
            raise ValueError(
                "a PostgreSQL ledger is for workers on many machines, which an in-memory broker cannot reach: "
                "set broker_url to redis://…, or leave database_url out"
            )
        if not sqlite and self.seal_key is None:
            raise ValueError("workers on many machines need one seal_key: set it to env:NAME, file:PATH or vault:…")

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
                return each.connection(self.folder)
        known = [each.name for each in self.connections]
        mend = meant(name, known) if known else "add it to [[connections]]"
        raise BadInput(f"no connection is called {name}", "rotator.toml", mend)

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

    def signing_key(self) -> SigningKey | None:
        """Return the key that signs evidence; the embedded default makes one at first use, others have it or none."""
        from rotator.evidence import signing  # noqa: PLC0415 - only who signs waits for what does

        if self.evidence.signing_key is not None:
            return signing.from_text(secret_reference.read(self.evidence.signing_key, self.folder).reveal())
        return signing.from_file(self.data_dir / "signing.key") if self.embedded else None


def _at_home(key: str, path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError(f"{key}: nobody has the home of {path}") from None
