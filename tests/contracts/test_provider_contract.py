"""What `rotator/ports/` promises of every provider, tried on each kind in `cases/` against its real target."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from rotator import clock
from rotator.canary import Calls, cannot, living_one
from rotator.credential import CredentialRef, Issued, Leaked, Secret, read_document
from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain
from rotator.examining.permitted import needed
from rotator.flow.playbook_words import Strategy, Verb
from rotator.flow.proof import Evidence
from rotator.permissions import LOOK, Permitted
from rotator.playbook_file import load_all
from rotator.ports.abilities import (
    Batch,
    Choosing,
    Formed,
    Installable,
    Issuing,
    Preserving,
    Restorable,
    SelfAware,
    SessionEnding,
    Settable,
    Suspendable,
    Unknockable,
)
from rotator.ports.listing import Discoverable, Persistence
from rotator.ports.provider import Answer, Capability, Provider, State, Verdict
from rotator.trial import Trial
from tests.contracts.case import Case, case_names, opener
from tests.fakes.canaries import Hours, Kept
from tests.fakes.door import Door, a_door

MARKER = "rotator-run-7-step-issue"
THREADS = 32
PLAYBOOKS = load_all()
VERBS = {LOOK, *map(str, Verb)}
P = TypeVar("P")


@pytest.fixture(scope="module")
def door():
    with a_door() as standing:
        yield standing


@pytest.fixture(scope="module", params=case_names())
def case(request, tmp_path_factory):
    with opener(request.param)(tmp_path_factory.mktemp(request.param)) as opened:
        assert request.param not in PLAYBOOKS or opened.provider.name == request.param
        yield opened


def able(provider: Provider, capability: type[P]) -> P:
    """Return the provider as what the test needs; a kind that does not claim it has nothing to prove here."""
    if not isinstance(provider, capability):
        pytest.skip(f"{provider.name} does not claim {capability.__name__}")
    return provider


def knocks(provider: Provider, ref: CredentialRef, secret: Secret) -> list[Verdict]:
    """Return the answer of every door that the credential opens; of a kind without a door, what its issuer says."""
    if isinstance(provider, Unknockable):
        alive = provider.inspect(ref).state is State.ACTIVE
        return [Verdict(Answer.ACCEPTED if alive else Answer.REJECTED, "stated")]
    doors = [provider.verify(ref, secret)]
    if isinstance(provider, Installable):
        doors += [provider.verify_at(target, ref, secret) for target in provider.targets(ref)]
    return doors


def tells(case: Case) -> bool:
    """Tell whether a machine can know a living one from a dead one: by its door, or by its issuer's word."""
    return case.views or not isinstance(case.provider, Unknockable)


def must_tell(case: Case) -> None:
    """Skip what has to see whether one lives."""
    if not tells(case):
        pytest.skip(f"only people can see whether a {case.provider.name} lives")


def refused(case: Case) -> set[Answer]:
    """Return what a knock says of a dead one: nothing, where the issuer refuses living ones with the same words."""
    return {Answer.REJECTED if case.proves or isinstance(case.provider, Unknockable) else Answer.INCONCLUSIVE}


def answers(provider: Provider, ref: CredentialRef, secret: Secret) -> set[Answer]:
    return {verdict.answer for verdict in knocks(provider, ref, secret)}


def kept(provider: Provider, ref: CredentialRef) -> Mapping[str, str]:
    """Return what the flow would have kept of it before it acts."""
    return provider.preserve(ref) if isinstance(provider, Preserving) else {}


def state_of(case: Case, ref: CredentialRef) -> State | None:
    """Return the issuer's view, None where it has none and says so."""
    if case.views:
        return case.provider.inspect(ref).state
    with pytest.raises(Rejected) as refusal:
        case.provider.inspect(ref)
    assert refusal.value.reason == "no_view"
    return None


def kin(case: Case, ref: CredentialRef) -> frozenset[CredentialRef] | None:
    """Return the owner's credentials, None where the issuer shows none and says so."""
    if case.views:
        return case.provider.siblings(ref)
    with pytest.raises(Rejected) as refusal:
        case.provider.siblings(ref)
    assert refusal.value.reason == "no_view"
    return None


def destroy(provider: Provider, ref: CredentialRef, secret: Secret) -> None:
    """Revoke an exposed one as the engine does: in a batch, with its material, where the kind takes many at once."""
    if not isinstance(provider, Batch):
        provider.revoke(ref)
        return
    (refusal,) = provider.revoke_all([(ref, secret)])
    if refusal is not None:
        raise refusal


