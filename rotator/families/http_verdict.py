"""Say what the answer to a knock proves: what the playbook names, said by the service itself, and nothing else."""

from __future__ import annotations

import re
from http import HTTPStatus

from rotator.families.http_template import at, told
from rotator.families.http_wire import Reply
from rotator.ports.provider import Answer, Verdict
from rotator.rest_answers import Answered
from rotator.rest_calls import VerifyCall


def judged(reply: Reply, call: VerifyCall, credential_id: str) -> Verdict:
    """Return the verdict; a refusal by status names no id. Raises Unavailable where it wants to be asked later."""
    yes, no = told(reply, call.accepted), told(reply, call.rejected)
    if no is not None and (yes is None or no.names > yes.names):
        return Verdict(Answer.REJECTED, _reason(reply.status, no))
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise reply.refusal()
    if yes is None:
        return Verdict(Answer.INCONCLUSIVE, f"http_{reply.status}")
    if call.id is not None and str(at(reply.content, call.id)) != credential_id:
        return Verdict(Answer.INCONCLUSIVE, "another_credential", mismatch=True)
    return Verdict(Answer.ACCEPTED, _reason(reply.status, yes))


def _reason(status: int, sort: Answered) -> str:
    """Name an answer by its status and by what the playbook knows it from."""
    words = [str(value) for wanted in sort.where.values() for value in wanted[:1] if isinstance(value, str)]
    words += [sort.says] if sort.says is not None else ["empty"] * sort.empty
    return "_".join(["http", str(status), *(re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_") for word in words)])
