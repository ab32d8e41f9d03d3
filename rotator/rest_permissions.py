"""How a playbook asks what the rotator's own credential may do: the call, and which words of its answer are needed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from rotator.rest_answers import Where, refuse_untellable
from rotator.rest_authentication import HeaderName
from rotator.rest_calls import ASKING, Granted, refuse_method
from rotator.rest_template import CREDENTIAL, Asking, FieldPath, refuse_unknown

VerbName = Literal["look", "issue", "suspend", "resume", "revoke"]
"""What the rotator does at a REST service; to look is to identify, inspect and list."""

EITHER = " | "
"""Between words of which one is enough."""
ANOTHER = "?"
"""The last of such words, where something may be enough that the documentation does not name."""

HeldPath = Annotated[str, StringConstraints(pattern=r"^(\.|(\*|[A-Za-z0-9_@-]+)(\.(\*|[A-Za-z0-9_@-]+))*)$")]
"""A dotted path into the answer's JSON; `*` stands for every entry of a list, `.` for the answer itself."""

Word = Annotated[str, StringConstraints(pattern=r"^\S(.*\S)?$", max_length=200)]
Words = Annotated[list[Word], Field(min_length=1)]


class PermissionsCall(Asking):
    """Ask, as the rotator, what its credential may do, and change nothing.

    What it holds stands at `held` (a list of words, one word, or a table of words with the places they are granted
    for), or in a text of `words`, or in a `header`. In the call, `{id}` is the rotator's own id, `{owner}` whose
    credentials are asked about, `{credential.FIELD}` a field of the rotator's own document.
    """

    each: FieldPath | None = Field(None, description="where several grants stand; `held` is then a path inside each")
    where: Where | None = Field(None, description="which of `each` grant something; absent: all")
    denied: Where | None = Field(None, description="which of `each` take something away")
    held: HeldPath | None = None
    words: FieldPath | None = Field(None, description="a text with spaces or commas between the words")
    header: HeaderName | None = Field(None, description="likewise, a header of the answer")
    places: list[Word] = Field(
        default_factory=list,
        description="for which of the places that `held` names it must be granted; the widest first",
    )
    granted: Granted = None
    needs: Annotated[dict[VerbName, Words], Field(min_length=1)] = Field(
        description='verb: all the words that it needs; "a | b" is either, "a | ?" is a, or what nobody documents'
    )
    untold: dict[VerbName, Word] = Field(
        default_factory=dict, description="verb: what it needs as well, and no answer tells"
    )

    @model_validator(mode="after")
    def _fillable(self) -> PermissionsCall:
        refuse_unknown(self.templates, {"id", "owner", CREDENTIAL})
        refuse_unknown([self.needs, self.places], {"owner"})
        refuse_method(self.call, ASKING)
        refuse_untellable(self.granted or (), "granted", of_asker=True)
        return self

    @model_validator(mode="after")
    def _told_once(self) -> PermissionsCall:
        told = [name for name in ("held", "words", "header") if getattr(self, name) is not None]
        if len(told) != 1:
            raise ValueError("say in one way where it stands what is held: `held`, `words` or `header`")
        if self.held is None and (self.each is not None or self.places):
            raise ValueError(f"`each` and `places` belong to `held`, not to `{told[0]}`")
        if self.each is None and (self.where is not None or self.denied is not None):
            raise ValueError("`where` and `denied` choose among `each`, and there is none")
        return self


Permissions = tuple[PermissionsCall, ...]