def contain(case: Case, ref: CredentialRef, secret: Secret, provider: Provider | None = None) -> None:
    """Stop it everywhere, in the way of its kind."""
    provider = provider or case.provider
    if isinstance(provider, Suspendable | Restorable):
        provider.suspend(ref)
    elif isinstance(provider, Installable):
        for target in provider.targets(ref):
            provider.uninstall(target, ref)
    elif isinstance(provider, SessionEnding) and provider.capability is Capability.EXPIRE_ONLY:
        provider.end_sessions(ref)
    elif provider.capability is Capability.MANUAL:
        assert case.by_hand is not None
        case.by_hand(ref)
    else:
        destroy(provider, ref, secret)


def end(case: Case, ref: CredentialRef, secret: Secret, provider: Provider | None = None) -> None:
    """Do the last thing that can be done to it: destroy it, or stop it where it cannot be destroyed."""
    if case.provider.capability is Capability.REVOCABLE:
        destroy(provider or case.provider, ref, secret)
    else:
        contain(case, ref, secret, provider)


def stopped(case: Case) -> State:
    """Return what the issuer calls a credential that was contained."""
    if case.forgets:
        return State.ABSENT
    stays = isinstance(case.provider, Suspendable | Restorable) or case.provider.capability is Capability.EXPIRE_ONLY
    return State.SUSPENDED if stays else State.ABSENT


def ended(case: Case) -> State:
    """Return what the issuer calls a credential that nothing more can be done to."""
    return State.ABSENT if case.provider.capability is Capability.REVOCABLE else stopped(case)


def assert_holds_no_material(secret: Secret, *said: object) -> None:
    """Fail when any of what was said shows the material, or a line of it."""
    lines = {line for line in secret.reveal().splitlines() if len(line) >= 12} | {secret.reveal()}
    for thing in said:
        words = "".join(traceback.format_exception(thing)) if isinstance(thing, BaseException) else ""
        for text in (repr(thing), str(thing), words):
            assert not [line for line in lines if line in text and not line.startswith("-----")]


def test_it_says_plainly_what_it_is(case: Case):
    provider = case.provider
    assert isinstance(provider, Provider)
    assert provider.name
    assert provider.family
    assert provider.capability in set(Capability)
    assert provider.settle_s >= 0
    assert provider.secret_field
    assert not (isinstance(provider, Issuing) and isinstance(provider, Choosing))


def test_a_leaked_credential_is_named_by_its_issuer(case: Case):
    ref, secret = case.plant()
    leaked = case.leaked(ref, secret)
    named = case.provider.identify(leaked)
    assert named == ref
    assert_holds_no_material(secret, named, leaked)


def test_a_truncated_report_is_never_taken_for_another_credential(case: Case):
    ref, secret = case.plant()
    garbled = case.garbled(secret)
    try:
        named = case.provider.identify(case.leaked(ref, garbled))
    except Rejected as refusal:
        assert refusal.reason in {"unreadable", "unknown_credential"}  # noqa: PT017 - naming it is right too
        assert_holds_no_material(secret, refusal)
        assert_holds_no_material(garbled, refusal)
    else:
        assert named == ref


def test_a_live_credential_is_accepted_everywhere(case: Case):
    must_tell(case)
    ref, secret = case.plant()
    verdicts = knocks(case.provider, ref, secret)
    assert {verdict.answer for verdict in verdicts} == {Answer.ACCEPTED}
    assert_holds_no_material(secret, *verdicts)


def test_truncated_material_proves_nothing_about_a_live_credential(case: Case):
    ref, secret = case.plant()
    garbled = case.garbled(secret)
    if isinstance(case.provider, Unknockable):
        pytest.skip(f"{case.provider.name} is never knocked with")
    try:
        verdicts = knocks(case.provider, ref, garbled)
    except Rejected as refusal:
        assert refusal.reason == "unreadable"  # noqa: PT017 - an answer is right too
        assert_holds_no_material(garbled, refusal)
    else:
        assert all(verdict.answer is not Answer.ACCEPTED for verdict in verdicts)
        assert not any(verdict.answer is Answer.REJECTED and verdict.names_id for verdict in verdicts)
        assert_holds_no_material(garbled, *verdicts)
    assert answers(case.provider, ref, secret) == {Answer.ACCEPTED}


IN_BETWEEN: list[tuple[int, object]] = [
    *(
        (status, f"<html><body><h1>{status}</h1>A proxy's own page</body></html>")
        for status in (401, 403, 404, 407, 502)
    ),
    (403, {"message": "Forbidden"}),
    (429, {"message": "Too Many Requests"}),
    (503, None),
]
"""What a living credential is answered where somebody in between does not let it through, or the issuer has no time."""


