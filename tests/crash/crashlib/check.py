"""The service's own verdict on an image, and ours on the verdict."""

import json
import os
import subprocess

from .oracle import DELETE, look_up

BY_A_CRASH_NEVER = ("unknown", "quarantined", "missing")


class Checker:
    """One `tallyd --check-root --batch`: directories in, verdicts out."""

    def __init__(self, tallyd, log):
        self.process = subprocess.Popen([tallyd, "--check-root", "--json", "--batch"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=log)

    def check(self, roots):
        """The lines for these roots.  Few at a time: what is asked must fit into the pipe."""
        self.process.stdin.write("".join(root + "\n" for root in roots).encode())
        self.process.stdin.flush()
        return [self.process.stdout.readline() for _ in roots]

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(30)


def twice(checker, wheres, name):
    """[Verdict] of these images.  Where the root is missing nobody would look; a start would make it anew."""
    roots = [f"{where}/{name}" for where in wheres]
    there = [root for root in roots if os.path.isdir(root)]
    lines = checker.check(there + there)
    first, second = dict(zip(there, lines)), dict(zip(there, lines[len(there):]))
    return [Verdict(first[root], second[root]) if root in first else Verdict(NO_ROOT, NO_ROOT) for root in roots]


NO_ROOT = b'{"ok":true,"exit":0,"revision":"0","recovery":{},"containers":[]}'


class Verdict:
    """What recovery said about an image, held against what the clients know, as far as no point in time matters."""

    def __init__(self, first, second):
        self.faults, self.places, self.need, self.revision = [], {}, {}, 0
        self.revisions, self.has_root = {}, first is not NO_ROOT
        try:
            said = json.loads(first)
        except ValueError:
            said = {"ok": False, "error": f"no answer: {first[:200]!r}"}
        self.said = said
        if not said["ok"]:
            self.faults.append(f"recovery failed: {said['error']}")
            return
        self.revision = int(said["revision"])
        if first != second:
            self.faults.append("a second recovery gives something else")
        for name in BY_A_CRASH_NEVER:
            if said["recovery"].get(name):
                self.faults.append(f"{said['recovery'][name]} {name} by a mere crash")

    def read(self, oracle):
        """Find each container's place in its line, and what must be there because something later is."""
        for container in self.said.pop("containers", ()):
            fault = self.place(oracle, container)
            if fault:
                self.faults.append(f"{container.get('id')}: {fault}")
        found = [oracle.lines[id].changes[place] for id, place in self.places.items()]
        found = [change for change in found if change]
        newest = max((change.revision or 0 for change in found), default=0)
        latest = max((change.taken for change in found), default=-1)
        for id, line in oracle.lines.items():
            self.need[id] = max(look_up(line.revisions, line.revised, newest, False),
                                look_up(line.answered, line.told, latest, False))

    def place(self, oracle, container):
        line = oracle.lines.get(container["id"])
        if line is None:
            return "nobody made it"
        shown, revision = value_of(container)
        try:
            version = int(shown["status"]["message"].split(" ")[1])
        except (IndexError, ValueError, AttributeError):
            return f"nobody wrote {shown['status']}"
        place = line.places.get(version)
        if place is None:
            return f"version {version} was never sent, or was refused"
        change = line.changes[place]
        if shown != oracle.value(container["id"], change.creation, version):
            return f"version {version} is not as it was sent: {json.dumps(shown)[:400]}"
        if change.revision is not None and change.counts() and revision != str(change.revision):
            return f"version {version} has revision {revision}, its answer said {change.revision}"
        self.places[container["id"]] = place
        self.revisions[container["id"]] = int(container["revision"])
        return None


def value_of(container):
    """(the container without its revisions, the revision)."""
    shown = {name: value for name, value in container.items() if name != "revision"}
    shown["status"] = {name: value for name, value in container["status"].items() if name != "revision"}
    if container["status"]["revision"] != container["revision"]:
        return shown, f"{container['revision']} (status: {container['status']['revision']})"
    return shown, container["revision"]


class Point:
    """What has to hold at one point of the stream."""

    def __init__(self, oracle, at, machine_goes_on=False):
        self.at, self.oracle = at, oracle
        self.bounds = [(id, line, line.due(at, machine_goes_on), line.last_taken(at))
                       for id, line in oracle.lines.items()]
        self.shown = oracle.shown_before(at)

    def judge(self, verdict):
        """What is wrong with this verdict, a crash at this point given."""
        if not verdict.said["ok"]:
            return verdict.faults
        wrong = list(verdict.faults)
        if verdict.revision < self.shown:
            wrong.append(f"recovered revision {verdict.revision}, but {self.shown} was shown before")
        for id, line, low, high in self.bounds:
            need = max(low, verdict.need[id])
            place = verdict.places.get(id)
            if place is None:
                place = next((p for p in reversed(line.absent) if p <= high and line.may_be(p, self.at)), -1)
                if place < need:
                    wrong.append(f"{id} is not there; {why(line, low, need)}")
            elif place < need:
                wrong.append(f"{id} has gone back to {line.changes[place]}; {why(line, low, need)}")
            elif place > high or not line.may_be(place, self.at):
                wrong.append(f"{id} has what was not asked for, or refused: {line.changes[place]}")
        return wrong


def why(line, low, need):
    change = line.changes[need]
    undone = " (undoing a deletion)" if change and change.kind == DELETE else ""
    reason = "was acknowledged" if need == low else "came before something that is there"
    return f"{change} {reason}{undone}"
