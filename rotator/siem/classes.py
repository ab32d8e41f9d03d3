"""Which class of OCSF 1.8.0 each of our acts and steps is told as, chosen by the schema's own descriptions.

Entity Management is about credentials (created, suspended, deleted), Authentication about who logged in, which our own
knocks do too, Incident Finding about what became of an incident, API Activity about calls of our API. Account Change is
not used: a credential is no account, and OCSF 1.9 retires it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rotator.flow.playbook_words import Subject, Verb

VERSION = "1.8.0"
"""Of the schema, which every event names."""


@dataclass(frozen=True, slots=True)
class EventClass:
    """A class of the schema: its number and caption, its category's, and the activities that we tell.

    `profiles` are those whose attributes we use beside its own.
    """

    uid: int
    caption: str
    category_uid: int
    category: str
    activities: Mapping[int, str]
    profiles: tuple[str, ...] = ()


OTHER = 99
# Who acted stands in these two by the profile of hosts alone.
BASE = EventClass(0, "Base Event", 0, "Uncategorized", {OTHER: "Other"}, ("host",))
INCIDENT = EventClass(
    2005, "Incident Finding", 2, "Findings", {1: "Create", 2: "Update", 3: "Close"}, ("host", "incident")
)
_IAM = "Identity & Access Management"
AUTHENTICATION = EventClass(3002, "Authentication", 3, _IAM, {1: "Logon", 2: "Logoff"})
ENTITY = EventClass(
    3004,
    "Entity Management",
    3,
    _IAM,
    {
        1: "Create",
        2: "Read",
        3: "Update",
        4: "Delete",
        6: "Enroll",
        8: "Enable",
        9: "Disable",
        12: "Suspend",
        13: "Resume",
    },
)
API = EventClass(6003, "API Activity", 6, "Application Activity", {OTHER: "Other"})


@dataclass(frozen=True, slots=True)
class Sort:
    """As what something is told: a class, and the activity in it."""

    of: EventClass
    activity: int

    def __str__(self) -> str:
        return f"{self.of.caption}: {self.of.activities[self.activity]}"


UNKNOWN = Sort(BASE, OTHER)
"""As what is told that this table has no line for."""
_UPDATE = Sort(INCIDENT, 2)
ACTS: Mapping[str, Sort] = {
    "declared": Sort(INCIDENT, 1),
    **dict.fromkeys(
        (
            "added",
            "agreed",
            "alive_again",
            "approved",
            "broke_glass",
            "continued",
            "dismissed",
            "done_by_hand",
            "drill",
            "drill_ended",
            "gate_given",
            "gate_overridden",
            "gate_said_yes",
            "gave_way",
            "isolated",
            "looked_again",
            "merged",
            "named_again",
            "not told",
            "opened",
            "ordered",
            "raised",
            "released",
            "reopened",
            "restored",
            "retried",
            "reviewed",
            "revived",
            "said_yes",
            "shut",
            "skipped",
            "stopped",
            "told",
            "told again",
            "triggered",
            "undone",
            "vendor_paused",
            "vendor_paused_again",
            "vendor_restored",
            "vendor_holds_more",
        ),
        _UPDATE,
    ),
    "closed": Sort(INCIDENT, 3),
    "enrolled": Sort(ENTITY, 6),
    "clocks": Sort(ENTITY, 3),
    "called": Sort(API, OTHER),
    "refused": Sort(API, OTHER),
    "signed_in": Sort(AUTHENTICATION, 1),
    "signed_out": Sort(AUTHENTICATION, 2),
    "session_revoked": Sort(AUTHENTICATION, 2),
    "token_created": Sort(ENTITY, 1),
    "token_revoked": Sort(ENTITY, 4),
    "siem_replayed": Sort(ENTITY, 3),
    "key_passed_on": Sort(ENTITY, 3),
    "canary_intended": Sort(ENTITY, 1),
    "canary_gone": Sort(ENTITY, 4),
    "certified": Sort(ENTITY, 3),
    "dataset_recorded": Sort(ENTITY, 1),
    "dataset_checked": Sort(ENTITY, 2),
    **dict.fromkeys(("term_set", "term_cleared"), Sort(ENTITY, 3)),
    **dict.fromkeys(
        ("vendor_registered", "dataset_described", "software_told", "vendor_attested", "vendor_reminded"),
        Sort(ENTITY, 3),
    ),
    **dict.fromkeys(("advisory_arrived", "advisory_touches"), Sort(ENTITY, 2)),
    **dict.fromkeys(("advisory_kept", "advisory_escalated"), Sort(ENTITY, 3)),
    "evidence_deleted": Sort(ENTITY, 4),
    "due": Sort(ENTITY, 3),
    "due_no_more": Sort(ENTITY, 3),
    "aged": Sort(ENTITY, 2),
    "segmented": Sort(ENTITY, 2),
    **dict.fromkeys(
        ("conversion_begun", "conversion_intended", "conversion_tried", "conversion_prepared"), Sort(ENTITY, 1)
    ),
    "conversion_undone": Sort(ENTITY, 4),
    "material_read": Sort(ENTITY, 2),
    "uses_seen": Sort(ENTITY, 2),
}
"""What people and rotator itself did, by the `act` of the record."""
SERVICE_ACTS: Mapping[str, Sort] = {"restored": Sort(ENTITY, 3)}
"""Where the same word on the service's own chain is about the service, and no incident's."""
STEPS: Mapping[Verb, Sort] = {
    Verb.PRESERVE: Sort(ENTITY, 2),
    Verb.SUSPEND: Sort(ENTITY, 12),
    Verb.RESUME: Sort(ENTITY, 13),
    Verb.END_SESSIONS: Sort(ENTITY, 3),
    Verb.VERIFY: Sort(AUTHENTICATION, 1),
    Verb.ISSUE: Sort(ENTITY, 1),
    Verb.GENERATE: Sort(ENTITY, 1),
    Verb.INSTALL: Sort(ENTITY, 8),
    Verb.UNINSTALL: Sort(ENTITY, 9),
    Verb.PROMOTE: Sort(ENTITY, 3),
    Verb.DEMOTE: Sort(ENTITY, 3),
    Verb.RELOAD: Sort(ENTITY, 3),
    Verb.REVOKE: Sort(ENTITY, 4),
    Verb.COMPARE: Sort(ENTITY, 2),
    Verb.WATCH: Sort(ENTITY, 2),
}
"""What a worker did to a credential, by the verb of its step; consumers are asked, and nobody logs in there."""
ASKED = Sort(ENTITY, 2)


def of_act(act: str, *, service: bool) -> Sort:
    """Return as what an act is told; `service`: it stands on the service's own chain."""
    return (service and SERVICE_ACTS.get(act)) or ACTS.get(act, UNKNOWN)


def of_step(do: str) -> Sort:
    """Return as what a step is told, by its verb and subject."""
    verb, _, subject = do.partition(" ")
    if verb not in list(Verb):
        return UNKNOWN
    return ASKED if verb == Verb.VERIFY and subject == Subject.CONSUMERS else STEPS[Verb(verb)]
