"""The bare loop: what a good engineer would write in an afternoon to contain keys and see them dead.

The same calls through the same code as the rotator's, on as many threads; no ledger, no plan, no queue, no second try.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.aws_keys import CONNECTION, KIND, Planted
from rotator.credential import CredentialRef, Leaked
from rotator.ports.provider import Answer, State
from rotator.providers.aws_iam_access_key import AwsIamAccessKey

THREADS = 32


def identify(provider: AwsIamAccessKey, keys: Sequence[Planted]) -> None:
    """Ask whose each key is, as triage does."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda key: provider.identify(Leaked(id=key.id)), keys))


def contain_and_prove(provider: AwsIamAccessKey, keys: Sequence[Planted]) -> None:
    """Return when the last key is proven dead."""
    with ThreadPoolExecutor(THREADS) as pool:
        last = []
        for key, refused_at in list(pool.map(lambda key: _contain(provider, key), keys)):
            time.sleep(max(0.0, refused_at + provider.settle_s - time.monotonic()))
            last.append(pool.submit(_prove, provider, key))
        for each in last:
            each.result()


def _contain(provider: AwsIamAccessKey, key: Planted) -> tuple[Planted, float]:
    ref = CredentialRef(KIND, CONNECTION, key.owner, key.id)
    if provider.inspect(ref).state is not State.ACTIVE:
        raise RuntimeError(f"{key.id} was dead before")
    provider.preserve(ref)
    _knock(provider, key, Answer.ACCEPTED)
    provider.suspend(ref)
    provider.end_sessions(ref)
    _knock(provider, key, Answer.REJECTED)
    return key, time.monotonic()


def _prove(provider: AwsIamAccessKey, key: Planted) -> None:
    _knock(provider, key, Answer.REJECTED)
    provider.end_sessions(CredentialRef(KIND, CONNECTION, key.owner, key.id))


def _knock(provider: AwsIamAccessKey, key: Planted, wanted: Answer) -> None:
    said = provider.verify(CredentialRef(KIND, CONNECTION, key.owner, key.id), key.secret)
    if said.answer is not wanted:
        raise RuntimeError(f"{key.id} was {said.answer} ({said.reason}), not {wanted}")