def test_a_living_one_that_is_refused_for_another_reason_is_never_proven_dead(case: Case, door: Door):
    if case.elsewhere is None:
        pytest.skip(f"the issuer of {case.provider.name} does not speak HTTP")
    ref, secret = case.plant()
    provider = case.elsewhere(door.address)
    for status, body in [*IN_BETWEEN, *case.living]:
        door.says(status, body)
        try:
            verdicts = knocks(provider, ref, secret)
        except (Rejected, Unavailable) as error:
            assert_holds_no_material(secret, error)
        else:
            assert Answer.REJECTED not in {verdict.answer for verdict in verdicts}, (status, body)
            assert_holds_no_material(secret, *verdicts)


FOREIGN: list[tuple[int, object]] = [
    (401, {"message": "Unauthorized"}),
    (401, {"error": "unauthorized", "message": "session expired"}),
    (401, None),
    (302, None),
    (404, {"message": "no Route matched with those values"}),
    (404, {"error": "not found"}),
    (404, None),
    (404, "<html><body>404 page not found</body></html>"),
    (200, "<html><body>Sign in to go on</body></html>"),
]
"""What a gateway, or a server at a wrong address, answers to whatever it is asked."""


def test_whoever_is_in_between_is_never_taken_for_the_issuer(case: Case, door: Door):
    if case.elsewhere is None or case.provider.family != "http":
        pytest.skip(f"{case.provider.name} has a provider of its own, which knows its issuer's forms")
    ref, secret = case.plant()
    provider = case.elsewhere(door.address)
    looks = [lambda: provider.inspect(ref)] if case.views else []
    changes = [lambda: contain(case, ref, secret, provider), lambda: end(case, ref, secret, provider)]
    manual = case.provider.capability is Capability.MANUAL
    for status, body in FOREIGN:
        door.says(status, body)
        assert provider.verify(ref, secret).answer is Answer.INCONCLUSIVE, (status, body)
        with contextlib.suppress(Unavailable):
            assert not is_unknown(provider, case.leaked(ref, secret)), (status, body)
        for act in [*looks, *([] if manual else changes)]:
            with pytest.raises((Rejected, Unavailable, Uncertain)):
                act()


def is_unknown(provider: Provider, leaked: Leaked) -> bool:
    """Tell whether the issuer is said to know no such credential."""
    try:
        provider.identify(leaked)
    except Rejected as refusal:
        return refusal.reason == "unknown_credential"
    return False


def test_the_issuer_says_active_then_contained_then_absent(case: Case):
    if not case.views:
        pytest.skip(f"the issuer of {case.provider.name} shows nobody how one stands")
    ref, secret = case.plant()
    seen = [case.provider.inspect(ref)]
    contain(case, ref, secret)
    seen.append(case.provider.inspect(ref))
    end(case, ref, secret)
    seen.append(case.provider.inspect(ref))
    assert [status.state for status in seen] == [State.ACTIVE, stopped(case), ended(case)]
    for status in seen:
        assert all(isinstance(key, str) and isinstance(value, str) for key, value in status.facts.items())


def test_a_kind_without_a_door_says_so_and_tries_none(case: Case):
    provider = able(case.provider, Unknockable)
    ref, secret = case.plant()
    assert provider.no_knock
    if isinstance(provider, Issuing):  # its replacement is tried, and a refusal of it proves nothing
        assert case.provider.verify(ref, secret).answer is Answer.ACCEPTED
        return
    with pytest.raises(Rejected) as refusal:
        case.provider.verify(ref, secret)
    assert refusal.value.reason == "no_knock"
    assert_holds_no_material(secret, refusal.value)


def test_a_grant_has_nothing_to_issue_or_to_find_in_a_scan_and_is_asked_about_by_its_form(case: Case):
    if not getattr(case.provider, "is_grant", False):
        pytest.skip(f"{case.provider.name} is no grant")
    playbook = PLAYBOOKS[case.provider.name]
    assert (playbook.strategies, playbook.recognises) == ([Strategy.REVOKE_ONLY], {"list": [case.provider.name]})
    assert not isinstance(case.provider, Issuing | Choosing | Settable)
    owner, credential = able(case.provider, Formed).nobody
    try:
        assert case.provider.inspect(CredentialRef("", "", owner, credential)).state is State.ABSENT
    except Rejected as refusal:
        assert refusal.reason == "not_this_account"  # noqa: PT017 - the issuer looked, and shows no such place


