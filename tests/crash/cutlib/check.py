"""What a root holds after a cut, against what was acknowledged before it."""

import json
import subprocess
from collections import namedtuple

from .load import State, value

CHECK_SECONDS = 60

# lost: acknowledged changes that are not there; wrong: everything else that must not be
Found = namedtuple("Found", "lost wrong doubtful")


def check_root(program, root):
    """What `--check-root --json` says."""
    done = subprocess.run([str(program), "--root", str(root), "--check-root", "--json"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=CHECK_SECONDS, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError as fault:
        raise OSError(f"--check-root ends with {done.returncode}: {done.stdout}{done.stderr}") from fault


def state_of(container):
    """The state that a container shows; ValueError when it shows one that nobody asked for."""
    ident, name, message = container["id"], container["name"], container["status"]["message"]
    state = State(int(name.removeprefix("made-")), int(message.split(" ")[0]))
    if value(ident, state) != (name, message):
        raise ValueError(f"{ident} has a value that nobody wrote: {name}, {message}")
    return state


def compare_key(key, container, lost, wrong):
    """Judge one container and go on from what is there."""
    try:
        seen = container and state_of(container)
    except (ValueError, IndexError) as fault:
        wrong.append(f"{key.ident}: {fault}")
        return
    if seen not in (key.acked, key.tried):
        lost.append(f"{key.ident}: acknowledged {key.acked}, under way {key.tried}, found {seen}")
    elif container and seen == key.acked and int(container["revision"]) < key.revision:
        wrong.append(f"{key.ident}: revision {key.revision} was shown, found {container['revision']}")
    key.acked = key.tried = seen


def compare(found, ledger):
    """Judge everything found, and bring the ledger to it."""
    lost, wrong = [], []
    doubtful = sum(key.acked != key.tried for key in ledger)
    if not found["ok"]:
        return Found([], [f"the root is refused: {found['error']}"], doubtful)
    there = {container["id"]: container for container in found["containers"]}
    newest = max((key.revision for key in ledger), default=0)
    if int(found["revision"]) < newest:
        wrong.append(f"revision {newest} was shown, the store is at {found['revision']}")
    wrong += [f"{count} containers {name} by a mere cut" for name, count in found["recovery"].items()
              if name in ("unknown", "quarantined", "missing") and count]
    wrong += [f"{ident} was never made" for ident in there.keys() - {key.ident for key in ledger}]
    for key in ledger:
        compare_key(key, there.get(key.ident), lost, wrong)
    return Found(lost, wrong, doubtful)
