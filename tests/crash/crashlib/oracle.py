"""What the clients know: what they asked, in which order, and what they were told.

Every value is a function of the container's id and a version, so that it can be computed again from what is found."""

import bisect
import hashlib

from .trace import NotUnderstood

NOWHERE = float("inf")
CREATE, PATCH, DELETE = "create", "patch", "delete"
TIME = "2026-01-01T00:00:00.{:09d}Z"


def filler(container, version, sizes):
    seed = f"{container}/{version}".encode()
    size = sizes[hashlib.sha256(seed).digest()[0] % len(sizes)]
    return f"{container} {version} " + hashlib.shake_128(seed).hexdigest(size // 2)


def creation_body(container, version, sizes):
    return {"name": f"{container}.{version}", "sandboxId": f"pod-{version % 3}", "imageRef": f"image:{version}",
            "logPath": f"/log/{container}/{version}",
            "config": {"labels": {"version": str(version)}, "n": version},
            "status": {"createdAt": TIME.format(version), "startedAt": TIME.format(version + 1)} |
            patch_body(container, version, sizes)}


def patch_body(container, version, sizes):
    return {"pid": 1000 + version, "reason": f"r{version}", "message": filler(container, version, sizes)}


def expected(container, creation, version, sizes):
    """The whole container as it is to be shown, but for its two revisions."""
    body = creation_body(container, creation, sizes)
    status = {"state": "CONTAINER_RUNNING", "finishedAt": None, "exitCode": 0, "removing": False,
              "resources": None}
    return body | {"id": container, "status": body["status"] | patch_body(container, version, sizes) | status}


class Change:
    """One thing that was asked for.  <required>: from there on it has to be found, or something newer."""

    __slots__ = ("container", "version", "kind", "relaxed", "request", "creation", "taken", "answered", "status",
                 "revision", "refused", "required", "told")

    def __init__(self, container, version, kind, relaxed, request):
        self.container, self.version, self.kind, self.relaxed, self.request = container, version, kind, relaxed, request
        self.creation = self.revision = None
        self.taken = self.answered = self.required = NOWHERE
        self.status, self.refused = 0, False
        self.told = 0  # the status that the client saw; 0: none

    def counts(self):
        return self.status in (200, 201, 204)

    def __str__(self):
        told = f"answered {self.status}" if self.status else "without an answer"
        return f"{self.kind} {self.version}{' (sync=false)' if self.relaxed else ''} {told}, revision {self.revision}"


def is_refused(answer):
    """Certainly not done; what is unknown is neither that nor done."""
    return 400 <= answer.status < 500 or answer.status == 507 or (
        answer.status == 503 and b'"outcome":"unknown"' not in answer.text)


class Line:
    """The changes of one container in their order, searched by where and by revision.

    What was refused for a failing disk stays in it, since until the refusal was given it may be found; what was
    refused by a rule does not.  Place 0 is what there was in the beginning; None: nothing."""

    def __init__(self, first=None):
        self.changes = [first]
        self.creation = first.creation if first else None

    def add(self, change):
        if 400 <= change.status < 500:
            return
        if change.kind == CREATE:
            change.creation = change.version
            if not change.refused:
                self.creation = change.version
        else:
            change.creation = self.creation
        self.changes.append(change)

    def close(self):
        """Everything is known: make the tables."""
        self.taken = [c.taken if c else -1 for c in self.changes]
        self.places = {c.version: place for place, c in enumerate(self.changes) if c and c.kind != DELETE}
        self.absent = [place for place, c in enumerate(self.changes) if c is None or c.kind == DELETE]
        self.required, self.least = running(
            (c.required, place) for place, c in enumerate(self.changes) if c and c.required != NOWHERE)
        counting = [(place, c) for place, c in enumerate(self.changes) if c and c.counts()]
        self.answered, self.told = running((c.answered, place) for place, c in counting)
        self.revisions, self.revised = running((c.revision, place) for place, c in counting if c.revision is not None)

    def due(self, at, machine_goes_on):
        """The place that has to be reached by then."""
        if machine_goes_on:
            return look_up(self.answered, self.told, at, True)
        return look_up(self.required, self.least, at, True)

    def last_taken(self, at):
        """The last place whose request had come by then."""
        return bisect.bisect_right(self.taken, at) - 1

    def may_be(self, place, at):
        change = self.changes[place]
        return change is None or not change.refused or at < change.answered


def running(pairs):
    """Sorted keys, and beside each the largest place so far."""
    keys, places = [], []
    for key, place in sorted(pairs):
        keys.append(key)
        places.append(max(place, places[-1] if places else 0))
    return keys, places


def look_up(keys, places, key, inclusive):
    at = (bisect.bisect_right if inclusive else bisect.bisect_left)(keys, key)
    return places[at - 1] if at else 0


class Oracle:
    """All lines, and which revisions were shown when."""

    def __init__(self, sizes, baseline=(), shown=0):
        self.sizes, self.known = sizes, {}
        self.lines = {change.container: Line(change) for change in baseline}
        self.shown_at, self.shown = [-1], [shown]

    def learn(self, changes, wire, durable_from):
        for change in changes:
            self.match(change, wire, durable_from)
            self.lines.setdefault(change.container, Line()).add(change)
        for line in self.lines.values():
            line.close()
        for at, revision in sorted(wire.shown):
            self.shown_at.append(at)
            self.shown.append(max(revision, self.shown[-1]))

    @staticmethod
    def match(change, wire, durable_from):
        answer = wire.answers.get(change.request)
        change.taken = wire.taken.get(change.request, NOWHERE)
        if answer:
            change.answered, change.status, change.revision = answer.at, answer.status, answer.revision
            change.refused = is_refused(answer)
        if change.told and (change.told != change.status or change.taken == NOWHERE):
            raise NotUnderstood(f"{change.request} was answered {change.told}; the trace shows {change}")
        if change.counts():
            change.required = durable_from(answer.at) if change.relaxed else answer.at

    def shown_before(self, at):
        return self.shown[bisect.bisect_right(self.shown_at, at) - 1]

    def value(self, container, creation, version):
        key = container, creation, version
        if key not in self.known:
            self.known[key] = expected(container, creation, version, self.sizes)
        return self.known[key]

    def revisions_in_order(self):
        """Complaints: of two changes the one that was asked for after the other's answer has to have the higher one."""
        changes = [c for line in self.lines.values() for c in line.changes
                   if c and c.counts() and c.revision is not None]
        answered, newest = running((c.answered, c.revision) for c in changes)
        return [f"{c.container}: {c}, but {before} was given out before" for c in changes
                if (before := look_up(answered, newest, c.taken, False)) >= c.revision]