def test_what_cannot_be_destroyed_says_so_and_lives_on(case: Case):
    if case.provider.capability is Capability.REVOCABLE:
        pytest.skip(f"{case.provider.name} can be destroyed")
    ref, secret = case.plant()
    with pytest.raises(Rejected) as refusal:
        case.provider.revoke(ref)
    assert refusal.value.reason == "unsupported"
    assert not isinstance(case.provider, Issuing | Choosing)
    if tells(case):
        assert answers(case.provider, ref, secret) == {Answer.ACCEPTED}


CLAIMS = (
    Batch,
    Choosing,
    Discoverable,
    Installable,
    Issuing,
    Permitted,
    Persistence,
    Preserving,
    Restorable,
    SelfAware,
    SessionEnding,
    Settable,
    Suspendable,
)


def test_what_only_people_can_end_claims_nothing_and_says_so_each_time_it_is_asked(case: Case):
    """No verdict comes from it: such a death rests on a person's word, and is never proven."""
    if tells(case):
        pytest.skip(f"a machine can tell whether a {case.provider.name} lives")
    provider = case.provider
    assert provider.capability is Capability.MANUAL
    assert not provider.sends_secret
    assert [claim.__name__ for claim in CLAIMS if isinstance(provider, claim)] == []
    steps = PLAYBOOKS[provider.name].steps
    assert {str(step.do) for step in steps} >= {"revoke exposed", "verify exposed"}
    assert [step.id for step in steps if not step.by_hand] == []
    ref, secret = case.plant()
    asked = {
        "inspect": lambda: provider.inspect(ref),
        "siblings": lambda: provider.siblings(ref),
        "verify": lambda: provider.verify(ref, secret),
        "revoke": lambda: provider.revoke(ref),
    }
    said: dict[str, set[str]] = {}
    for name, ask in [*asked.items(), *asked.items()]:
        with pytest.raises(Rejected) as refusal:
            ask()
        assert refusal.value.detail
        assert_holds_no_material(secret, refusal.value)
        said.setdefault(name, set()).add(refusal.value.reason)
    assert said == {"inspect": {"no_view"}, "siblings": {"no_view"}, "verify": {"no_knock"}, "revoke": {"unsupported"}}


def test_an_issuer_without_a_view_says_so_and_its_kind_claims_none(case: Case):
    if case.views:
        pytest.skip(f"the issuer of {case.provider.name} shows how one stands")
    ref, _ = case.plant()
    assert (state_of(case, ref), kin(case, ref)) == (None, None)
    assert not isinstance(case.provider, Preserving | Discoverable | Issuing | Suspendable)
    assert tells(case) or case.provider.capability is Capability.MANUAL


def test_an_id_the_issuer_never_knew_is_absent(case: Case):
    if not case.lists or not case.views:
        pytest.skip(f"the issuer of {case.provider.name} keeps no list")
    ref, _ = case.plant()
    assert case.provider.inspect(case.unknown(ref)).state is State.ABSENT


def test_a_suspended_credential_is_refused_until_it_is_resumed(case: Case):
    provider = able(case.provider, Suspendable)
    ref, secret = case.plant()
    provider.suspend(ref)
    provider.suspend(ref)
    assert answers(case.provider, ref, secret) == {Answer.REJECTED}
    assert case.provider.inspect(ref).state is State.SUSPENDED
    provider.resume(ref)
    provider.resume(ref)
    assert answers(case.provider, ref, secret) == {Answer.ACCEPTED}
    assert case.provider.inspect(ref).state is State.ACTIVE


def test_a_revoked_credential_is_refused_and_revoking_it_again_is_no_error(case: Case):
    must_tell(case)
    ref, secret = case.plant()
    end(case, ref, secret)
    assert answers(case.provider, ref, secret) == refused(case)
    end(case, ref, secret)
    assert answers(case.provider, ref, secret) == refused(case)
    left = kin(case, ref)
    assert left is None or (ref in left) is (ended(case) is State.SUSPENDED)


def test_a_contained_credential_can_still_be_revoked(case: Case):
    must_tell(case)
    ref, secret = case.plant()
    contain(case, ref, secret)
    end(case, ref, secret)
    assert state_of(case, ref) in {ended(case), None}
    assert answers(case.provider, ref, secret) == refused(case)


def test_what_was_taken_out_is_put_back_as_it_was_from_what_was_kept_of_it(case: Case):
    provider = able(case.provider, Restorable)
    ref, secret = case.plant()
    sister, sisters = case.plant(owner=ref.owner)
    preserved = kept(case.provider, ref)
    provider.suspend(ref)
    provider.suspend(ref)
    assert answers(case.provider, ref, secret) == {Answer.REJECTED}
    with pytest.raises(Rejected) as refusal:
        provider.restore(ref, {})
    assert refusal.value.reason == "nothing_preserved"
    provider.restore(ref, preserved)
    provider.restore(ref, preserved)
    assert answers(case.provider, ref, secret) == answers(case.provider, sister, sisters) == {Answer.ACCEPTED}
    assert kept(case.provider, ref) == preserved


