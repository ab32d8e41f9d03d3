"""Who holds a credential holds what it leads to: nothing is missed, nothing is included without a way that is told."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.credential import CredentialRef, Leaked
from rotator.flow.blast import expand
from rotator.flow.exposure import Certainty, Exposure, group
from rotator.flow.inventory import Entry
from rotator.flow.paths import Names, names_of, roots_of, split
from rotator.flow.reach import reachable
from rotator.flow.scope import Custody, Lifeline, Scoped, Unresolved
from rotator.flow.site import site
from rotator.ports.connection import Connection
from rotator.ports.store import Place

ROOTS = roots_of([Connection("vault", "vault", settings={"mount": "kv"}), Connection("disk", "file")])
SERVES = {"vault_token": ("vault",), "aws_iam_access_key": ("aws", "aws-test"), "aws_secret": ("aws",)}


def entry(kind, owner="", name="", at=(), connection="", **known) -> Custody:
    match = {"provider": kind, "owner": owner, "id": name, "connection": connection}
    places = tuple(Place("vault_kv", *each.split(":", 1)) for each in at)
    return Custody({key: value for key, value in match.items() if value}, deliver=places, **{"reads": (), **known})


def stolen(custody, connection="vault", name="x1", seen="ci.log", via=()) -> Scoped:
    kind, leaked = custody.match.get("provider", "vault_token"), Leaked(id=name)
    ref = CredentialRef(kind, connection, custody.match.get("owner", ""), custody.match.get("id", name))
    return Scoped(ref, kind, leaked, (Exposure("list", kind, leaked, seen, via=via),), custody, "seen")


def after(scoped, entries, known=(), unresolved=()):
    return expand(
        scoped,
        entries,
        known=known,
        roots=ROOTS,
        issuers=lambda kind: SERVES.get(kind, ()),
        unresolved=unresolved,
    )


def ids(blast):
    return [each.leaked.id for each in blast.exposures]


def test_a_token_that_reads_a_folder_exposes_what_is_delivered_there_and_tells_the_way():
    token = entry("vault_token", "ci", reads=("vault:kv/payments/*",))
    pay = entry("aws_iam_access_key", "pay", "AKIA1", at=["vault:payments/aws"])
    other = entry("aws_iam_access_key", "web", "AKIA2", at=["vault:web/aws"])
    [found] = after([stolen(token)], [token, pay, other]).exposures
    assert (found.source, found.rule, found.leaked.id, found.leaked.owner) == (
        "list",
        "aws_iam_access_key",
        "AKIA1",
        "pay",
    )
    assert found.certainty is Certainty.INFERRED
    assert found.via == (
        "vault_token ci was seen in ci.log",
        "it reads vault:kv/payments/*",
        "aws_iam_access_key pay is delivered to vault:kv/payments/aws",
    )


def test_mutual_readers_end_and_the_shortest_way_is_told():
    one = entry("vault_token", "one", "t1", at=["vault:one"], reads=("vault:two", "vault:three"))
    two = entry("vault_token", "two", "t2", at=["vault:two"], reads=("vault:one", "vault:three"))
    three = entry("vault_token", "three", "t3", at=["vault:three"], reads=("vault:*",))
    found = after([stolen(one)], [one, two, three]).exposures
    assert [(each.leaked.id, len(each.via)) for each in found] == [("t2", 3), ("t3", 3)]


def test_what_made_the_first_one_reachable_stands_before_what_it_leads_to():
    token = entry("vault_token", "ci", reads=("vault:kv/*",))
    pay = entry("aws_iam_access_key", "pay", "AKIA1", at=["vault:pay"])
    [found] = after([stolen(token, via=("litellm 1.82.7 ran on host:ci-7", "ci lies there"))], [token, pay]).exposures
    assert found.via[:3] == ("litellm 1.82.7 ran on host:ci-7", "ci lies there", "it reads vault:kv/*")


def test_an_entry_without_an_id_stands_for_all_that_discovery_knows_of_it():
    token = entry("vault_token", "ci", reads=("vault:kv/*",))
    pay = entry("aws_iam_access_key", "pay", at=["vault:pay"])
    known = [CredentialRef("aws_iam_access_key", at, owner, name) for at, owner, name in (
        ("aws", "pay", "AKIA1"), ("aws", "pay", "AKIA2"), ("aws", "web", "AKIA3"))]  # fmt: skip
    found = after([stolen(token)], [token, pay], known)
    assert ids(found) == ["AKIA1", "AKIA2"]
    assert {each.leaked.connection for each in found.exposures} == {"aws"}


def test_what_nobody_can_name_is_included_by_its_owner_and_says_so():
    token = entry("vault_token", "ci", reads=("vault:kv/*",))
    [found] = after([stolen(token)], [token, entry("aws_iam_access_key", "pay", at=["vault:pay"])]).exposures
    assert (found.rule, found.leaked) == ("aws_iam_access_key", Leaked(owner="pay"))
    assert found.where == "inventory: aws_iam_access_key pay"
    assert found.via[-2].startswith("aws_iam_access_key pay is delivered to vault:")
    assert found.via[-1].startswith("no id of it is known")
    left = Unresolved("aws_iam_access_key", "?", (found,), "unreadable", "")
    assert ids(after([stolen(token)], [token, entry("aws_iam_access_key", "pay", at=["vault:pay"])], (), [left])) == []


def test_what_is_reachable_and_follows_too_is_one_credential_with_an_id_or_without():
    token = entry("vault_token", "ci", reads=("vault:kv/*",), reachable_from=(site("host:ci-7"),))
    others = [
        entry("aws_iam_access_key", owner, name, at=["vault:pay"], reachable_from=(site("host:ci-7"),))
        for owner, name in (("pay", ""), ("web", "AKIA2"))
    ]
    hit = SimpleNamespace(
        site=site("host:ci-7"), package="litellm", version="1.82.7", sureness="installed", since=None, path="f", line=1
    )
    near = reachable([hit], [Entry(each, "rotator.toml") for each in others]).exposures
    found = [*near, *after([stolen(token)], [token, *others]).exposures]
    suspects = group(found, {("list", "aws_iam_access_key"): "aws_iam_access_key"}, lambda _secret: "")
    assert [len(each.exposures) for each in suspects] == [2, 2]
    assert {each.leaked.owner for each in suspects} == {"pay", "web"}


def test_every_entry_that_fits_is_heard_not_only_the_most_exact():
    token, exact = entry("vault_token", "ci", reads=("vault:pay",)), entry("vault_token", "ci", "t1", reads=None)
    kept, known = entry("aws_iam_access_key", "pay", at=["vault:pay"]), CredentialRef("k", "aws", "pay", "AKIA1")
    pay = entry("aws_iam_access_key", "pay", "AKIA1")
    known = [
        CredentialRef("vault_token", "vault", "ci", "t1"),
        CredentialRef("aws_iam_access_key", "aws", "pay", "AKIA1"),
    ]
    assert ids(after([stolen(exact)], [token, exact, kept, pay], known)) == ["AKIA1"]


def test_who_administers_an_issuer_has_all_that_it_issued_and_all_that_is_kept_there():
    root = entry("vault_token", "root", administers=("aws",))
    mine = entry("aws_iam_access_key", "pay", "AKIA1", connection="aws")
    perhaps = entry("aws_iam_access_key", "web", "AKIA2")
    others = entry("aws_iam_access_key", "far", "AKIA3", connection="aws-test")
    kept = entry("vault_token", "app", "t9", at=["aws:app/token"])
    unlisted = CredentialRef("aws_iam_access_key", "aws", "who", "AKIA9")
    found = after([stolen(root)], [root, mine, perhaps, others, kept], [unlisted])
    assert set(ids(found)) == {"AKIA1", "AKIA2", "t9", "AKIA9"}
    ways = {each.leaked.id: each.via[-1] for each in found.exposures}
    assert ways["AKIA1"] == "aws issued aws_iam_access_key pay"
    assert "names no connection" in ways["AKIA2"]
    assert ids(after([stolen(entry("vault_token", "r", administers=("aws:pay",)))], [mine, perhaps])) == ["AKIA1"]


def test_unknown_reach_leads_nowhere_and_is_warned_of():
    token = entry("vault_token", "ci", reads=None)
    pay = entry("aws_iam_access_key", "pay", "AKIA1", at=["vault:pay"])
    found = after([stolen(token)], [token, pay])
    assert found.exposures == ()
    [warning] = found.warnings
    assert "vault_token ci can read on vault, where 1 cred" in warning
    assert after([stolen(token)], [token]).warnings == ()


def test_secrets_that_a_store_shows_itself_are_read_there():
    token = entry("vault_token", "ci", reads=("aws:db/*", "vault:database/static-creds/*"))
    kept = [entry("aws_secret", "db/main", "db/main#1"), entry("aws_secret", "web", "web#1")]
    role = entry("vault_database_static_role", "database/app", "app:1", connection="vault")
    found = after([stolen(token)], [token, *kept, role])
    assert ids(found) == ["db/main#1", "app:1"]
    assert found.exposures[0].via[-1] == "aws_secret db/main is kept in aws:db/main"


def test_what_no_machine_could_answer_is_exposed_all_the_same():
    token = entry("vault_token", "ci", "acc-1", reads=("vault:kv/*",))
    pay = entry("aws_iam_access_key", "pay", "AKIA1", at=["vault:pay"])
    left = Unresolved("vault_token", "acc-1", (Exposure("list", "vault_token", Leaked(id="acc-1"), "x"),), "-", "-")
    assert ids(after([], [token, pay], unresolved=[left])) == ["AKIA1"]


def test_an_exposed_credential_is_not_found_again():
    token = entry("vault_token", "ci", "acc-1", at=["vault:ci"], reads=("vault:*",))
    assert after([stolen(token)], [token]).exposures == ()
    own = Scoped(**{**{name: getattr(stolen(token), name) for name in Scoped.__slots__},
                    "ref": CredentialRef("vault_token", "breakglass", "ci", "acc-1"),
                    "lifeline": Lifeline("vault", ("vault",))})  # fmt: skip
    assert after([own], [token], [CredentialRef("vault_token", "vault", "ci", "acc-1")]).exposures == ()


def test_a_long_way_keeps_its_beginning_and_its_end():
    chain = [
        entry("vault_token", f"t{n}", f"id{n}", at=[f"vault:t{n}"], reads=(f"vault:kv/t{n + 1}",)) for n in range(200)
    ]
    found = after([stolen(chain[0])], chain).exposures
    assert len(found) == 199
    assert max(len(each.via) for each in found) == 25
    assert found[-1].via[0] == "vault_token t0 was seen in ci.log"
    assert found[-1].via[-1] == "vault_token t199 is delivered to vault:kv/t199"
    assert "375 links" in found[-1].via[8]


@pytest.mark.parametrize(
    ("path", "means"),
    [
        ("a/*", {"a/b", "a/b/c"}),
        ("a", {"a", "a/b", "a/b/c"}),
        ("a/", {"a", "a/b", "a/b/c"}),
        ("a/*/c", {"a/b/c"}),
        ("*", {"", "a", "a-b", "a/b", "a/b/c", "b"}),
        ("*b", {"a-b", "a/b", "b"}),
        ("a*a", set()),
        ("a.b", set()),
    ],
)
def test_a_path_means_names(path, means):
    names = ["", "a", "a-b", "a/b", "a/b/c", "b"]
    found = Names([(name, number) for number, name in enumerate(names)])
    assert {name for name, _ in found.take(path)} == means
    assert list(found.take(path)) == []


SECRET, PARAMETER = (
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:",
    "arn:aws:ssm:eu-west-1:123456789012:parameter/",
)
GCP = roots_of([Connection("gcp", "gcp", account="shop")])


def folders(name, *before):
    """Yield the ways to say a name, and each folder that it is in, with what may stand before it."""
    parts = name.split("/")
    for folder in ("/".join(parts[:end]) for end in range(1, len(parts))):
        yield from (f"{root}{folder}{end}" for root in before for end in ("", "/", "/*", "*"))
    yield from (f"{root}{name}{end}" for root in before for end in ("", "/", "*"))


@st.composite
def delivered_and_read(draw):
    """Draw a place, and what people may write in `reads` of whoever reads it: see docs/configuration.md."""
    name = "/".join(draw(st.lists(st.text("abAB-", min_size=1, max_size=8), min_size=1, max_size=3)))
    at = draw(st.sampled_from(["vault", "secrets", "parameters", "gcp"]))
    ends = "AbCd12", "??????", "*"
    policies = [f"{name}-{end}" for end in ends] + [name, "*", f"{name[:1]}*"]
    if at == "vault":
        known, forms = [name, f"/{name}", f"kv/{name}"], [*folders(name, "", "/", "kv/", "kv/data/", "/kv/data/")]
    elif at == "secrets":
        known = [name, f"{SECRET}{name}", f"{SECRET}{name}-AbCd12"]
        forms = [*folders(name, "", "/"), *(SECRET + each for each in policies)]
        forms += [each.replace("eu-west-1:123456789012", "*:*") for each in forms if each.startswith("arn")]
        forms += ["arn:aws:secretsmanager:eu-west-1:123456789012:*", "arn:aws:secretsmanager:*"]
    elif at == "parameters":
        known = [name, f"/{name}"]
        forms = [*folders(name, "", "/"), *(PARAMETER + each for each in (name, "*", f"{name[:1]}*"))]
    else:
        known, forms = [name, f"projects/shop/secrets/{name}"], [*folders(name, "", "projects/shop/secrets/")]
    return at, draw(st.sampled_from(known)), draw(st.sampled_from([*forms, "*", "", "/"]))


@settings(max_examples=150, deadline=None)
@given(delivered_and_read())
def test_whoever_reads_a_place_is_found_however_both_are_written(drawn):
    at, name, path = drawn
    names = names_of(Place("any", at, name), {**ROOTS, **GCP})
    assert list(Names([(each, 7) for each in names]).take(split(f"{at}:{path}")[1]))


@pytest.mark.parametrize(
    ("reads", "name"),
    [
        (f"{SECRET}prod-AbCd12", "prod/db"),
        (f"{SECRET}prod/db", "prod/db/2"),
        (f"{SECRET}prod/*", "prodigal"),
        (f"{PARAMETER}prod", "prod/db"),
        ("arn:aws:s3:::prod/*", "prod/db"),
        ("arn:aws:s3:*", "prod/db"),
        ("prod/db", f"{SECRET}prod/db2-AbCd12"),
        ("PROD", "prod"),
    ],
)
def test_an_address_means_what_it_names_and_nothing_beneath_or_beside_it(reads, name):
    known = names_of(Place("aws_secrets_manager", "aws", name), {})
    assert list(Names([(each, 7) for each in known]).take(reads)) == []


def test_a_secret_by_its_arn_is_found_by_who_reads_its_folder_and_the_other_way_round():
    by_name, by_arn = (
        entry("k", "n", "i1", at=["aws:prod/db"]),
        entry("k", "a", "i2", at=[f"aws:{SECRET}prod/db-AbCd12"]),
    )
    for reads in ("aws:prod/", f"aws:{SECRET}prod/db-??????"):
        token = entry("vault_token", "ci", reads=(reads,))
        assert sorted(ids(after([stolen(token)], [token, by_name, by_arn]))) == ["i1", "i2"]


def test_a_secret_of_a_repository_is_found_in_whichever_letters_it_is_written():
    key = replace(entry("k", "n", "i1"), deliver=(Place("github_actions_secret", "gh", "Acme/Shop:AWS_KEY"),))
    for reads in ("gh:acme/*", "gh:ACME/shop:aws_key", "gh:acme/shop", "gh:acme"):
        token = entry("github_token", "ci", reads=(reads,))
        assert ids(after([stolen(token)], [token, key])) == ["i1"]
    token = entry("vault_token", "ci", reads=("vault:PAY",))
    assert ids(after([stolen(token)], [token, entry("k", "n", "i1", at=["vault:pay"])])) == []


WORDS = st.text("ab/", max_size=3)
PATHS = st.builds("{}:{}".format, st.sampled_from(["vault", "aws"]), st.text("ab/*", max_size=3))
GRAPHS = st.lists(
    st.tuples(
        st.lists(st.builds("{}:{}".format, st.sampled_from(["vault", "aws"]), WORDS), max_size=2, unique=True),
        st.lists(PATHS, max_size=2),
        st.lists(PATHS, max_size=1),
        st.sampled_from(["vault", "aws"]),
    ),
    min_size=1,
    max_size=7,
)


def leads(one, other, number) -> bool:
    """Say from the definitions alone whether holding `one` gives `other`; the slow oracle."""
    (_, reads, administers, _), (places, _, _, issuer) = one, other

    def means(path, name):
        path, name = path.lstrip("/") or "*", name.lstrip("/")
        if "*" in path:
            return re.fullmatch(".*".join(map(re.escape, path.split("*"))), name, re.DOTALL) is not None
        return name == path.rstrip("/") or name.startswith(path.rstrip("/") + "/")

    def kept(entry):
        at, _, path = entry.partition(":")
        stored = [place.partition(":") for place in places]
        forms = [(at_, form) for at_, _, name in stored for form in written(at_, name)]
        return any(at == at_ and means(path, form) for at_, form in forms)

    def issued(entry):
        at, _, path = entry.partition(":")
        return at == issuer and any(means(path, name) for name in (f"o{number}", f"i{number}", f"o{number}/i{number}"))

    return any(map(kept, reads)) or any(kept(each) or issued(each) for each in administers)


def written(at, name):
    bare = name.lstrip("/")
    return [bare, f"kv/{bare}", f"kv/data/{bare}"] if at == "vault" else [bare]


@settings(max_examples=40, deadline=None)
@given(GRAPHS, st.sets(st.integers(0, 6), min_size=1, max_size=2))
def test_what_is_found_is_the_closure_and_each_way_is_a_shortest_one(graph, begun):
    begun = sorted({each % len(graph) for each in begun})
    distance = [[1 if leads(one, other, n) else 99 for n, other in enumerate(graph)] for one in graph]
    for middle in range(len(graph)):
        for row in distance:
            row[:] = [min(far, row[middle] + distance[middle][to]) for to, far in enumerate(row)]
    entries = [
        entry("k", f"o{n}", f"i{n}", at, issuer, reads=tuple(reads), administers=tuple(administers))
        for n, (at, reads, administers, issuer) in enumerate(graph)
    ]
    found = after([stolen(entries[n], graph[n][3], f"i{n}") for n in begun], entries).exposures
    wanted = {
        f"i{n}": 2 * min(distance[first][n] for first in begun) + 1
        for n in range(len(graph))
        if n not in begun and min(distance[first][n] for first in begun) < 99
    }
    assert {each.leaked.id: len(each.via) for each in found} == wanted
    for each in found:
        assert each.via[0] in {f"k o{n} was seen in ci.log" for n in begun}
        assert f"k o{each.leaked.id[1:]}" in each.via[-1]
