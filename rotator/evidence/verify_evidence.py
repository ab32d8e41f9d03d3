"""Check an evidence pack of rotator, with the standard library and `cryptography` alone.

    python3 verify_evidence.py PACK.zip [PUBLIC-KEY [FOLDER]]

PUBLIC-KEY (base64, Ed25519; "" for none) is the key that signed first, as you were told it on another way than with the
pack; FOLDER is where checkpoints were kept. Written apart from the program that makes packs. What is checked:
1. each checkpoint is signed by the key before it, or the one that its predecessor named, and names that one's SHA-256;
2. the pack's own statement is signed by one of these keys, and names the last checkpoint and how much is in the pack;
3. the records of each chain of the pack begin at 1, name the SHA-256 of the one before, and are those that were signed;
4. each checkpoint in FOLDER is the pack's own, or was signed after the pack was made and follows it.
Exit code 0: all of it holds. 1: something does not; each line says where. 2: it cannot be read. 3: a key was stolen.
"""

import base64
import hashlib
import json
import pathlib
import re
import sys
import zipfile

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def is_signed(key, purpose, body, signature):
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
        public.verify(base64.b64decode(signature, validate=True), purpose + body.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def signed_in(line):
    found = json.loads(line)
    # Other bytes that read the same are not what was written.
    if (
        json.dumps({"body": found["body"], "signature": found["signature"]}, ensure_ascii=False).encode() + b"\n"
        != line
    ):
        raise ValueError("a signed line is not as it was written")
    return found["body"], found["signature"]


def check_checkpoints(pack, key, wrong):
    """Return {chain: {length: hash}}, the keys, (hash, signature) of each number, and which keys were stolen."""
    chains, keys, signed, stolen = {}, [], [("", "")], []
    for line in pack.open("checkpoints.jsonl"):
        body, signature = signed_in(line)
        said, number = json.loads(body), len(signed)
        key = key or said["key"]
        if said["key"] != key or not is_signed(key, b"rotator checkpoint 1\n", body, signature):
            wrong(f"checkpoint {number}: the signature does not hold")
            break
        if said["number"] != number or said["previous"] != signed[-1][0]:
            wrong(f"checkpoint {number}: it does not follow the one before")
            break
        signed.append((sha256(body.encode()), signature))
        keys.append(key)
        for chain, length, head in said["chains"]:
            known = chains.setdefault(chain, {})
            if known and length <= max(known):
                wrong(f"checkpoint {number}: {chain} grew shorter")
            known[length] = head
        if "stolen_since" in said:
            stolen.append(f"IN DOUBT: what {key} signed, stolen since {said['stolen_since']}, and nobody kept before")
        key = said.get("next_key", key)
    return chains, keys, signed, stolen


def check_records(pack, chains, wrong):
    """Return {chain: how many records}; say the first that does not hold of each chain."""
    found, broken, at, before = {}, set(), None, ""
    for line in pack.open("records.jsonl"):
        said = json.loads(line)
        chain, signed = said["chain"], chains.get(said["chain"], {})
        problem = None if line.endswith(b"\n") else "its last record is cut off"
        if chain != at:
            problem = "its records do not stand together" if chain in found else problem
            at, before = chain, ""
        number = found[chain] = found.get(chain, 0) + 1
        digest = sha256(line[:-1])
        if (said["seq"], said["previous"]) != (number, before):
            problem = (
                problem or f"record {number} is missing or moved, or does not follow the one before: one is altered"
            )
        elif number > max(signed, default=0):
            problem = problem or f"record {number} was invented: no checkpoint knows it"
        elif signed.get(number, digest) != digest:
            problem = problem or f"record {number} is not the one that was signed"
        if problem and chain not in broken:
            wrong(f"{chain}: {problem}")
            broken.add(chain)
        before = digest
    for chain in set(found) - broken:
        if found[chain] < max(chains[chain]):
            wrong(f"{chain}: record {found[chain] + 1} is missing")
    return found


def check_kept(folder, signed, made_at, wrong):
    name = re.compile(r"checkpoint-\d{8,}-[0-9a-f]{64}\.json")
    paths = sorted(each for each in pathlib.Path(folder).iterdir() if name.fullmatch(each.name))
    for path in paths:
        body, signature = signed_in(path.read_bytes())
        said, digest = json.loads(body), sha256(body.encode())
        number, held = said["number"], is_signed(said["key"], b"rotator checkpoint 1\n", body, signature)
        if not held or path.name != f"checkpoint-{number:08d}-{digest}.json":
            wrong(f"{path.name}: it is not what its name says")
        elif number < len(signed):
            if (digest, signature) != signed[number]:
                wrong(f"checkpoint {number}: another one was kept")
        elif said["at"] <= made_at or (number == len(signed) and said["previous"] != signed[-1][0]):
            wrong(f"checkpoint {number}: it was kept, and the pack does not have it or lead to it")
    if not paths:
        wrong(f"{folder}: no checkpoint was kept there")


def main(path, trusted="", folder=""):
    problems = []
    wrong = problems.append
    with zipfile.ZipFile(path) as pack:
        body, signature = signed_in(pack.read("pack.json"))
        chains, keys, signed, stolen = check_checkpoints(pack, trusted, wrong)
        said = json.loads(body)
        if said["key"] not in keys or not is_signed(said["key"], b"rotator evidence pack 1\n", body, signature):
            wrong("pack.json: the signature does not hold")
        if (said["checkpoint"], said["checkpoint_hash"]) != (len(signed) - 1, signed[-1][0]):
            wrong("pack.json: it was made under another checkpoint than the last one that holds")
        stamps = sha256(pack.read("timestamps.jsonl")) if "timestamps.jsonl" in pack.namelist() else ""
        if said.get("timestamps", "") != stamps:
            wrong("timestamps.jsonl: it is not as it was written")
        found = check_records(pack, chains, wrong)
        mine = tuple(f"{each}." for each in said["of"])
        for chain in sorted(set(chains) | set(found)):
            wanted = not mine or chain in {"service", *said["of"]} or chain.startswith(mine)
            if chain in chains and wanted != (chain in found):
                wrong(f"{chain}: " + ("the whole chain is missing" if wanted else "the pack is not of this chain"))
        if (said["records"], said["chains"]) != (sum(found.values()), len(found)):
            wrong("pack.json: it says another number of records or chains")
    if folder:
        check_kept(folder, signed, said["made_at"], wrong)
    if not problems:
        print(f"{sum(found.values())} records of {len(found)} chains hold, under {len(signed) - 1} checkpoints")
        print(f"signed first by {keys[0]}" + ("" if trusted else ": compare it with what you were told"))
    for problem in [*problems, *stolen]:
        print(problem)
    return 1 if problems else 3 if stolen else 0


def checked(path, trusted="", folder=""):
    try:
        return main(path, trusted, folder)
    except Exception as error:  # noqa: BLE001 - whoever made the file chose its bytes: any of them may end anywhere
        print(f"it cannot be read: {type(error).__name__}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(checked(*sys.argv[1:4]))