def test_an_absent_credential_counts_as_revoked_and_its_owner_keeps_the_others(case: Case):
    if case.provider.capability is not Capability.REVOCABLE or isinstance(case.provider, Batch):
        pytest.skip(f"{case.provider.name} is not revoked by its name")
    ref, secret = case.plant()
    case.provider.revoke(case.unknown(ref))
    assert answers(case.provider, ref, secret) == {Answer.ACCEPTED}


def test_a_batch_answers_for_each_in_order_and_spares_who_is_not_in_it(case: Case):
    provider = able(case.provider, Batch)
    (first, first_secret), (second, second_secret), (spared, spared_secret) = (case.plant() for _ in range(3))
    together = [(first, first_secret), (second, second_secret)][: provider.batch_size]
    assert provider.batch_size >= 1
    assert provider.gather_s >= 0
    assert list(provider.revoke_all(together)) == [None] * len(together)
    for ref, secret in together:
        assert answers(case.provider, ref, secret) == {Answer.REJECTED}
    assert answers(case.provider, spared, spared_secret) == {Answer.ACCEPTED}


def test_another_accounts_credential_is_not_called_revoked(case: Case):
    if case.misplaced is not None:
        ref, secret = case.plant()
        with pytest.raises(Rejected):
            case.misplaced.inspect(ref)
        if case.names_account:
            with pytest.raises(Rejected):
                end(case, ref, secret, case.misplaced)
        assert answers(case.provider, ref, secret) == {Answer.ACCEPTED}
        return
    if case.wrong_account is None:
        pytest.skip(f"{case.provider.name} cannot tell another account's credential")
    foreign = case.wrong_account()
    for act in (case.provider.inspect, lambda ref: end(case, ref, Secret("of another account"))):
        with pytest.raises(Rejected) as refusal:
            act(foreign)
        assert refusal.value.reason == "not_this_account"


def test_siblings_are_all_credentials_of_the_owner_and_no_others(case: Case):
    if not case.views:
        pytest.skip(f"the issuer of {case.provider.name} shows nobody who has what")
    ref, _ = case.plant()
    if not case.several:
        case.plant()
        assert case.provider.siblings(ref) == {ref}
        return
    sister, _ = case.plant(owner=ref.owner)
    case.plant()
    both = {ref, sister} | case.beside(ref)
    assert case.provider.siblings(ref) == (both if case.lists else {ref})
    assert case.provider.siblings(sister) == (both if case.lists else {sister})


def test_what_is_done_to_one_leaves_its_sister_alone(case: Case):
    must_tell(case)
    ref, exposed = case.plant()
    together = case.alone and case.several
    sister, secret = case.plant(owner=ref.owner if together else None)
    contain(case, ref, exposed)
    assert answers(case.provider, sister, secret) == {Answer.ACCEPTED}
    end(case, ref, exposed)
    assert answers(case.provider, sister, secret) == {Answer.ACCEPTED}
    assert state_of(case, sister) in {State.ACTIVE, None}
    left = {sister, ref} if together and case.lists and ended(case) is State.SUSPENDED else {sister}
    assert kin(case, sister) in (left | case.beside(sister), None)


def installed(provider: Provider, issued: Issued, preserved: Mapping[str, str]) -> Issued:
    """Return it once every target accepts it, where the kind has targets."""
    for target in provider.targets(issued.ref) if isinstance(provider, Installable) else ():
        provider.install(target, issued.ref, issued.public, preserved)
    return issued


def assert_fits_the_document(provider: Provider, issued: Issued) -> None:
    document = issued.document(provider.secret_field)
    credential_id, material, public = read_document(document, provider.secret_field)
    assert (credential_id, material, public) == (issued.ref.id, issued.secret, dict(issued.public))
    assert_holds_no_material(issued.secret, issued, document, dict(issued.public))


def test_a_minted_replacement_works_beside_the_exposed_one(case: Case):
    provider = able(case.provider, Issuing)
    ref, secret = case.plant()
    preserved = kept(provider, ref)
    issued = installed(case.provider, provider.issue(ref, MARKER, preserved), preserved)
    assert issued.ref.id != ref.id
    assert issued.ref == ref.with_id(issued.ref.id)
    assert_fits_the_document(case.provider, issued)
    assert answers(case.provider, issued.ref, issued.secret) == {Answer.ACCEPTED}
    assert answers(case.provider, ref, secret) == {Answer.ACCEPTED}
    assert case.provider.siblings(ref) == {ref, issued.ref} | case.beside(ref)


