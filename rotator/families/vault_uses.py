"""Whether to ask on would use up the rotator's own token: one that has `num_uses` spends one for each call, looks too.

That itself is one call, the only one that such a token is then charged for. seen on OpenBao 2.7: a use is spent by
lookup-self and by what the policies refuse, and the last one revokes the token.
"""

from __future__ import annotations

from rotator.families.vault import Vault


def spends(vault: Vault) -> str:
    """Say how many uses the rotator's own token has left; nothing where they are not counted, or it may not know.

    Raises Unavailable, or Rejected where the server does not know the token.
    """
    reply = vault.read("GET", "auth/token/lookup-self")
    if not reply.ok and not reply.nobody_asked:
        return ""
    if not (left := int(reply.accepted().data.get("num_uses") or 0)):
        return ""
    # The last one is shown as -1: that call has used the token up.
    return f"the rotator's own token has {max(left, 0)} uses left, and each question spends one"
