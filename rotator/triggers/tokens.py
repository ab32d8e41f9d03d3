"""The array of found tokens that GitHub and GitLab send: `token`, `type`, and where it was seen."""

from __future__ import annotations

from rotator.credential import Leaked
from rotator.flow.exposure import Exposure
from rotator.intake.fields import material, without_login, word
from rotator.triggers.message import Missing, Refused, document, objects, text


def tokens(body: bytes, source: str, place: str) -> tuple[tuple[Exposure, ...], tuple[Missing, ...]]:
    """Return the tokens, and the entries that hold none; `place` is the key that says where each was seen.

    One entry without a token does not cost the others. Raises Refused for what is no such array, or an empty one.
    """
    found, missing = [], []
    for number, each in enumerate(objects(document(body), "the body"), 1):
        token, rule = each.get("token"), text(each, "type") or "unknown"
        secret = material(token.strip() and token) if isinstance(token, str) else None
        # Not cut here: an end that is cut off in the middle of the token would not be known for a part of it.
        where = without_login(word(each, place).strip())
        if secret is None:
            mend = f"look at {where or 'what its sender shows'}, and declare what leaked there"
            missing.append(Missing(source, rule, f"entry {number}", where, "the entry has no token", mend))
        else:
            found.append(Exposure(source, rule, Leaked(secret=secret), where))
    if not found and not missing:
        raise Refused("unreadable", "it names no token")
    return tuple(found), tuple(missing)
