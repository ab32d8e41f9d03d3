"""How a call shows who makes it: the forms that vendors use, for the rotator's own credential and an exposed one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from rotator.rest_template import CREDENTIAL, Asking, FieldPath, Strict, refuse_unknown

HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
ParameterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\[\]-]{1,64}$")]

WHO = {"secret", "id", "owner", CREDENTIAL}
"""What authentication may fill in. `{credential.FIELD}` is a field of the connection's own credential document."""


class TokenExchange(Asking):
    """OAuth's client credentials: a call that gives a token, which is used until it expires."""

    basic: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    token: FieldPath = "access_token"  # noqa: S105 - the name of a field
    expires_in: FieldPath = "expires_in"

    @model_validator(mode="after")
    def _fillable(self) -> TokenExchange:
        refuse_unknown([*self.templates, self.basic or []], WHO)
        return self


class SigV4(Strict):
    """AWS Signature Version 4."""

    service: Annotated[str, Field(min_length=1)]
    region: Annotated[str, Field(min_length=1)]
    key_id: str = "{id}"
    secret: str = "{secret}"  # noqa: S105 - a placeholder
    session_token: str | None = None

    @model_validator(mode="after")
    def _fillable(self) -> SigV4:
        refuse_unknown([self.service, self.region, self.key_id, self.secret, self.session_token], WHO)
        return self


class Authenticate(Strict):
    """Say where a credential stands in a request: in exactly one of these forms."""

    header: HeaderName = "Authorization"
    prefix: str | None = Field(
        None,
        description='what stands before the secret; absent: "Bearer " in Authorization, nothing in any other header',
    )
    basic: Annotated[list[str], Field(min_length=2, max_length=2)] | None = Field(
        None, description='user and password: ["{id}", "{secret}"]'
    )
    query: ParameterName | None = Field(None, description="the name of a parameter of the address; it is never logged")
    headers: dict[HeaderName, str] | None = Field(None, description="several headers: each with its template")
    oauth: TokenExchange | None = None
    sigv4: SigV4 | None = None
    in_call: bool = Field(
        False, description="the calls themselves say where {secret} stands: in a body, or where need be in the path"
    )

    @model_validator(mode="after")
    def _one_form(self) -> Authenticate:
        told = [name for name in ("basic", "query", "headers", "oauth", "sigv4") if getattr(self, name) is not None]
        told += ["in_call"] * self.in_call + ["header"] * bool(self.model_fields_set & {"header", "prefix"})
        if len(told) > 1:
            raise ValueError(f"{' and '.join(f'`{name}`' for name in told)}: a credential is shown in one form")
        refuse_unknown([self.basic or [], self.headers or {}], WHO)
        if self.headers is not None and not any("{" in each for each in self.headers.values()):
            raise ValueError("`headers` shows no credential: write {secret} where it stands")
        return self

    @property
    def before(self) -> str:
        """Return what stands before the secret in its header."""
        usual = "Bearer " if self.header.lower() == "authorization" else ""
        return usual if self.prefix is None else self.prefix
