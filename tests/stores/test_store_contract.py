"""What `rotator/ports/store.py` promises of every store, tried on each kind in `cases/` against its real server."""

from __future__ import annotations

import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest

from rotator.credential import Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.permissions import LOOK, Permitted
from tests.stores.store_contract import StoreCase, case_names, opener

OLD = '{"id": "old", "token": "old-canary-0a1b2c3d4e5f"}'
NEW = '{"id": "new", "token": "new-canary-6f7a8b9c0d1e"}'
OTHER = '{"id": "other", "token": "other-canary-2f3a4b5c"}'


@pytest.fixture(scope="module", params=case_names())
def case(request, tmp_path_factory):
    with opener(request.param)(tmp_path_factory.mktemp(request.param)) as opened:
        yield opened


@pytest.fixture
def filled(case: StoreCase) -> tuple[str, str]:
    """Return the name of a place that holds OLD, and its version."""
    name = case.fresh_name()
    case.put(name, OLD)
    version = case.store.current(name)
    assert version
    return name, version


def test_a_name_that_holds_nothing_has_no_current_and_nothing_staged(case: StoreCase):
    name = case.fresh_name()
    assert case.store.current(name) is None
    assert case.store.staged(name, "token-1") is None


def test_what_another_hand_wrote_is_current(case: StoreCase, filled):
    name, version = filled
    assert case.store.read(name, version) == Secret(OLD)


def test_a_staged_value_can_be_read_back_but_consumers_do_not_get_it(case: StoreCase, filled):
    name, old = filled
    version = case.store.stage(name, Secret(NEW), "token-1")
    assert case.store.staged(name, "token-1") == version
    assert case.store.staged(name, "token-2") is None
    assert case.store.read(name, version) == Secret(NEW)
    assert case.store.current(name) == old
    assert case.consumer_reads(name) == OLD


def test_staging_in_a_new_place_shows_consumers_nothing(case: StoreCase):
    name = case.fresh_name()
    version = case.store.stage(name, Secret(NEW), "token-1")
    assert case.store.read(name, version) == Secret(NEW)
    assert case.store.current(name) is None
    assert case.consumer_reads(name) is None


def test_repeating_a_token_changes_nothing(case: StoreCase, filled):
    name, old = filled
    version = case.store.stage(name, Secret(NEW), "token-1")
    assert case.store.stage(name, Secret(NEW), "token-1") == version
    assert case.store.read(name, version) == Secret(NEW)
    assert case.store.current(name) == old


def test_a_promoted_value_is_what_consumers_read(case: StoreCase, filled):
    name, old = filled
    version = case.store.stage(name, Secret(NEW), "token-1")
    promoted = case.store.promote(name, version, old)
    assert case.store.current(name) == promoted
    assert case.store.read(name, promoted) == Secret(NEW)
    assert case.consumer_reads(name) == NEW


def test_the_first_value_of_a_new_place_is_promoted_when_nothing_was_there(case: StoreCase):
    name = case.fresh_name()
    version = case.store.stage(name, Secret(NEW), "token-1")
    promoted = case.store.promote(name, version, None)
    assert case.store.current(name) == promoted
    assert case.consumer_reads(name) == NEW


def test_promoting_again_counts_as_done(case: StoreCase, filled):
    name, old = filled
    version = case.store.stage(name, Secret(NEW), "token-1")
    promoted = case.store.promote(name, version, old)
    assert case.store.promote(name, version, old) == promoted
    assert case.store.current(name) == promoted
    assert case.consumer_reads(name) == NEW


def test_staging_again_after_promotion_changes_nothing(case: StoreCase, filled):
    name, old = filled
    promoted = case.store.promote(name, case.store.stage(name, Secret(NEW), "token-1"), old)
    case.store.stage(name, Secret(NEW), "token-1")
    assert case.store.current(name) == promoted
    assert case.consumer_reads(name) == NEW


def test_a_place_that_another_hand_changed_is_left_to_that_hand(case: StoreCase, filled):
    name, old = filled
    version = case.store.stage(name, Secret(NEW), "token-1")
    case.put(name, OTHER)
    with pytest.raises(Rejected) as refusal:
        case.store.promote(name, version, old)
    assert refusal.value.reason == "store_changed"
    assert case.consumer_reads(name) == OTHER


def test_a_place_that_was_filled_meanwhile_is_left_to_that_hand(case: StoreCase):
    name = case.fresh_name()
    version = case.store.stage(name, Secret(NEW), "token-1")
    case.put(name, OTHER)
    with pytest.raises(Rejected) as refusal:
        case.store.promote(name, version, None)
    assert refusal.value.reason == "store_changed"
    assert case.consumer_reads(name) == OTHER


