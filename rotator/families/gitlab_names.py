"""Where a CI/CD variable stands in GitLab, and the paths of its interface."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from rotator.errors import Rejected

_NAME = re.compile(r"(?P<group>groups/)?(?P<owner>[^:@\s]+):(?P<key>[A-Za-z0-9_]{1,255})(?:@(?P<scope>\S.*))?")
_EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a project or a group, for the jobs of one scope."""

    sort: str
    owner: str
    key: str
    scope: str = _EVERYWHERE

    def __str__(self) -> str:
        return f"{self.owner}:{self.key}" if self.scope == _EVERYWHERE else f"{self.owner}:{self.key}@{self.scope}"

    @property
    def all_of_owner(self) -> str:
        return f"/{self.sort}/{quote(self.owner, safe='')}/variables"

    @property
    def path(self) -> str:
        return f"{self.all_of_owner}/{self.key}?{urlencode({'filter[environment_scope]': self.scope})}"

    def beside(self, what: str) -> Variable:
        """Return a variable of the same key in an environment that no job has."""
        mine = hashlib.sha256(self.scope.encode()).hexdigest()[:8]
        return replace(self, scope=f"rotator/{mine}/{what}")


def variable_of(name: str) -> Variable:
    """Read PROJECT:KEY, PROJECT:KEY@SCOPE or groups/GROUP:KEY. Raises Rejected("bad_name")."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise Rejected("bad_name", f"{name} is not PROJECT:KEY, PROJECT:KEY@SCOPE or groups/GROUP:KEY")
    sort = "groups" if found["group"] else "projects"
    return Variable(sort, found["owner"], found["key"], found["scope"] or _EVERYWHERE)