def test_a_marker_finds_the_minted_one_or_honestly_nothing(case: Case):
    provider = able(case.provider, Issuing)
    ref, _ = case.plant()
    marker = f"{MARKER}-found"  # an account that is one owner holds what other tests minted
    assert provider.marked(ref, marker) is None
    issued = provider.issue(ref, marker, kept(provider, ref))
    assert provider.marked(ref, marker) in ({issued.ref} if case.marks else {issued.ref, None})
    assert provider.marked(ref, marker + "-other") is None


def test_a_replacement_outlives_the_exposed_one(case: Case):
    provider = able(case.provider, Issuing)
    ref, secret = case.plant()
    preserved = kept(provider, ref)
    marker = f"{MARKER}-outlives"  # no two mints have the same, and some issuers want it so
    issued = installed(case.provider, provider.issue(ref, marker, preserved), preserved)
    contain(case, ref, secret)
    if isinstance(case.provider, SessionEnding):
        case.provider.end_sessions(ref)
    destroy(case.provider, ref, secret)
    assert answers(case.provider, ref, secret) == {Answer.REJECTED}
    assert answers(case.provider, issued.ref, issued.secret) == {Answer.ACCEPTED}


def test_a_canary_lives_and_is_proven_dead_and_its_owners_others_are_untouched(case: Case):
    if why := cannot(case.provider):
        pytest.skip(f"of {case.provider.name} none is minted to be killed: {why}")
    ref, secret = case.plant()
    before, hours, kept = kin(case, ref), Hours(), Kept()
    trial = Trial(case.provider, kept, Calls(hours), hours.wait)
    trial.live(living_one(case.provider, ref.with_id(""), trial.calls), f"{MARKER}-canary")
    proves = case.proves and not isinstance(case.provider, Unknockable)
    assert trial.seen.evidence is (Evidence.PROVEN if proves else Evidence.STATED)
    assert trial.seen.credential not in {"", ref.id}
    assert kept.alive == {}
    assert kin(case, ref) == before
    assert answers(case.provider, ref, secret) == {Answer.ACCEPTED}
    assert trial.seen.proven_at is not None
    assert trial.seen.dead_at is not None
    assert trial.seen.proven_at - trial.seen.dead_at >= case.provider.settle_s
    assert_holds_no_material(secret, trial.seen, trial.calls)


def test_a_chosen_replacement_opens_nothing_until_it_is_installed(case: Case):
    provider = able(case.provider, Choosing)
    ref, _ = case.plant()
    first, second = provider.generate(ref), provider.generate(ref)
    assert first.ref == ref.with_id(first.ref.id)
    assert first.secret != second.secret
    assert_fits_the_document(case.provider, first)
    assert answers(case.provider, first.ref, first.secret) == {Answer.REJECTED}


def test_each_target_learns_and_forgets_on_its_own(case: Case):
    provider = able(case.provider, Installable)
    ref, secret = case.plant()
    preserved = kept(case.provider, ref)
    if isinstance(case.provider, Issuing):
        issued = case.provider.issue(ref, MARKER, preserved)
    else:
        issued = able(case.provider, Choosing).generate(ref)
    targets = provider.targets(ref)
    assert targets
    done: set[str] = set()
    for target in targets:
        provider.install(target, issued.ref, issued.public, preserved)
        provider.install(target, issued.ref, issued.public, preserved)
        done.add(target)
        for other in targets:
            expected = Answer.ACCEPTED if other in done else Answer.REJECTED
            assert provider.verify_at(other, issued.ref, issued.secret).answer is expected
    for target in targets:
        provider.uninstall(target, ref)
        provider.uninstall(target, ref)
        done.remove(target)
        assert provider.inspect_at(target, ref).state is State.ABSENT
        assert provider.inspect_at(target, issued.ref).state is State.ACTIVE
        for other in targets:
            expected = Answer.ACCEPTED if other in done else Answer.REJECTED
            assert provider.verify_at(other, ref, secret).answer is expected
    assert answers(case.provider, issued.ref, issued.secret) == {Answer.ACCEPTED}


