"""End an account's live sessions on one host: the one command that is run there, and what it prints.

A key that is taken away stops nobody who is already in: sshd asks for it once, at the door. Every session has an
sshd process that belongs to the account: `sshd: user@pts/0` before OpenSSH 9.8, `sshd-session: user@pts/0` from then
on, and `sshd: user` alone while nothing but forwarding goes through it. Ending that process ends the session.

What ends: *all* other sessions of the account, whichever key opened them, since sshd does not tell the account which
key that was; other workers of rotator that are in by the same account are cut too, and come back. What does not end:
sessions of other accounts; sessions through another sshd of the machine that still runs (it is a target of its own,
perhaps in a container); and programs that a session left running in the background.
"""

from __future__ import annotations

import re

from rotator.errors import Rejected

# One line, without a quote or a backslash of its own, so that any login shell hands it to /bin/sh unchanged. It
# forks nothing while it looks: a host under attack may run thousands of processes.
#   look PID      its state, parent and name, from /proc
#   climb PID     `top`: the highest sshd above it, which for a session is the listener that let it in
#   ours          our own session's processes, which are spared
#   victims       the account's sessions that are there now; those of another listener that lives are `elsewhere`
_OURS = """
user=$(id -un); uid=$(id -u); cut=0; left=0; elsewhere=0; victims=; ours=" "; own=;
look() { { IFS= read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1;
  comm=${line#*"("}; comm=${comm%")"*}; set -- ${line##*") "}; state=$1; parent=$2; };
sshd() { look "$1" || return 1; case $comm in sshd|sshd-session|sshd-auth) return 0;; esac; return 1; };
climb() { top=$1; sshd "$1" || return 1; next=$parent; while sshd "$next"; do top=$next; next=$parent; done; };
title() { title=; { IFS= read -r title <"/proc/$1/cmdline"; } 2>/dev/null; return 0; };
owned() { { while read -r key value more; do
  if [ "$key" = Uid: ]; then [ "$value" = "$uid" ]; return; fi; done <"/proc/$1/status"; } 2>/dev/null; return 1; };
at=$$; while look "$at"; do ours="$ours$at "; sshd "$at" && own=$at && break; at=$parent; done;
if [ -z "$own" ]; then echo "rotator: no sshd process found"; exit 0; fi;
"""
_CUT = """
climb "$own"; listener=$top;
for dir in /proc/[0-9]*; do pid=${dir#/proc/}; title "$pid";
  case $title in "sshd: $user"|"sshd: $user@"*|"sshd-session: $user"|"sshd-session: $user@"*) ;; *) continue;; esac;
  case $title in *@internal-sftp) continue;; esac;
  case $ours in *" $pid "*) continue;; esac;
  sshd "$pid" && [ "$state" != Z ] && owned "$pid" || continue;
  climb "$pid"; title "$top";
  case $top in "$listener"|"$pid") ;; *) case $title in *"[priv]"*) ;; *)
    elsewhere=$((elsewhere+1)); continue;; esac;; esac;
  victims="$victims $pid"; done;
sent=; for pid in $victims; do kill -KILL "$pid" 2>/dev/null && sent="$sent $pid"; done;
tries=0; while :; do left=0;
  for pid in $victims; do sshd "$pid" && [ "$state" != Z ] && left=$((left+1)); done;
  [ "$left" -eq 0 ] && break; [ "$tries" -ge 20 ] && break;
  tries=$((tries+1)); sleep 0.1 2>/dev/null || sleep 1; done;
for pid in $sent; do sshd "$pid" && [ "$state" != Z ] || cut=$((cut+1)); done;
echo "rotator: cut=$cut left=$left elsewhere=$elsewhere"
"""
_ASK = """
case $1 in cut) ;;
  ask) if kill -0 "$own"; then echo "rotator: may cut"; else echo "rotator: may not cut"; fi; exit 0;;
  *) exit 0;; esac;
"""


def _command(script: str) -> str:
    return "exec /bin/sh -c '" + " ".join(line.strip() for line in script.split("\n") if line) + "' rotator"


CUT_SESSIONS = f"{_command(_OURS + _ASK + _CUT)} cut"
"""The command; it prints one line, which `facts` reads."""
ASK_SESSIONS = f"{_command(_OURS + _ASK + _CUT)} ask"
"""Ask what CUT_SESSIONS needs and end nothing: signal 0 reaches nobody, and is refused where another would be.

It is the same command but for its last word, so that a forced command that goes by words lets through both or neither.
What loses that word ends nothing either.
"""

_COUNTED = "every session of the account but the one that cut; those of rotator's other workers are among them"
_ANSWER = re.compile(r"^rotator: cut=(\d+) left=(\d+) elsewhere=(\d+)$", re.MULTILINE)


def may_cut(printed: str) -> bool | None:
    """Read what ASK_SESSIONS printed; None where the host did not carry it out."""
    if "rotator: may cut" in printed:
        return True
    return False if "rotator: may not cut" in printed or "rotator: no sshd process found" in printed else None


def answer(cut: int) -> str:
    """Return what the command prints when `cut` sessions ended, for a server that carries it out itself."""
    return f"rotator: cut={cut} left=0 elsewhere=0\n"


def facts(printed: str) -> dict[str, str]:
    """Read what the command printed: how many sessions ended, and how many live at another sshd of the machine.

    Raises Rejected("sessions_left") when some did not end, Rejected("cannot_cut_sessions") when the host did not
    carry the command out (a restricted shell, a forced command, a system without /proc).
    """
    found = _ANSWER.search(printed)
    if found is None:
        raise Rejected("cannot_cut_sessions", "the host did not carry out the command; the account needs a POSIX shell")
    cut, left, elsewhere = found.groups()
    if left != "0":
        raise Rejected("sessions_left", f"{left} sessions did not end, {cut} did")
    return {"sessions_cut": cut, "sessions_at_another_sshd": elsewhere, "counted": _COUNTED}
