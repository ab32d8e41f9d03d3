"""The ledger's tables. Times are seconds since the epoch, UTC; structured values are canonical JSON text.

No column holds material in the clear: `sealed.blob` is AES-GCM under the deployment's key, everything else is names.
A change here comes with a migration in `migrations/versions/`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

incident = Table(
    "incident",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("title", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("exposed_at", Double),
    Column("detected_at", Double, nullable=False),
    Column("declared_at", Double, nullable=False),
    # Closed: nothing of it is approved or added any more, until somebody opens it again.
    Column("closed_at", Double),
    Column("closed_by", Text),
    Column("closed_reason", Text),
    Column("plan_digest", String(64), nullable=False),
    Column("approved_at", Double),
    Column("approved_by", Text),
    # How many waves its production goes in, and how many of them have begun.
    Column("waves", Integer, nullable=False, server_default="0"),
    Column("wave", Integer, nullable=False, server_default="0"),
    # The incident into which a person merged it: what it had not begun went there, what works is told there too.
    Column("merged_into", String(40)),
    # Acts that belong to the whole incident (declared, approved, …) have a chain of their own.
    Column("length", Integer, nullable=False, default=0),
    Column("head", String(64), nullable=False, default=""),
)

run = Table(
    "run",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("incident", ForeignKey("incident.id"), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("connection", String(128), nullable=False),
    Column("owner", Text, nullable=False),
    Column("credential", Text, nullable=False, index=True),
    Column("generation", Integer, nullable=False, default=0),
    Column("kind", String(64), nullable=False),
    Column("strategy", String(32), nullable=False),
    Column("why", Text, nullable=False),
    Column("priority", Double, nullable=False),
    Column("deliver", Text, nullable=False),
    Column("consumers", Text, nullable=False),
    Column("requested_at", Double),
    Column("acknowledged_at", Double),
    Column("dead_at", Double),
    Column("contained_at", Double),
    Column("evidence", String(8), nullable=False, default="none"),
    Column("replaced_at", Double),
    Column("replacement", Text, index=True),
    Column("converged_at", Double),
    Column("destroyed_at", Double),
    Column("dismissed", Text),
    Column("wave", Integer, nullable=False, server_default="0"),
    # Who accepted that those in `accepted` may see its new secret, and why.
    Column("risk_accepted", Text),
    # The revision of the plan that it came with, and the run that made this very credential, as a replacement.
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("predecessor", String(64)),
    # How much a second of its exposure weighs, none for what an older release declared; how often its clocks were told.
    Column("weight", Double),
    Column("told", Integer, nullable=False, server_default="0"),
    # Who holds it beside us, as the inventory said when it was planned.
    Column("vendor", Text, nullable=False, server_default=""),
    # Counted by revision with none of a large incident's rows read.
    Index("ix_run_incident_revision", "incident", "revision", "id"),
    Index(
        "ix_run_dead_at",
        "dead_at",
        sqlite_where=text("dead_at IS NOT NULL"),
        postgresql_where=text("dead_at IS NOT NULL"),
    ),
)

reach = Table(
    "reach",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("connection", String(128), primary_key=True),
    Column("incident", ForeignKey("incident.id"), nullable=False),
    Column("open", Integer, nullable=False),
    Index("ix_reach_connection_open", "connection", "open"),
)
"""The connections on which an exposed credential may read or administer. `open`: LIVES until it is contained, then 0.

Nobody knows what one under replace_first reads: it LIVES_ON, and others under replace_first do not wait for it, since
they would wait for each other; their plan warned of it. Below zero: so it will be when its plan is approved. What
counted when its credential was dismissed is lower by SET_ASIDE, and counts again the moment that is opened.
"""
LIVES, LIVES_ON = 1, 2
SET_ASIDE = 10

delivery = Table(
    "delivery",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("connection", String(128), primary_key=True),
)
"""The connections to which a run delivers, its issuer's included: the new secret passes there too."""

awaits = Table(
    "awaits",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("lifeline", ForeignKey("run.id"), primary_key=True),
    Column("open", Integer, nullable=False),
    Index("ix_awaits_open_lifeline", "open", "lifeline"),
)
"""Runs that start when the `lifeline`, a run for the rotator's own credential, has replaced it; `open` until then."""

MAY_BE_SENT = text("(branch.state = 'open') IS TRUE AND branch.holder IS NULL")
"""The branches of the index ix_branch_open. In these words no other index fits, which SQLite would take for a better.
"""
_MAY_BE_SENT = text("(state = 'open') IS TRUE AND holder IS NULL")
_IS_SENT = text("sent_at IS NOT NULL")
_IS_HELD = text("holder IS NOT NULL")