def test_the_issuer_learns_a_chosen_secret_and_forgets_it_again(case: Case):
    provider = able(case.provider, Settable)
    ref, _ = case.plant()
    preserved = kept(provider, ref)
    issued = able(case.provider, Choosing).generate(ref)
    provider.set_secret(issued.ref, issued.secret, preserved)
    provider.set_secret(issued.ref, issued.secret, preserved)
    assert answers(case.provider, issued.ref, issued.secret) == {Answer.ACCEPTED}
    assert case.provider.inspect(issued.ref).state is State.ACTIVE
    assert issued.ref in case.provider.siblings(ref)
    case.provider.revoke(issued.ref)
    assert answers(case.provider, issued.ref, issued.secret) == {Answer.REJECTED}
    assert case.provider.inspect(issued.ref).state is State.ABSENT


def test_the_destruction_of_the_exposed_secret_leaves_its_successor_alone(case: Case):
    provider = able(case.provider, Settable)
    ref, secret = case.plant()
    preserved = kept(provider, ref)
    case.provider.revoke(ref)
    issued = able(case.provider, Choosing).generate(ref)
    provider.set_secret(issued.ref, issued.secret, preserved)
    case.provider.revoke(ref)
    assert answers(case.provider, issued.ref, issued.secret) == {Answer.ACCEPTED}
    assert answers(case.provider, ref, secret) == {Answer.REJECTED}


def test_all_that_an_issuer_lists_can_be_discovered(case: Case):
    provider = able(case.provider, Discoverable)
    planted = [case.plant() for _ in range(2)]
    found = {each.ref: each.facts for each in provider.discover()}
    for ref, secret in planted:
        assert all(isinstance(key, str) and isinstance(value, str) for key, value in found[ref].items())
        assert_holds_no_material(secret, *found, *(dict(each) for each in found.values()))
    end(case, *planted[0])
    assert planted[1][0] in {each.ref for each in provider.discover()}


def test_ending_sessions_can_be_repeated_and_gives_plain_facts(case: Case):
    ending = case.provider
    ref, secret = case.plant()
    if isinstance(ending, SessionEnding):
        facts = [ending.end_sessions(ref), ending.end_sessions(ref)]
    elif isinstance(ending, Installable):
        facts = [ending.end_sessions_at(target, ref) for target in ending.targets(ref) for _ in range(2)]
    else:
        pytest.skip(f"{ending.name} leaves no sessions behind that a machine could end")
    for each in facts:
        assert all(isinstance(key, str) and isinstance(value, str) for key, value in each.items())
        assert_holds_no_material(secret, dict(each))
    cut = case.provider.capability is Capability.EXPIRE_ONLY
    assert case.provider.inspect(ref).state is (State.SUSPENDED if cut else State.ACTIVE)


def test_what_was_opened_outlives_its_credential_until_sessions_are_ended(case: Case):
    provider = able(case.provider, SessionEnding)
    if case.session is None:
        pytest.skip(f"{provider.name} has no session that a test could hold open")
    ref, secret = case.plant()
    lives, a_strangers_lives = case.session(ref, secret), case.session(*case.plant())
    assert lives()
    contain(case, ref, secret)
    provider.end_sessions(ref)
    assert not lives()
    assert a_strangers_lives()


def test_preserving_changes_nothing(case: Case):
    provider = able(case.provider, Preserving)
    ref, secret = case.plant()
    facts = provider.preserve(ref)
    assert facts
    assert all(isinstance(key, str) and isinstance(value, str) for key, value in facts.items())
    assert_holds_no_material(secret, dict(facts))
    assert case.provider.inspect(ref).state is State.ACTIVE
    assert answers(case.provider, ref, secret) == {Answer.ACCEPTED}


def test_its_own_credential_is_none_of_those_it_rotates_and_shows_no_material(case: Case):
    provider = able(case.provider, SelfAware)
    planted = [case.plant() for _ in range(2)]
    own = provider.own()
    assert own == provider.own()
    assert own not in {ref.id for ref, _ in planted}
    assert case.own is not None
    for secret in (case.own, *(secret for _, secret in planted)):
        assert_holds_no_material(secret, own)
    nowhere = able(case.unreachable, SelfAware)
    try:
        assert nowhere.own() == own
    except Unavailable as error:
        assert_holds_no_material(case.own, error)


def test_what_the_rotator_may_do_is_told_for_each_verb_that_needs_it_and_nothing_changes(case: Case):
    provider = able(case.provider, Permitted)
    ref, secret = case.plant()
    before = kin(case, ref)
    for whose in (ref.owner, None):
        told = list(provider.permissions(whose))
        named = {verb for each in told for verb in each.verbs}
        assert set(needed(PLAYBOOKS[case.provider.name])) <= named <= VERBS
        assert [each for each in told if each.granted is False] == []
        assert all(each.why for each in told if each.granted is None)
        assert_holds_no_material(secret, *told)
        if case.own is not None:
            assert_holds_no_material(case.own, *told)
    assert kin(case, ref) == before
    assert answers(case.provider, ref, secret) == {Answer.ACCEPTED}
    with pytest.raises(Unavailable):
        able(case.unreachable, Permitted).permissions(ref.owner)


