"""What an issuer says of a credential that a person wants to dismiss, where its word counts and not his."""

from __future__ import annotations

from rotator.bootstrap import Rotator
from rotator.errors import BadInput, RotatorError
from rotator.flow.dismissal import ISSUER_DECIDES, refuse_alive
from rotator.flow.exposure import Disposition
from rotator.ledger.dismissing import Named


def asked(parts: Rotator, as_: Disposition, named: Named) -> str:
    """Ask the issuer where it decides; return what it said. Raises BadInput where it knows it or cannot be asked."""
    if as_ not in ISSUER_DECIDES:
        return ""
    if named.ref is None:
        return "no issuer can be asked: it is a person's word"
    at = named.ref.connection
    try:
        state = parts.outside.provider(named.ref).inspect(named.ref).state
    except RotatorError as error:
        mend = "once it answers, or let its run go on: that proves what is so"
        raise BadInput(f"{at} cannot be asked ({error}), and only it can say that", named.id, mend) from None
    refuse_alive(as_, at, state, named.id)
    return f"{at} says that it is {state}"
