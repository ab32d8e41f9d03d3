"""Check an evidence pack of rotator, with the standard library and `cryptography` alone.

    python3 verify_evidence.py PACK.zip [PUBLIC-KEY]

PUBLIC-KEY (base64, Ed25519) is the key that signed first, as you were told it on another way than with the pack.
Written apart from the program that makes packs, so that one mistake is not made twice. What is checked:
1. every checkpoint is signed by the key before it (or by the one that its predecessor named), counts one on, and names
   the SHA-256 of its predecessor's body;
2. the pack's own statement is signed by one of these keys, and names the last checkpoint and how much is in the pack;
3. the records of each chain begin at 1, count one on, name the SHA-256 of the one before, and end where, and as, the
   checkpoints say; at each length that a checkpoint signed the hash is the one that it signed;
4. each chain that the pack is of is there, and no other.
Exit code 0: all of it holds. 1: something does not; each line says where. 2: it cannot be read.
"""

import base64
import hashlib
import json
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


def lines_of(pack, name):
    with pack.open(name) as file:
        for line in file:
            if not line.endswith(b"\n"):
                raise ValueError(f"{name} does not end with a line")
            yield line[:-1]


def signed_lines(pack, name):
    for line in lines_of(pack, name):
        found = json.loads(line)
        # Other bytes that read the same are not what was written.
        if json.dumps({"body": found["body"], "signature": found["signature"]}, ensure_ascii=False).encode() != line:
            raise ValueError(f"{name} is not as it was written")
        yield found["body"], found["signature"]


def check_checkpoints(pack, key, wrong):
    """Return {chain: {length: hash}}, the keys that signed, how many checkpoints hold and the hash of the last."""
    chains, keys, count, last = {}, [], 0, ""
    for body, signature in signed_lines(pack, "checkpoints.jsonl"):
        said = json.loads(body)
        key = key or said["key"]
        if said["key"] != key or not is_signed(key, b"rotator checkpoint 1\n", body, signature):
            wrong(f"checkpoint {count + 1}: the signature does not hold")
            break
        if said["number"] != count + 1 or said["previous"] != last:
            wrong(f"checkpoint {count + 1}: it does not follow the one before")
            break
        count, last = count + 1, sha256(body.encode())
        keys.append(key)
        for chain, length, head in said["chains"]:
            known = chains.setdefault(chain, {})
            if known and length <= max(known):
                wrong(f"checkpoint {count}: {chain} grew shorter")
            known[length] = head
        key = said.get("next_key", key)
    return chains, keys, count, last


def problem_of(said, number, before, digest, signed):
    """Return what is wrong with a record that stands at this place of its chain; None where nothing is."""
    if not signed:
        return "no checkpoint knows this chain"
    if said["seq"] != number:
        return f"record {number} is missing, moved or invented"
    if number > max(signed):
        return f"record {number} was invented"
    if said["previous"] != before:
        return f"record {number} does not follow record {number - 1}: one of the two was altered"
    return None if signed.get(number, digest) == digest else f"record {number} is not the one that was signed"


def check_records(pack, chains, wrong):
    """Return {chain: how many records}; say the first that does not hold of each chain."""
    found, broken, at, previous = {}, set(), None, ""
    for line in lines_of(pack, "records.jsonl"):
        try:
            said = json.loads(line)
            chain, _, _ = said["chain"], said["seq"], said["previous"]
        except (ValueError, KeyError, TypeError):
            said, chain = None, at
        problem = "a record that was altered stands behind it" if said is None else None
        if chain != at:
            problem = "its records do not stand together" if chain in found else None
            at, previous = chain, ""
        found[chain] = found.get(chain, 0) + 1
        digest = sha256(line)
        problem = problem or problem_of(said, found[chain], previous, digest, chains.get(chain))
        if problem and chain not in broken:
            wrong(f"{chain}: {problem}")
            broken.add(chain)
        previous = digest
    for chain, count in found.items():
        if chain not in broken and count < max(chains[chain]):
            wrong(f"{chain}: record {count + 1} is missing")
    return found


def main(path, trusted=""):
    problems = []
    wrong = problems.append
    with zipfile.ZipFile(path) as pack:
        ((body, signature),) = signed_lines(pack, "pack.json")
        chains, keys, count, last = check_checkpoints(pack, trusted, wrong)
        said = json.loads(body)
        if said["key"] not in keys or not is_signed(said["key"], b"rotator evidence pack 1\n", body, signature):
            wrong("pack.json: the signature does not hold")
        if (said["checkpoint"], said["checkpoint_hash"]) != (count, last):
            wrong("pack.json: it was made under another checkpoint than the last one that holds")
        found = check_records(pack, chains, wrong)
        mine = tuple(f"{each}." for each in said["of"])
        for chain in sorted(set(chains) | set(found)):
            wanted = not mine or chain in {"service", *said["of"]} or chain.startswith(mine)
            if chain in chains and wanted != (chain in found):
                wrong(f"{chain}: " + ("the whole chain is missing" if wanted else "the pack is not of this chain"))
        if (said["records"], said["chains"]) != (sum(found.values()), len(found)):
            wrong("pack.json: it says another number of records or chains")
    for problem in problems:
        print(problem)
    if not problems:
        print(f"{sum(found.values())} records of {len(found)} chains hold, under {count} checkpoints")
        print(f"signed first by {keys[0]}" + ("" if trusted else ": compare it with what you were told"))
    return 1 if problems else 0


def checked(path, trusted=""):
    try:
        return main(path, trusted)
    except Exception as error:  # noqa: BLE001 - whoever made the file chose its bytes: any of them may end anywhere
        print(f"it cannot be read: {type(error).__name__}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(checked(*sys.argv[1:3]))