def test_what_is_said_to_be_refused_is_refused_when_it_is_tried(case: Case):
    able(case.provider, Permitted)
    if case.narrow is None:
        pytest.skip(f"{case.provider.name} has no credential here that may look and no more")
    ref, secret = case.plant()
    told = able(case.narrow, Permitted).permissions(ref.owner)
    refused = {verb for each in told if each.granted is False for verb in each.verbs}
    assert LOOK not in refused
    assert case.narrow.inspect(ref).state is State.ACTIVE
    changes = {"suspend", "end_sessions"} if case.provider.capability is not Capability.REVOCABLE else {"revoke"}
    assert refused & changes
    with pytest.raises(Rejected):
        end(case, ref, secret, case.narrow)
    assert answers(case.provider, ref, secret) == {Answer.ACCEPTED}


def test_nothing_listening_is_unavailable_and_certainly_not_done(case: Case):
    must_tell(case)
    ref, secret = case.plant()
    nowhere = case.unreachable
    calls = [
        lambda: knocks(nowhere, ref, secret),
    ]
    if case.views:
        calls += [lambda: nowhere.inspect(ref), lambda: nowhere.siblings(ref)]
    if nowhere.capability is Capability.REVOCABLE:
        calls.append(lambda: destroy(nowhere, ref, secret))
    if isinstance(nowhere, Issuing):
        calls.append(lambda: nowhere.issue(ref, MARKER, kept(case.provider, ref)))
    if isinstance(nowhere, Suspendable):
        calls += [lambda: nowhere.suspend(ref), lambda: nowhere.resume(ref)]
    if isinstance(nowhere, Restorable):
        preserved = kept(case.provider, ref)
        calls += [lambda: nowhere.suspend(ref), lambda: nowhere.restore(ref, preserved)]
    if isinstance(nowhere, SessionEnding):
        calls.append(lambda: nowhere.end_sessions(ref))
    if isinstance(nowhere, Installable):
        target = nowhere.targets(ref)[0]
        calls += [lambda: nowhere.verify_at(target, ref, secret), lambda: nowhere.uninstall(target, ref)]
    for call in calls:
        with pytest.raises(Unavailable) as raised:
            call()
        assert raised.value.reason
        assert raised.value.reason.replace("_", "").isalnum()
        assert raised.value.reason == raised.value.reason.lower()
        assert_holds_no_material(secret, raised.value)


def test_no_other_error_leaves_it(case: Case):
    ref, secret = case.plant()
    for act in (case.provider.inspect, case.provider.siblings, case.provider.revoke):
        try:
            act(CredentialRef(ref.provider, ref.connection, "nobody/../of that name", "no such id"))
        except RotatorError as error:
            assert isinstance(error, Rejected | Unavailable | Uncertain)  # noqa: PT017 - returning is right too
            assert_holds_no_material(secret, error)


def test_thirty_two_threads_may_use_it_at_once(case: Case):
    planted = [case.plant() for _ in range(4)]
    with ThreadPoolExecutor(THREADS) as pool:
        if not tells(case):
            named = pool.map(lambda n: case.provider.identify(case.leaked(*planted[n % 4])), range(THREADS))
            assert list(named) == [planted[n % 4][0] for n in range(THREADS)]
            return
        given = list(pool.map(lambda n: answers(case.provider, *planted[n % 4]), range(THREADS)))
    assert given == [{Answer.ACCEPTED}] * THREADS


def test_what_was_made_with_it_since_is_told_or_said_not_to_be(case: Case):
    provider = able(case.provider, Persistence)
    ref, secret = case.plant()
    since = clock.now() - 2.0  # the issuer's clock may be another
    before = provider.minted_since(ref, since)
    assert before.asked
    assert before.made or before.log or before.cannot_tell
    if case.makes is None:
        assert (before.made, before.log) == ((), ())
        return
    name = case.makes(ref, secret)
    after = provider.minted_since(ref, since)
    later = provider.minted_since(ref, clock.now() + 3600.0)
    assert [name in repr((each.made, each.log)) for each in (before, after, later)] == [False, True, False]
    assert all(each.at >= since and (each.kind or each.mend or each.act) for each in after.made)
    assert_holds_no_material(secret, before, after)
    with pytest.raises(Unavailable):
        able(case.unreachable, Persistence).minted_since(ref, since)
