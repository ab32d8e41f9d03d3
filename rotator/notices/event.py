"""What happens to an incident of which people are told, and how soon."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """Something that happened to an incident. The words for each are in `phrases.py`."""

    DECLARED = "declared"
    ALARM_WAITING = "alarm_waiting"
    REVISED = "revised"
    MERGED = "merged"
    APPROVAL_WANTED = "approval_wanted"
    APPROVED = "approved"
    STANDING_ORDER = "standing_order"
    BREAK_GLASS = "break_glass"
    REVIEW_DUE = "review_due"
    OWNER_ASKED = "owner_asked"
    RAISED = "raised"
    DISMISSED = "dismissed"
    STOPPED = "stopped"
    CONTINUED = "continued"
    BRAKE_TRIPPED = "brake_tripped"
    NEEDS_PERSON = "needs_person"
    TASK_REMINDER = "task_reminder"
    DONE = "done"
    CLOSED = "closed"
    REOPENED = "reopened"
    CAME_BACK = "came_back"
    DRILL_LATE = "drill_late"
    PAUSED = "vendor_paused"
    RESTORED = "vendor_restored"
    HOLDS_MORE = "vendor_holds_more"
    ATTESTATION_ENDS = "attestation_ends"
    VENDORS_TOUCHED = "vendors_touched"


BY_DEFAULT = frozenset(Event) - {
    Event.DECLARED,
    Event.APPROVED,
    Event.DISMISSED,
    Event.MERGED,
    Event.CONTINUED,
    Event.CLOSED,
}
"""What a channel is told that names no events: whatever somebody has to act on, or must not miss."""
URGENT = frozenset(
    {
        Event.ALARM_WAITING,
        Event.APPROVAL_WANTED,
        Event.BREAK_GLASS,
        Event.BRAKE_TRIPPED,
        Event.CAME_BACK,
        Event.STANDING_ORDER,
        Event.OWNER_ASKED,
        Event.DONE,
        Event.PAUSED,
        Event.HOLDS_MORE,
        Event.VENDORS_TOUCHED,
    }
)
"""What does not wait for the pause between two messages about one incident."""