branch = Table(
    "branch",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("run", ForeignKey("run.id"), nullable=False, index=True),
    Column("incident", ForeignKey("incident.id"), nullable=False, index=True),
    Column("segment", Integer, nullable=False),
    Column("target", Text, nullable=False),
    Column("quorum", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("lane", String(8), nullable=False),
    Column("priority", Double, nullable=False),
    Column("reason", Text),
    # Whose budget it is under, how many calls its next stretch costs, and how many came with the last message.
    Column("account", String(192), nullable=False, server_default=""),
    Column("calls", Integer, nullable=False, server_default="1"),
    Column("granted", Integer),
    Column("probe", Integer, nullable=False, server_default="0"),
    # Due work and its outbox: due and unclaimed rows are sent, and sent again when a message was lost.
    Column("due_at", Double),
    Column("sent_at", Double),
    # The claim: who holds it, the fencing number, and a heartbeat that every commit moves.
    Column("holder", String(128)),
    Column("fence", Integer, nullable=False, default=0),
    Column("beat", Integer, nullable=False, default=0),
    Column("length", Integer, nullable=False, default=0),
    Column("head", String(64), nullable=False, default=""),
    UniqueConstraint("run", "segment", "target"),
    Index("ix_branch_state_due_at", "state", "due_at"),
    Index("ix_branch_holder", "holder", sqlite_where=_IS_HELD, postgresql_where=_IS_HELD),
    # What may be sent, in the order in which it is, and what was sent and is in nobody's hand: both are few.
    Index(
        "ix_branch_open",
        "account",
        "lane",
        text("priority DESC"),
        "due_at",
        sqlite_where=_MAY_BE_SENT,
        postgresql_where=_MAY_BE_SENT,
    ),
    Index("ix_branch_sent_at", "sent_at", sqlite_where=_IS_SENT, postgresql_where=_IS_SENT),
)

step = Table(
    "step",
    metadata,
    Column("id", String(160), primary_key=True),
    Column("run", ForeignKey("run.id"), nullable=False),
    Column("branch", ForeignKey("branch.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", String(64), nullable=False),
    Column("target", Text, nullable=False),
    Column("verb", String(16), nullable=False),
    Column("subject", String(16), nullable=False),
    Column("lane", String(8), nullable=False),
    Column("expect", String(16)),
    Column("retry_for_s", Double),
    Column("hold_for_s", Double),
    Column("hold_until", String(32)),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("started_at", Double),
    Column("intended_at", Double),
    Column("settled_at", Double),
    Column("held_at", Double),
    Column("reason", Text),
    Column("facts", Text, nullable=False, default="{}"),
    Column("undo", String(16)),
    Column("calls", Integer, nullable=False, server_default="1"),
    # Which runs destroy what was exposed is asked of a large incident's with none of their steps read.
    Index("ix_step_run_subject_verb", "run", "subject", "verb"),
)

proof = Table(
    "proof",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("target", String(255), primary_key=True),
    Column("known_at", Double),
    Column("accepted_at", Double),
    Column("mismatch", Integer, nullable=False, default=0),
    Column("refused_since", Double),
    Column("stated_since", Double),
    Column("dead_at", Double),
    Column("contained_at", Double),
    Column("evidence", String(8), nullable=False, default="none"),
)

_IS_OF_TASK = text("manual IS NOT NULL")

exposure = Table(
    "exposure",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", ForeignKey("incident.id"), nullable=False, index=True),
    Column("run", ForeignKey("run.id"), index=True),
    Column("manual", ForeignKey("manual.id")),
    Column("source", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("line", Integer),
    Column("commit", Text),
    Column("scanner_says", Text),
    Column("certainty", String(16), nullable=False),
    # What the report tells it apart by: its id, or a keyed fingerprint. The second also where it tells both.
    Column("key", Text),
    Column("fingerprint", Text),
    # Only tasks stand in it: what is written of a run pays nothing.
    Index("ix_exposure_manual", "manual", sqlite_where=_IS_OF_TASK, postgresql_where=_IS_OF_TASK),
)

manual = Table(
    "manual",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("incident", ForeignKey("incident.id"), nullable=False, index=True),
    Column("kind", String(64)),
    Column("key", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("mend", Text, nullable=False),
    Column("dismissed", Text),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("connection", String(128), nullable=False, server_default=""),
)
"""Exposed credentials that no machine can answer: tasks for a person; and what a plan left out, of its `connection`."""

sealed = Table(
    "sealed",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("blob", LargeBinary, nullable=False),
    Column("expires_at", Double, nullable=False),
)
"""Exposed secrets, sealed, kept only until their death is proven."""


class this_transaction(FunctionElement[int]):  # noqa: N801 - a function of SQL
    """The number of the transaction that writes; of SQLite, where one writes at a time, nothing is asked: 0."""

    inherit_cache = True


@compiles(this_transaction)
def _one_at_a_time(_element: object, _compiler: object, **_how: Any) -> str:
    return "0"


@compiles(this_transaction, "postgresql")
def _of_postgresql(_element: object, _compiler: object, **_how: Any) -> str:
    return "(pg_current_xact_id()::text::bigint)"  # of xid8 there is no cast to bigint but by its text


evidence = Table(
    "evidence",
    metadata,
    # SQLite's own rowid, which costs nothing; PostgreSQL hands these out in another order than that of commits.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("tx", BigInteger, nullable=False, server_default=this_transaction()),
    Column("chain", String(80), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("chain", "seq"),
    Index("ix_evidence_tx_number", "tx", "number").ddl_if(dialect="postgresql"),
)
"""One chain per branch and one per incident: `hash` is SHA-256 over `body` as stored, which names its predecessor.

By `tx` and then `number` they stand in the order in which they were committed, for whoever follows them: `feed.py`.
"""

epoch = Table("epoch", metadata, Column("name", String(16), primary_key=True))
"""One row: by which ledger a cursor of its feed was given. A restored one is another, and counts its own transactions.
"""

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("body", Text, nullable=False),
    Column("signature", Text, nullable=False),
    # By which ledger, and how far into its order of commits, it has looked.
    Column("epoch", String(16), nullable=False),
    Column("seen", BigInteger, nullable=False),
)
"""The signed chain over all chains of evidence; see `evidence/checkpoint.py`."""

signed = Table(
    "signed",
    metadata,
    Column("chain", String(80), primary_key=True),
    Column("length", Integer, nullable=False),
    Column("head", String(64), nullable=False),
)
"""How each chain of evidence stood when it was signed last."""

witness = Table(
    "witness",
    metadata,
    Column("name", Text, primary_key=True),
    # The last checkpoint that it has, and the last time stamp.
    Column("number", Integer, nullable=False, server_default="0"),
    Column("hash", String(64), nullable=False, server_default=""),
    Column("stamp", Integer, nullable=False, server_default="0"),
    Column("failing_since", Double),
    Column("why", Text, nullable=False, server_default=""),
    Column("forked", Integer),
)
"""Who outside of the ledger has its checkpoints: keepers, and who stamps them with a time."""

stamp = Table(
    "stamp",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("answer", Text, nullable=False),
    Column("asked_at", Double, nullable=False),
)
"""Time stamps of checkpoints: what the authority answered, in base64; see `evidence/timestamp.py`."""

mint = Table(
    "mint",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("branch", String(80), nullable=False),
)
"""One mint per owner at a time."""

leader = Table(
    "leader",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("beat", Integer, nullable=False, default=0),
)
"""The leading dispatcher's lease."""

account = Table(
    "account",
    metadata,
    Column("name", String(192), primary_key=True),
    # The bucket, as `flow/budget.py` has it: how many calls were left at `filled_at` by the clock of who filled it.
    Column("tokens", Double, nullable=False),
    Column("filled_at", Double, nullable=False),
    Column("filled_by", String(128), nullable=False, server_default=""),
    Column("share", Double, nullable=False, server_default="1"),
    Column("learned", Double),
    Column("counted", Double, nullable=False, server_default="0"),
    Column("counted_at", Double, nullable=False, server_default="0"),
    Column("cut_at", Double),
    Column("pause_until", Double),
    # What workers met there, until the dispatcher heeds it: throttlings, the longest time that was asked for, and
    # failures without a success between.
    Column("throttled", Integer, nullable=False, server_default="0"),
    Column("pause_s", Double),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("probes", Integer, nullable=False, server_default="0"),
    Column("probe_at", Double),
)
"""The calls that each provider account allows, granted by the leading dispatcher and shared by every worker."""

stop = Table(
    "stop",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("scope", String(16), nullable=False),
    Column("name", String(192), nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("lifted_at", Double),
    Column("lifted_by", Text),
    Column("lifted_reason", Text),
)
"""What a person stopped: everything (`all`), an `incident` or a `connection`. It holds until it is lifted."""

gate = Table(
    "gate",
    metadata,
    Column("incident", ForeignKey("incident.id"), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("open", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
"""What must be so before certain steps of an incident go on: `host_isolated`, `no_legal_hold`, `brake`."""

foothold = Table(
    "foothold",
    metadata,
    Column("incident", ForeignKey("incident.id"), primary_key=True),
    Column("host", String(255), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
"""Hosts on which the attacker ran: open until a person says that they are isolated or clean."""

stands = Table(
    "stands",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("host", String(255), primary_key=True),
)
"""The hosts on which a run's consumers live: a new secret reaches them."""

accepted = Table(
    "accepted",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("what", String(8), primary_key=True),
    Column("name", String(255), primary_key=True),
)
"""Whose reading of its new secret a person accepted: the run of a stolen credential (`run`), or a foothold (`host`)."""

late = Table(
    "late",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("credential", String(255), primary_key=True),
    Column("at", Double, nullable=False),
)
"""What a worker minted that had lost its claim meanwhile: ours, and settled by the run's next comparison."""

plan = Table(
    "plan",
    metadata,
    Column("incident", ForeignKey("incident.id"), primary_key=True),
    Column("digest", String(64), primary_key=True),
    # Fingerprints of what it was made from, by name.
    Column("basis", Text, nullable=False),
    # The JSON of `report/planned.py`, compressed.
    Column("document", LargeBinary, nullable=False),
    Column("number", Integer, nullable=False, server_default="1"),
    Column("made_at", Double, nullable=False, server_default="0"),
    # From when the clocks of its credentials count.
    Column("detected_at", Double, nullable=False, server_default="0"),
    Column("by", Text, nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),
    Column("approved_at", Double),
    Column("approved_by", Text),
    Index("ix_plan_incident_number", "incident", "number", unique=True),
)
"""Each revision of an incident's plan as it was shown to who approves it, under its digest: 1 as it was declared."""

approval = Table(
    "approval",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", ForeignKey("incident.id"), nullable=False, index=True),
    Column("digest", String(64), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("by", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("at", Double, nullable=False),
    # Why it was enough by itself: the reason of who broke the glass, or the name of a standing order.
    Column("glass", Text, nullable=False, server_default=""),
    Column("standing_order", String(64), nullable=False, server_default=""),
    Column("reviewed_at", Double),
    Column("reviewed_by", Text),
    Column("note", Text),
)
"""Each yes that somebody said to a revision of a plan, one row for each scope, and who looked at it afterwards."""

dismissal = Table(
    "dismissal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", ForeignKey("incident.id"), nullable=False, index=True),
    # A run's, or a task's.
    Column("of", String(64), nullable=False, index=True),
    Column("disposition", String(16), nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    # What the issuer said of it, empty where it was not asked.
    Column("issuer_says", Text, nullable=False, server_default=""),
    Column("reopened_at", Double),
    Column("reopened_by", Text),
    Column("reopened_reason", Text),
)
"""As what people dismissed a credential, and why, and who took that back: a row is never edited away."""

token = Table(
    "token",
    metadata,
    # The letters behind `rot_` by which its row is found.
    Column("lookup", String(8), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    # Whose acts its acts are: a login, empty for a program's own.
    Column("person", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("used_at", Double),
    Column("revoked_at", Double),
    Column("revoked_by", Text),
    Column("revoked_reason", Text),
)
"""Who may call the API: a token is kept as its SHA-256 alone. A row is never taken away, nor its name used again."""

session = Table(
    "session",
    metadata,
    # What evidence calls it, and the cookie begins with.
    Column("id", String(8), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("by", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("how", Text, nullable=False),
    # The token that was shown, with which it ends; empty where a provider spoke for the person.
    Column("token", String(64), nullable=False),
    Column("opened_at", Double, nullable=False),
    Column("used_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("ended_by", Text),
    Column("ended_reason", Text),
)
"""Who is signed in with a browser: a cookie is kept as its SHA-256 alone. A row goes a day after its time."""

called = Table(
    "called",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("at", Double, nullable=False, index=True),
    # Keyed fingerprints: of the key above too, which a caller chooses, and of what was asked.
    Column("request", String(32), nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
)
"""What was answered to acts that came with an `Idempotency-Key`: kept a day, and written with the act itself."""

machine = Table(
    "machine",
    metadata,
    Column("boot", String(64), primary_key=True),
    Column("begins_at", Double, nullable=False),
)
"""What the wall clock of each machine said when it started: all its processes count from there."""

inventory = Table(
    "inventory",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("match", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("file", Text, nullable=False),
)
"""What people imported of their credentials: one row for each `match`, under its hash, with the keys that it states."""

inventory_history = Table(
    "inventory_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False, index=True),
    Column("match", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("file", Text, nullable=False),
    # What was said before, none for an entry that came new, and from then on.
    Column("before", Text),
    Column("after", Text, nullable=False),
)
"""Each change of `inventory`, for good: rows are added and never touched."""

listed = Table(
    "listed",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("provider", String(64), nullable=False),
    Column("connection", String(128), nullable=False),
    Column("owner", Text, nullable=False),
    Column("credential", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("first_seen_at", Double, nullable=False),
    Column("last_seen_at", Double, nullable=False),
    # Since when a whole list of its kind does not have it any more.
    Column("gone_at", Double),
    Index("ix_listed_connection_provider", "connection", "provider"),
)
"""What issuers listed and a person had kept: known to exist, whatever anybody says of it. `key` hashes its name."""

trigger = Table(
    "trigger",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("sender", String(80), nullable=False),
    Column("delivery", String(220), nullable=False),
    Column("alarm", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("received_at", Double, nullable=False),
    Column("detected_at", Double, nullable=False),
    Column("exposed_at", Double),
    Column("state", String(16), nullable=False),
    Column("same_as", String(40)),
    # No foreign key: the id is given before the incident is there.
    Column("incident", String(40)),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Double, index=True),
    Column("reason", Text),
    Column("blob", LargeBinary),
    Index("ix_trigger_sender_delivery", "sender", "delivery"),
    Index("ix_trigger_sender_alarm", "sender", "alarm"),
)
"""Alarms that came over HTTP. `blob` is what one names, sealed until it is declared; `alarm` a keyed fingerprint of it.

`delivery` is the sender's id of the message, or a keyed fingerprint of its body. A row that is `same_as` another told
of the same alarm again.
"""

notice = Table(
    "notice",
    metadata,
    Column("id", Integer, primary_key=True),
    # No foreign keys: who tells must not wait for the incident's row.
    Column("incident", String(40), nullable=False),
    Column("event", String(32), nullable=False),
    Column("at", Double, nullable=False),
    Column("facts", Text, nullable=False),
    # Whether it is settled which channels hear of it.
    Column("routed", Integer, nullable=False),
    Index("ix_notice_routed", "routed"),
)
"""What happened of which people are told: written in the transaction in which it happened."""

message = Table(
    "message",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("incident", String(40), nullable=False, index=True),
    Column("made_at", Double, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    # When it is tried next; while somebody is at it, when another may.
    Column("due_at", Double),
    Column("settled_at", Double),
    Column("reason", Text),
    Index("ix_message_channel_state", "channel", "state"),
)
"""What a channel was sent, or is being: of each channel one after the other."""

hears = Table(
    "hears",
    metadata,
    Column("notice", ForeignKey("notice.id"), primary_key=True),
    Column("channel", String(64), primary_key=True),
    # With which message: none until it is gathered into one.
    Column("message", ForeignKey("message.id"), index=True),
    Index("ix_hears_channel_message", "channel", "message"),
)
"""Which channels hear of a notice."""

noticed = Table(
    "noticed",
    metadata,
    Column("incident", String(40), primary_key=True),
    Column("what", String(120), primary_key=True),
)
"""What the leading dispatcher saw by itself and has told: the branches that ask for a person, a brake, an end."""

hygiene = Table(
    "hygiene",
    metadata,
    Column("incident", ForeignKey("incident.id"), primary_key=True),
    Column("policy", String(64), nullable=False),
    Column("at", Double, nullable=False),
    UniqueConstraint("policy", "at"),
)
"""The incidents that are scheduled hygiene: of which policy, and decided in which minute, one in each."""

drill = Table(
    "drill",
    metadata,
    # Written before anything is minted: the incident of this name follows.
    Column("incident", String(40), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("trigger", String(16), nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Double, nullable=False),
    # When the window opened that it was scheduled for.
    Column("slot", Double),
    Column("page", Integer, nullable=False, server_default="0"),
    Column("ended_at", Double),
    Column("outcome", String(16)),
    UniqueConstraint("name", "slot"),
)
"""The incidents that are drills: each names its own canaries and nothing else. One that may `page` tells people."""

canary = Table(
    "canary",
    metadata,
    Column("drill", ForeignKey("drill.incident"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(64), nullable=False),
    Column("connection", String(128), nullable=False),
    Column("owner", Text, nullable=False),
    # By what a lost answer is found again: the mark that it carries, and who was there before it was asked for.
    Column("marker", String(64), nullable=False),
    Column("before", Text, nullable=False),
    Column("asked_at", Double, nullable=False),
    Column("credential", Text, index=True),
    Column("removed_at", Double),
)
"""What drills mint, written before it is asked for, and gone from its issuer when it is `removed_at`."""

trial = Table(
    "trial",
    metadata,
    Column("marker", String(64), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("connection", String(128), nullable=False),
    Column("owner", Text, nullable=False),
    Column("at", Double, nullable=False),
    # The ids that its owner had before, by which a mint is told whose answer was lost.
    Column("before", Text, nullable=False),
    Column("credential", Text),
)
"""Canaries of certifications that may be alive: written before one is made, taken away when its issuer has none."""

certificate = Table(
    "certificate",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("at", Double, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("connection", String(128), nullable=False),
    Column("body", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Index("ix_certificate_kind_connection", "kind", "connection"),
)
"""What was seen of the canary of a kind on a connection, signed; see `evidence/certificate.py`."""

watched = Table(
    "watched",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    # The death after which it is looked at: another one begins anew.
    Column("since", Double, nullable=False),
    # When it is looked at next; none once that is over.
    Column("due_at", Double, index=True),
    Column("until", Double, nullable=False),
    Column("looks", Integer, nullable=False, server_default="0"),
    Column("missed", Integer, nullable=False, server_default="0"),
    Column("looked_at", Double),
    # What was seen the last time, and why nothing could be, where nothing could.
    Column("says", Text, nullable=False, server_default=""),
)
"""Dead credentials that are looked at again: `looks` were answered, `missed` were not."""

manifest = Table(
    "manifest",
    metadata,
    Column("name", String(64), primary_key=True),
    # Of one recording: its lines bear it, and who began again has another.
    Column("id", String(16), nullable=False),
    Column("source", Text, nullable=False),
    # The connection through which a bucket was read, and the machine on which it was done.
    Column("connection", String(128), nullable=False),
    Column("host", Text, nullable=False),
    Column("began_at", Double, nullable=False),
    # All below is empty until it is whole.
    Column("recorded_at", Double),
    Column("recorded_by", Text, nullable=False),
    Column("incident", ForeignKey("incident.id"), index=True),
    Column("files", BigInteger, nullable=False, default=0),
    Column("links", BigInteger, nullable=False, default=0),
    Column("others", BigInteger, nullable=False, default=0),
    Column("unread", BigInteger, nullable=False, default=0),
    Column("size", BigInteger, nullable=False, default=0),
    Column("digest", String(64), nullable=False, default=""),
    # Its recording, and each check of it, are a chain of evidence of its own.
    Column("length", Integer, nullable=False, default=0),
    Column("head", String(64), nullable=False, default=""),
)
"""The manifests of datasets. A name is recorded once: what later checks stand on is never replaced."""

manifest_part = Table(
    "manifest_part",
    metadata,
    Column("recording", String(16), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("lines", LargeBinary, nullable=False),
)
"""The lines of manifests, compressed, a few thousand to a part: one of a million files is never held whole."""

manifest_check = Table(
    "manifest_check",
    metadata,
    Column("name", ForeignKey("manifest.name"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("connection", String(128), nullable=False),
    Column("host", Text, nullable=False),
    Column("incident", ForeignKey("incident.id"), index=True),
    Column("digest", String(64), nullable=False),
    Column("same", BigInteger, nullable=False),
    Column("altered", BigInteger, nullable=False),
    Column("missing", BigInteger, nullable=False),
    Column("new", BigInteger, nullable=False),
    Column("unread", BigInteger, nullable=False),
    # The first of each sort by name.
    Column("named", Text, nullable=False),
)
"""What each check of a dataset against its manifest found. `digest` is of what was there then."""

siem = Table(
    "siem",
    metadata,
    Column("name", String(64), primary_key=True),
    # Its place in the evidence, empty for the beginning; what is older than `since` is passed over.
    Column("cursor", Text, nullable=False),
    Column("since", Double, nullable=False),
    # Grows with each try, so that who comes back too late is refused; nobody else tries before `due_at`.
    Column("taken", Integer, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("reason", Text),
    Column("sent", BigInteger, nullable=False),
    Column("sent_at", Double),
)
"""How far each channel to a SIEM has come: a row is made when it begins."""
