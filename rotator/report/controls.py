"""Which controls of published standards the figures speak to: what each asks, in our words, and what they leave open.

Nothing here says that a control is met: that is for who audits. The editions are named, since numbers move with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rotator.flow.punctuality import Duty, figures
from rotator.flow.response import Response, counted

_AWS_KEY = "aws_iam_access_key"
_PASSWORD = "_password"  # noqa: S105 - how kinds of passwords of people are called
_OF_SERVERS = "mariadb_user", "postgres_role", "rabbitmq_user", "redis_acl_user", "vault_database_static_role"
"""Kinds that are a password too, by which programs sign in as often as people."""


@dataclass(frozen=True, slots=True)
class Control:
    """A control: where it stands, what it asks, of which credentials this report can speak, and of what it cannot.

    `earlier` tells what other editions call it, `scheduled` whether it asks for changes at set times too.
    """

    standard: str
    edition: str
    id: str
    asks: str
    population: str
    counts: Callable[[Response | Duty], bool]
    shows: str
    not_shown: tuple[str, ...]
    earlier: str = ""
    scheduled: bool = False


CONTROLS = (
    Control(
        "PCI DSS",
        "4.0.1",
        "8.6.3",
        "Passwords of application and system accounts are changed as often as the entity's own risk analysis says, and "
        "whenever they are suspected or known to be compromised; the less often, the stronger they must be.",
        "every exposed credential that was not dismissed, of whatever account",
        lambda _each: True,
        "what was done upon suspicion or confirmation of compromise, and how long it took",
        (
            "which accounts are in the scope of the assessment, and which belong to applications and systems",
            "whether the policies of hygiene say what the risk analysis does, and what none of them selects",
            "how strong they are",
        ),
        scheduled=True,
    ),
    Control(
        "PCI DSS",
        "4.0.1",
        "8.3.9",
        "Where a password is all that a user signs in with, it is changed every 90 days at the latest, or each sign-in "
        "is judged by how the account stands at that moment.",
        "exposed credentials of kinds whose name ends in `_password`",
        lambda each: each.provider.endswith(_PASSWORD),
        "which exposed passwords were stopped and replaced, and when",
        (
            "how old any password is that no policy of hygiene selects",
            "which users sign in with a password alone, and how sign-ins are judged",
            "people who sign in to a database or a broker: those passwords are counted under IA-5(1)",
        ),
        scheduled=True,
    ),
    Control(
        "NIST SP 800-53",
        "Revision 5",
        "IA-5",
        "Authenticators are managed through their life: among others, there is a procedure for those that are lost or "
        "compromised, and for revoking them (part d), they are changed at set times and when set events happen (part "
        "f), and are kept from disclosure (part g).",
        "every exposed credential that was not dismissed",
        lambda _each: True,
        "that exposure, as such an event, led to a change, and how long it took until the old one was proven dead",
        (
            "how authenticators are first given out, to whom, and how strong they are",
            "changes at set times of what no policy of hygiene selects",
            "exposures that nobody reported",
        ),
        scheduled=True,
    ),
    Control(
        "NIST SP 800-53",
        "Revision 5",
        "IA-5(1)",
        "Where passwords are used: among others, a list of those that are common, to be expected or compromised is "
        "kept, and brought up to date when passwords may have been compromised (part a); new ones are held against it "
        "(part b); they are sent over protected channels alone (part c), and kept as salted hashes (part d).",
        f"exposed credentials of kinds whose name ends in `_password`, and of {', '.join(_OF_SERVERS)}",
        lambda each: each.provider.endswith(_PASSWORD) or each.provider in _OF_SERVERS,
        "which passwords were exposed, and belong on such a list, and that each was seen to open nothing any more",
        (
            "whether that list is kept, and new passwords are held against it",
            "how passwords are sent and kept by the systems that take them",
            "exposures that nobody reported",
        ),
    ),
    Control(
        "CIS Amazon Web Services Foundations Benchmark",
        "7.0.0",
        "2.12",
        "No access key of an IAM user is older than 90 days.",
        f"exposed credentials of the kind {_AWS_KEY}",
        lambda each: each.provider == _AWS_KEY,
        "which exposed access keys were stopped and replaced, and when",
        ("the age of any key that no policy of hygiene selects", "keys in accounts to which no connection leads"),
        earlier="1.14 in the editions 1.5.0, 3.0.0 and 4.0.1",
        scheduled=True,
    ),
    Control(
        "NIST Cybersecurity Framework",
        "2.0",
        "RS.AN-06",
        "What is done during an investigation is recorded, and the records keep their integrity and their origin.",
        "every exposed credential that was not dismissed: each has chains of records",
        lambda _each: True,
        "what was recorded: all figures here follow from the records; `rotator evidence verify` checks their hashes "
        "and signatures in a pack, without this program's ledger",
        (
            "what people did beside the rotator",
            "that a record is true, beyond that it has not changed since it was signed",
            "records after the pack's last checkpoint",
        ),
    ),
)


_SCHEDULED = "due", "on_time", "late", "overdue", "open", "by_hand", "on_time_share"


def told(
    responses: Sequence[Response],
    states: Sequence[str],
    exceptional: Sequence[str],
    duties: Sequence[Duty],
    made_at: float,
) -> list[dict[str, Any]]:
    """Return each control with its counts: over the responses that nobody dismissed, and what is an exception and why.

    `states` tell how each response stands; the `exceptional` ones are counted over all, what a person dismissed or left
    out too. What came due by hygiene is a population of its own, of the controls that ask for changes at set times.
    """
    found = []
    for each in CONTROLS:
        looked_at = [one for one in zip(responses, states, strict=True) if each.counts(one[0])]
        mine = counted(one for one, _ in looked_at)
        stands = Counter(state for _, state in looked_at)
        to_replace = sum(one.replaces for one in mine)
        replaced = sum(one.replaces and one.replaced_at is not None for one in mine)
        due = figures((one for one in duties if each.counts(one)), made_at) if each.scheduled else None
        found.append(
            {
                "standard": each.standard,
                "edition": each.edition,
                "id": each.id,
                "earlier": each.earlier,
                "asks": each.asks,
                "population_is": each.population,
                "population": len(mine),
                "looked_at": len(looked_at),
                "proven_dead": sum(one.dead_at is not None for one in mine),
                "to_replace": to_replace,
                "replaced": replaced,
                "exceptions": {**{name: stands[name] for name in exceptional}, "not_replaced": to_replace - replaced},
                "scheduled": due and {name: due[name] for name in _SCHEDULED},
                "shows": each.shows,
                "not_shown": list(each.not_shown),
            }
        )
    return found
