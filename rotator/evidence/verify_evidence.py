"""Check an evidence pack of rotator, with the standard library and `cryptography` alone.

    python3 verify_evidence.py PACK.zip [PUBLIC-KEY [FOLDER]]

PUBLIC-KEY (base64, Ed25519; "" for none) is the key that signed first, as you were told it on another way than with the
pack; FOLDER is where checkpoints were kept. Written apart from the program that makes packs. What is checked:
1. each checkpoint is signed by the key before it, or the one that its predecessor named, and names that one's SHA-256;
2. the pack's own statement is signed by one of these keys, and names the last checkpoint and how much is in the pack;
3. the records of each chain of the pack begin at 1, name the SHA-256 of the one before, and are those that were signed;
4. a chain that was deleted was just as long as it was signed, has not grown since, and is not in the pack;
5. each checkpoint in FOLDER is the pack's own, or was signed after the pack was made and follows it.
Exit code 0: all of it holds. 1: something does not; each line says where. 2: it cannot be read. 3: a key was stolen.
"""

import base64
import datetime as dt
import hashlib
import json
import pathlib
import re
import sys
import zipfile

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def read(line, purpose):
    """Return what a signed line says, its SHA-256, its signature, and whether the key that it names made that."""
    body, signature = (json.loads(line)[name] for name in ("body", "signature"))
    # Other bytes that read the same are not what was written.
    if json.dumps({"body": body, "signature": signature}, ensure_ascii=False).encode() + b"\n" != line:
        raise ValueError("a signed line is not as it was written")
    said, data = json.loads(body), body.encode()
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(said["key"], validate=True))
        public.verify(base64.b64decode(signature, validate=True), purpose + data)
    except (InvalidSignature, ValueError):
        return said, hashlib.sha256(data).hexdigest(), signature, False
    return said, hashlib.sha256(data).hexdigest(), signature, True


def check_checkpoints(pack, key, wrong):
    """Return {chain: {length: hash}}, what was deleted, the keys, (hash, signature) of each, and which were stolen."""
    chains, deleted, keys, signed, stolen = {}, {}, [], [("", "")], []
    for line in pack.open("checkpoints.jsonl"):
        said, digest, signature, held = read(line, b"rotator checkpoint 1\n")
        number, key = len(signed), key or said["key"]
        if not held or (said["key"], said["number"], said["previous"]) != (key, number, signed[-1][0]):
            wrong(f"checkpoint {number}: the signature does not hold, or it does not follow the one before")
            break
        signed.append((digest, signature))
        keys.append(key)
        for chain, length, head in said.get("deleted", []):
            if chain in deleted or (length, head) != max(chains.get(chain, {0: ""}).items()):
                wrong(f"checkpoint {number}: {chain} was deleted, and not as it was signed")
            deleted[chain] = f"checkpoint {number} of {dt.datetime.fromtimestamp(said['at'], dt.UTC).date()}", length
        for chain, length, head in said["chains"]:
            known = chains.setdefault(chain, {})
            if chain in deleted or length <= max(known, default=0):
                wrong(f"checkpoint {number}: {chain} grew shorter, or after it was deleted")
            known[length] = head
        if "stolen_since" in said:
            stolen.append(f"IN DOUBT: what {key} signed, stolen since {said['stolen_since']}, and nobody kept before")
        key = said.get("next_key", key)
    return chains, deleted, keys, signed, stolen


def check_records(pack, chains, wrong):
    """Return {chain: how many records}; say the first that does not hold of each chain."""
    found, broken, at, before = {}, set(), None, ""
    for line in pack.open("records.jsonl"):
        said, digest = json.loads(line), hashlib.sha256(line[:-1]).hexdigest()
        chain, signed = said["chain"], chains.get(said["chain"], {})
        problem = None if line.endswith(b"\n") else "its last record is cut off"
        if chain != at:
            problem = "its records do not stand together" if chain in found else problem
            at, before = chain, ""
        number = found[chain] = found.get(chain, 0) + 1
        if (said["seq"], said["previous"]) != (number, before):
            problem = problem or f"record {number} is missing, moved, or does not follow the one before: one is altered"
        elif number > max(signed, default=0) or signed.get(number, digest) != digest:
            problem = problem or f"record {number} was invented, or is not the one that was signed"
        if problem and chain not in broken:
            wrong(f"{chain}: {problem}")
            broken.add(chain)
        before = digest
    for chain in [each for each in set(found) - broken if found[each] < max(chains[each])]:
        wrong(f"{chain}: record {found[chain] + 1} is missing")
    return found


