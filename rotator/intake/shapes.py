"""Tell a secret's kind by its own looks, where no other issuer's looks like it; nothing is asked of anybody.

For what names no rule of a scanner that playbooks know: files as they lie on disk, and scanners with words of their
own. The forms are those that the issuers document so that scanners may find them. What has none is not guessed at.
"""

from __future__ import annotations

import re

from rotator import api_token
from rotator.credential import Leaked
from rotator.flow.exposure import LIST
from rotator.intake.fields import aws_key_id, material, twilio_key_id

AWS_KEY, AWS_SESSION, GCP_KEY = "aws_iam_access_key", "aws_sts_session", "gcp_service_account_key"
API_TOKEN = "rotator_api_token"  # noqa: S105 - a kind

_LOGIN = r"://[^\s:/@'\"]{0,200}:[^\s@'\"]{1,500}@[^\s@'\"]{1,500}"
_FORMS = {
    "age_key": r"AGE-SECRET-KEY-1[A-Z0-9]{58}",
    "anthropic_api_key": r"sk-ant-api\d\d-[\w-]{80,120}",
    "databricks_token": r"dapi[0-9a-f]{32}(?:-\d)?",
    "digitalocean_pat": r"dop_v1_[0-9a-f]{64}",
    "dockerhub_pat": r"dckr_pat_[\w-]{27}",
    "github_token": r"gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{22,244}",
    "gitlab_token": r"glpat-[\w-]{20,300}(?:\.[a-z0-9]{2}\.[a-z0-9]{9})?",
    "grafana_service_account_token": r"glsa_[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}",
    "huggingface_token": r"hf_[A-Za-z]{34}",
    "linear_api_key": r"lin_api_[A-Za-z0-9]{40}",
    "mariadb_user": rf"(?:mysql|mariadb)(?:\+\w+)?{_LOGIN}",
    "newrelic_user_key": r"NRAK-[A-Z0-9]{27}",
    "notion_token": r"ntn_[0-9]{11}[A-Za-z0-9]{35}",
    "npm_token": r"npm_[A-Za-z0-9]{36}",
    "openai_api_key": r"sk-[\w-]{0,90}T3BlbkFJ[\w-]{20,90}",
    "postgres_role": rf"postgres(?:ql)?(?:\+\w+)?{_LOGIN}",
    "pypi_token": r"pypi-AgE[\w-]{50,1000}",
    "rabbitmq_user": rf"amqps?{_LOGIN}",
    "redis_acl_user": rf"rediss?{_LOGIN}",
    API_TOKEN: api_token.FORM,
    "sendgrid_api_key": r"SG\.[\w-]{22}\.[\w-]{43}",
    "slack_token": r"xox[abeoprs]-[A-Za-z0-9-]{10,250}",
    "slack_webhook_url": r"https://hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{20,}",
    "ssh_authorized_key": r"-----BEGIN[ A-Z0-9]{0,30}PRIVATE KEY-----[\s\S]{40,20000}?-----END[ A-Z0-9]{0,30}KEY-----",
    "stripe_api_key": r"[rs]k_live_[A-Za-z0-9]{10,250}",
    "terraform_cloud_token": r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,70}",
    "vault_token": r"hv[bs]\.[\w-]{24,300}",
    AWS_KEY: r"AKIA[A-Z0-9]{16}",
}
_WHOLE = re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in _FORMS.items()))
# Where a line of somebody's code is all that is told: as a word of its own, whatever quotes stand around it.
_PART = re.compile(rf"(?<![A-Za-z0-9_-])(?:{_WHOLE.pattern})(?![A-Za-z0-9_-])")

# Where a secret is only to be withheld: a name may be joined to it.
_JOINED = re.compile(rf"(?<![A-Za-z0-9])(?:{_WHOLE.pattern})(?![A-Za-z0-9])")

_SECRET_ELSE = re.compile(
    r"-----\s*BEGIN[ A-Z0-9_-]*PRIVATE KEY|://[^\s:/@]*:[^\s/@]+@|(?<![A-Z0-9])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\."
    r"|(?<![A-Z0-9])(?-i:AIza)[\w-]{35}(?![A-Z0-9])",
    re.IGNORECASE,
)
"""What is material, and no kind of ours: a private key, a login in an address, a signed token, Google's API key."""

_LIKE_AWS_SECRET = re.compile(r"(?<![\w/+.-])(?!//)[A-Za-z0-9/+]{40}(?![\w/+=-])")
_RANDOM = 25
"""How many of 40 random letters differ at least: so many in 99 of 100, and in few paths or names (measured)."""

_ANYBODYS = frozenset({"github_token", "gitlab_token"})
GITHUB_API = "https://api.github.com"
_APIS = {"https://github.com": GITHUB_API}

_LINE = 1 << 16
"""Characters of a line in which a secret is looked for."""

KINDS = frozenset(_FORMS) | {AWS_SESSION, GCP_KEY, "twilio_api_key"}
"""Every kind that this module may name: each is a playbook that is shipped."""


def kind_of(text: str) -> str | None:
    """Return the kind that this text is, and cannot but be."""
    text = _plain(text)
    if text.startswith("{") and '"service_account"' in text and '"private_key"' in text:
        return GCP_KEY
    found = _WHOLE.fullmatch(text)
    if found is None or (found.lastgroup == API_TOKEN and api_token.read(text) is None):
        return None
    return found.lastgroup


def _plain(text: str) -> str:
    """Return it without the space around it, which in settings is often written out."""
    return text.strip().removesuffix("\\n").strip()


def only_one_in(text: str) -> str:
    """Return the one secret of such looks in a line or a snippet, "" where there is none, or more than one."""
    found = {each[0] for each in _PART.finditer(text[:_LINE])}
    return found.pop() if len(found) == 1 else ""


def holds_material(text: str) -> bool:
    """Tell whether a secret seems to stand in a text that should hold names alone; an id that has a form is none."""
    if api_token.all_in(text) or _SECRET_ELSE.search(text):
        return True
    if any(_is_random(each) for each in _LIKE_AWS_SECRET.findall(text[:_LINE])):
        return True
    return any(each.lastgroup != AWS_KEY for each in _JOINED.finditer(text[:_LINE]))


def _is_random(word: str) -> bool:
    """Tell a secret from a path or a name of such letters: a hash in hexadecimal has but sixteen, and of one case."""
    has_all = any(map(str.islower, word)) and any(map(str.isupper, word)) and any(map(str.isdigit, word))
    return has_all and len(set(word)) >= _RANDOM


def told(
    source: str, rule: str, text: str, *, owner: str | None = None, address: str | None = None
) -> tuple[str, str, Leaked]:
    """Return (source, rule, leaked) for a secret: under its kind's own name if it looks it, else as it was found.

    `owner` is whoever logs in with it, which for a kind that is known says less than its issuer does; `address` where,
    which for such a kind tells its issuer only if everybody may run one.
    """
    if key_id := aws_key_id(text.strip()):
        return LIST, AWS_SESSION if key_id.startswith("ASIA") else AWS_KEY, Leaked(id=key_id)
    if key_id := twilio_key_id(text.strip()):
        return LIST, "twilio_api_key", Leaked(id=key_id)
    kind = kind_of(text)
    if kind:
        where = _APIS.get(address or "", address) if kind in _ANYBODYS else None
        return LIST, kind, Leaked(secret=material(_plain(text)), address=where)
    return source, rule, Leaked(secret=material(text), owner=owner, address=address)


def untold(rule: str) -> str:
    """Return the rule's name for what a report only says the place of: no playbook takes it up, a person must look."""
    return f"{rule} (secret not told)"