def test_a_demoted_value_gives_the_previous_one_back_and_twice_is_fine(case: StoreCase, filled):
    name, old = filled
    promoted = case.store.promote(name, case.store.stage(name, Secret(NEW), "token-1"), old)
    case.store.demote(name, promoted, old)
    assert case.consumer_reads(name) == OLD
    case.store.demote(name, promoted, old)
    assert case.consumer_reads(name) == OLD
    assert case.store.read(name, old) == Secret(OLD)  # what follows this place is written from it


def test_a_demoted_first_value_leaves_consumers_nothing(case: StoreCase):
    name = case.fresh_name()
    promoted = case.store.promote(name, case.store.stage(name, Secret(NEW), "token-1"), None)
    case.store.demote(name, promoted, None)
    case.store.demote(name, promoted, None)
    assert case.store.current(name) is None
    assert case.consumer_reads(name) is None


def test_demoting_leaves_what_another_hand_wrote_since(case: StoreCase, filled):
    name, old = filled
    promoted = case.store.promote(name, case.store.stage(name, Secret(NEW), "token-1"), old)
    case.put(name, OTHER)
    case.store.demote(name, promoted, old)
    assert case.consumer_reads(name) == OTHER


def test_one_promotion_follows_another(case: StoreCase, filled):
    name, old = filled
    first = case.store.promote(name, case.store.stage(name, Secret(NEW), "token-1"), old)
    second = case.store.promote(name, case.store.stage(name, Secret(OTHER), "token-2"), first)
    assert case.store.current(name) == second
    assert case.consumer_reads(name) == OTHER


def test_two_staged_values_stand_beside_each_other(case: StoreCase, filled):
    name, _ = filled
    first = case.store.stage(name, Secret(NEW), "token-1")
    second = case.store.stage(name, Secret(OTHER), "token-2")
    assert case.store.read(name, first) == Secret(NEW)
    assert case.store.read(name, second) == Secret(OTHER)
    assert (case.store.staged(name, "token-1"), case.store.staged(name, "token-2")) == (first, second)


def test_of_many_hands_that_promote_at_once_one_wins(case: StoreCase, filled):
    name, old = filled
    versions = [case.store.stage(name, Secret(f'{{"id": "{n}", "token": "t"}}'), f"token-{n}") for n in range(6)]

    def promote(version: str) -> str | None:
        for _ in range(100_000):  # a disk under load keeps the winner for a while
            try:
                return case.store.promote(name, version, old)
            except Rejected as refusal:
                return refusal.reason
            except (Unavailable, Uncertain) as later:  # done or not: a promotion is safe to ask for again
                reason = later.reason
        return reason

    with ThreadPoolExecutor(len(versions)) as pool:
        outcomes = list(pool.map(promote, versions))
    won = [outcome for outcome in outcomes if outcome != "store_changed"]
    assert won == [case.store.current(name)]


def test_a_version_that_does_not_exist_cannot_be_read(case: StoreCase):
    never = case.store.stage(case.fresh_name(), Secret(NEW), "token-of-another-place")
    with pytest.raises(Rejected) as refusal:
        case.store.read(case.fresh_name(), never)
    assert refusal.value.reason == "not_found"


def test_nothing_listening_is_unavailable_and_shows_no_material(case: StoreCase, filled):
    name, version = filled
    nowhere = case.unreachable
    for call in (
        lambda: nowhere.current(name),
        lambda: nowhere.staged(name, "token-1"),
        lambda: nowhere.stage(name, Secret(NEW), "token-1"),
        lambda: nowhere.read(name, version),
        lambda: nowhere.promote(name, version, None),
        lambda: nowhere.demote(name, version, None),
    ):
        with pytest.raises(Unavailable) as raised:
            call()
        assert raised.value.reason
        assert "canary" not in "".join(traceback.format_exception(raised.value))


def test_what_the_rotator_may_do_is_told_and_nothing_changes(case: StoreCase, filled):
    if not isinstance(case.store, Permitted):
        pytest.skip("this store cannot be asked what the rotator may do")
    name, version = filled
    told = list(case.store.permissions(name))
    assert {verb for each in told for verb in each.verbs} == {LOOK, "promote", "demote"}
    assert [each for each in told if each.granted is False] == []
    assert all(each.why for each in told if each.granted is None)
    assert (case.store.current(name), case.consumer_reads(name)) == (version, OLD)
    with pytest.raises(Unavailable):
        case.unreachable.permissions(name)


def test_what_is_said_to_be_refused_is_refused_when_it_is_tried(case: StoreCase, filled):
    if case.narrow is None:
        pytest.skip("there is no credential here that may look and no more")
    name, version = filled
    refused = {verb for each in case.narrow.permissions(name) if each.granted is False for verb in each.verbs}
    assert "promote" in refused
    assert LOOK not in refused
    assert case.narrow.current(name) == version
    with pytest.raises(Rejected):
        case.narrow.promote(name, case.narrow.stage(name, Secret(NEW), "token-1"), version)
    assert case.consumer_reads(name) == OLD