def check_kept(folder, signed, made_at, wrong):
    name = re.compile(r"checkpoint-\d{8,}-[0-9a-f]{64}\.json")
    paths = sorted(each for each in pathlib.Path(folder).iterdir() if name.fullmatch(each.name))
    for path in paths:
        said, digest, signature, held = read(path.read_bytes(), b"rotator checkpoint 1\n")
        if not held or path.name != f"checkpoint-{said['number']:08d}-{digest}.json":
            wrong(f"{path.name}: it is not what its name says")
        elif said["number"] < len(signed):
            if (digest, signature) != signed[said["number"]]:
                wrong(f"checkpoint {said['number']}: another one was kept")
        elif said["at"] <= made_at or (said["number"] == len(signed) and said["previous"] != signed[-1][0]):
            wrong(f"checkpoint {said['number']}: it was kept, and the pack does not have it or lead to it")
    if not paths:
        wrong(f"{folder}: no checkpoint was kept there")


def main(path, trusted="", folder=""):
    problems = []
    wrong = problems.append
    with zipfile.ZipFile(path) as pack:
        names, (said, _, _, held) = pack.namelist(), read(pack.read("pack.json"), b"rotator evidence pack 1\n")
        chains, deleted, keys, signed, stolen = check_checkpoints(pack, trusted, wrong)
        under = said["checkpoint"], said["checkpoint_hash"]
        if not held or said["key"] not in keys or under != (len(signed) - 1, signed[-1][0]):
            wrong("pack.json: the signature does not hold, or another checkpoint is the last one that holds")
        stamps = [hashlib.sha256(pack.read(each)).hexdigest() for each in names if each == "timestamps.jsonl"]
        if said.get("timestamps", "") != "".join(stamps) or len(names) > len(set(names)):
            wrong("timestamps.jsonl: it is not as it was written, or a file is there twice")
        found = check_records(pack, chains, wrong)
    mine = tuple(f"{each}." for each in said["of"])
    scope = {each for each in chains if not mine or each in {"service", *said["of"]} or each.startswith(mine)}
    for chain in sorted((scope - set(deleted)) ^ set(found)):
        wrong(f"{chain}: {'it was deleted, or is of another pack' if chain in found else 'the whole chain is missing'}")
    if (said["records"], said["chains"]) != (sum(found.values()), len(found)):
        wrong("pack.json: it says another number of records or chains")
    if folder:
        check_kept(folder, signed, said["made_at"], wrong)
    if not problems:
        print(f"{sum(found.values())} records of {len(found)} chains hold, under {len(signed) - 1} checkpoints")
        print(f"signed first by {keys[0]}" + ("" if trusted else ": compare it with what you were told"))
    for under in dict.fromkeys(each[0] for each in deleted.values()):
        gone = [length for at, length in deleted.values() if at == under]
        print(f"{len(gone)} chains with {sum(gone)} records were deleted by policy, under {under}, and are not checked")
    for problem in [*problems, *stolen]:
        print(ascii(problem)[1:-1])  # who made the pack chose its names
    return 1 if problems else 3 if stolen else 0


def checked(path, trusted="", folder=""):
    try:
        return main(path, trusted, folder)
    except Exception as error:  # noqa: BLE001 - whoever made the file chose its bytes: any of them may end anywhere
        print(f"it cannot be read: {type(error).__name__}: {error!a}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(checked(*sys.argv[1:4]))
