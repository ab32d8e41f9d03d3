"""Text of others, as it may be shown: a file's name, an issuer's words, an owner's name."""

from __future__ import annotations


def plain(text: str) -> str:
    """Return it on one line, without what would command the terminal and what no terminal can write."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
