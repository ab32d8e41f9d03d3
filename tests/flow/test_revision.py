"""What an incident has already, and what of a report is another's that is called the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.flow.exposure import Exposure, Suspect
from rotator.flow.revision import Grown, Present
from rotator.flow.scope import Custody, Scoped, Unresolved
from rotator.ports.connection import Connection

KIND, NAME = "postgres_password", "deploy"
EXCLUSION, RUN = "inc-1.x1", "inc-1.r1"
SEEN = (Exposure("list", KIND, Leaked(id=NAME), path="dump"),)


def scoped(connection: str) -> Scoped:
    ref = CredentialRef(KIND, connection, NAME, NAME)
    return Scoped(ref=ref, kind=KIND, leaked=Leaked(id=NAME), exposures=SEEN, custody=Custody(match={}), why="seen")


def test_what_was_left_out_on_one_connection_leaves_nothing_out_on_another():
    present = Present("inc-1", 1, named={(KIND, NAME): ((EXCLUSION, "staging"),)})
    found = present.grown(Grown((scoped("staging"), scoped("prod")), ()))
    assert [each.ref.connection for each in found.scoped] == ["prod"]
    assert found.seen == {EXCLUSION: list(SEEN)}


def test_the_next_generation_of_what_has_its_run_is_new():
    first = scoped("prod")
    again = replace(first, ref=replace(first.ref, generation=1))
    present = Present("inc-1", 1, runs={first.ref: RUN}, named={(KIND, NAME): ((RUN, "prod"),)})
    assert present.grown(Grown((first, again), ())).scoped == (again,)


def test_what_no_issuer_knows_gets_its_task_though_another_of_that_name_has_its_run():
    present = Present("inc-1", 1, runs={scoped("staging").ref: RUN}, named={(KIND, NAME): ((RUN, "staging"),)})
    unknown = Unresolved(KIND, NAME, SEEN, "no connection leads to db2", "add one")
    assert present.grown(Grown((), (unknown,))).left == (unknown,)


PROD = {"prod": Connection("prod", "postgres", account="shop", endpoint_url="https://db1:5432")}
HERE = Present("inc-1", 1, named={(KIND, NAME): ((RUN, "prod"),), (KIND, "fp:s"): ((RUN, "prod"),)})


def known(leaked: Leaked, kind: str | None = KIND) -> bool:
    """Tell whether a report that says so is known without asking anybody."""
    key = leaked.id or f"fp:{leaked.secret.reveal()}"
    new, seen = HERE.split([Suspect(kind, key, leaked, SEEN)], lambda secret: f"fp:{secret.reveal()}", PROD)
    assert seen == ({RUN: list(SEEN)} if not new else {})
    return not new


@pytest.mark.parametrize(
    ("leaked", "is_known"),
    [
        (Leaked(id=NAME), True),
        (Leaked(id=NAME, account="shop"), True),
        (Leaked(id=NAME, account="another"), False),
        (Leaked(id=NAME, address="db1"), True),
        (Leaked(id=NAME, address="db2"), False),
        (Leaked(id=NAME, account="shop", address="db1:5432"), True),
        (Leaked(id=NAME, connection="prod"), True),
        (Leaked(id=NAME, connection="staging"), False),
        (Leaked(secret=Secret("s")), True),
        (Leaked(secret=Secret("s"), account="another"), True),
        (Leaked(id="other", secret=Secret("s")), False),
        (Leaked(secret=Secret("t")), False),
    ],
)
def test_what_was_told_before_is_known_though_its_issuer_has_forgotten_it(leaked, is_known):
    assert known(leaked) is is_known
    assert not known(leaked, "another_kind")
