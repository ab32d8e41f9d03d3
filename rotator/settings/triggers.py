"""`[[triggers]]`: who may send alarms over HTTP, and what his messages are held against."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rotator import secret_reference
from rotator.settings.connections import ConnectionSettings

SenderName = Literal["github", "github-partner", "gitguardian", "pagerduty", "aws-health", "generic", "gitlab"]
SENDER_NAMES: tuple[str, ...] = get_args(SenderName)
_KEYS = {
    "secret": {"github", "gitguardian", "pagerduty", "generic", "gitlab"},
    "topic": {"aws-health"},
    "name": {"generic"},
}
"""The keys that some senders need, and the others have no use for."""
FETCHED_BY = {"github": "github", "gitguardian": "gitguardian", "pagerduty": "pagerduty"}
"""Of senders whose messages only point to what leaked, the family that may look at it."""
_OPTIONAL = {
    "previous": _KEYS["secret"],
    "endpoint_url": {"github-partner", "aws-health"},
    "fetch": FETCHED_BY.keys(),
    "vendor": {"generic"},
}


class TriggerSettings(BaseModel):
    """One `[[triggers]]` entry."""

    model_config = ConfigDict(extra="forbid")
    sender: SenderName
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    secret: str | None = None
    previous: str | None = None
    topic: Annotated[str, Field(pattern=r"^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]+$")] | None = None
    endpoint_url: Annotated[str, Field(pattern=r"^https?://[^\s/@]+(/\S*)?$")] | None = None
    kinds: dict[str, str] = {}
    fetch: list[str] | None = None
    vendor: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    """Whose software it tells of: then it is believed in that alone, and sends no alarms."""

    @field_validator("secret", "previous")
    @classmethod
    def _reference(cls, value: str | None) -> str | None:
        if value is not None:
            secret_reference.check(value, "triggers")
        return value

    @model_validator(mode="after")
    def _what_it_needs(self) -> TriggerSettings:
        for key, senders in {**_KEYS, **_OPTIONAL}.items():
            given = getattr(self, key) is not None
            if given and self.sender not in senders:
                raise ValueError(f"the trigger {self.sender} has no use for `{key}`")
            if not given and key in _KEYS and self.sender in senders:
                raise ValueError(f"the trigger {self.sender} needs `{key}`")
        return self

    @property
    def title(self) -> str:
        """Return what it is called: the sender, and which of several."""
        return f"{self.sender}/{self.name}" if self.name else self.sender

    @property
    def references(self) -> tuple[str, ...]:
        """Return where its secrets are, the present one first."""
        return tuple(each for each in (self.secret, self.previous) if each is not None)


def check_together(entries: Sequence[TriggerSettings], connections: Sequence[ConnectionSettings]) -> None:
    """Raise ValueError where two are one, or what they point to would be fetched through what cannot."""
    titles = [each.title for each in entries]
    for title in titles:
        if titles.count(title) > 1:
            raise ValueError(f"two triggers are called {title}")
    for one, other in combinations(entries, 2):
        if one.vendor != other.vendor and not {*one.references}.isdisjoint(other.references):
            why = "a vendor's pipeline would be believed in both, so give it one of its own"
            raise ValueError(f"the triggers {one.title} and {other.title} share a secret: {why}")
    families = {each.name: each.family for each in connections}
    for entry in entries:
        for name in entry.fetch or ():
            wanted = FETCHED_BY[entry.sender]
            if families.get(name) != wanted:
                what = f"one of {families[name]}" if name in families else "not there"
                raise ValueError(
                    f"the trigger {entry.title} fetches through {name}, which is {what}: name one of {wanted}"
                )
