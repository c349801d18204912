"""The clients: what each named workload asks for, and how it waits for the server to settle."""

import http.client
import itertools
import json
import os
import random
import threading
import time

from .oracle import CREATE, DELETE, PATCH, Change, creation_body, patch_body

SMALL, LARGE = (20, 200, 700), (5000, 9000, 12000)
SETTLE_SECONDS = 10
RETRY_SECONDS = 1.5  # the server tries again after one what has failed
NAP_SECONDS, NAPS = 0.05, 40
METHODS = {CREATE: "PUT", PATCH: "PATCH", DELETE: "DELETE"}


# What is asked for, and which share of the writes; after each the checkpoints are waited for.
MIXED = (("any", 0.5), ("any", 0.5))
# A deletion of which nothing speaks any more: on its own it is checkpointed, and then its segment is left behind.
FORGOTTEN = (("any", 0.5), (DELETE, 0.01), (PATCH, 0.25), (DELETE, 0.01), (PATCH, 0.25))
MADE = ((CREATE, 0.2), (PATCH, 0.8))
CHANGED = ((PATCH, 0.6), (PATCH, 0.4))
# How a server ends: when all is written; under load; in order; as soon as a checkpoint file has been renamed, or a
# container's directory removed, which is then most likely not synced.
KILL, BUSY, TERM, RENAMED, REMOVED = "kill", "busy", "term", "renamed", "removed"
SLOW = ("fsync:delay_enter=10000",)  # microseconds: so that there is time to kill it
CROWDED = "pwrite64:delay_enter=2000"  # so that one batch holds what several asked for


class Row:
    """A workload.

    <lives>: how each server ends, and what it is asked for until then.  <inject>: for strace; <fails>: the disk fails,
    and clients must bear it.  <recovers>: states of it are started under strace with this workload, and the crashes of
    that start are explored too.  <pace>: seconds between changes, so that checkpoints are written among them."""

    def __init__(self, writes, threads=1, containers=5, delete_every=5, relaxed=0, sizes=SMALL, lives=((KILL, MIXED),),
                 inject=(), fails=False, root_is_there=True, recovers=None, pace=0):
        self.writes, self.threads, self.containers, self.delete_every = writes, threads, containers, delete_every
        self.relaxed, self.sizes, self.lives, self.inject, self.fails = relaxed, sizes, lives, inject, fails
        self.root_is_there, self.recovers, self.pace = root_is_there, recovers, pace
        self.options = ("--segment-bytes", "64K")


def failing(call, when, *slow):
    return Row(40, threads=2, containers=2, relaxed=0.4, inject=(f"{call}:error=EIO:when={when}", *slow), fails=True)


def ending(*how):
    return tuple((end, MIXED) for end in how)


ROWS = {
    "writes": Row(45),
    "deletes": Row(64, containers=4, delete_every=3, lives=((KILL, FORGOTTEN),)),
    "relaxed": Row(45, relaxed=1, pace=0.02, lives=((KILL, (("any", 1),)),)),
    "mixed": Row(48, relaxed=0.6, delete_every=5),
    "threads": Row(60, threads=3, containers=4, relaxed=0.3),
    "segments": Row(40, containers=4, sizes=LARGE, relaxed=0.2, delete_every=6, lives=((KILL, FORGOTTEN),)),
    "first-start": Row(6, containers=2, delete_every=3, root_is_there=False),
    "three-starts": Row(48, containers=4, relaxed=0.5, delete_every=5, threads=2, lives=ending(BUSY, KILL, TERM)),
    "killed-relaxed": Row(30, containers=3, relaxed=1, inject=SLOW, lives=ending(BUSY, BUSY, KILL)),
    "killed-renamed": Row(44, containers=3, inject=SLOW, lives=((RENAMED, MADE), (KILL, CHANGED))),
    "killed-removed": Row(44, containers=3, inject=SLOW, lives=((REMOVED, MADE), (KILL, CHANGED))),
    "stops": Row(36, containers=4, relaxed=0.5, delete_every=5, lives=ending(TERM, TERM, BUSY)),
    "recovery": Row(36, containers=4, relaxed=0.6, delete_every=4, recovers=Row(10, relaxed=0.5, delete_every=4)),
    "eio-3": failing("fdatasync", "3"),
    "eio-5": failing("fdatasync", "5"),
    "eio-8-9": failing("fdatasync", "8..9"),
    "eio-often": failing("fdatasync", "3+4", CROWDED),
    "eio-from-6": failing("fdatasync", "6+"),
    "eio-fsync-3": failing("fsync", "3"),
    "eio-fsync-5": failing("fsync", "5"),
    "eio-fsync-8-9": failing("fsync", "8..9"),
    "eio-fsync-from-6": failing("fsync", "6+"),
}


CORE = ("writes", "deletes", "mixed", "relaxed", "first-start", "segments")


class Subject:
    """A container as its client knows it.  Whoever does not know what became of a change goes on with another id."""

    def __init__(self, name, version=0, revision=None):
        self.name, self.version, self.exists, self.revision = name, version, revision is not None, revision


class Clients:
    """All clients of a workload, over all lives of the server."""

    def __init__(self, row, seed, subjects=None):
        self.row, self.random = row, random.Random(seed)
        self.changes, self.numbers = [], itertools.count(1)
        self.noted = threading.Condition()
        self.subjects = subjects or [[Subject(f"c{thread}-{i}.{'x' * (3 * i)}") for i in range(row.containers)]
                                     for thread in range(row.threads)]
        self.failures = []
        self.refusals = []  # (container, revision), as refusals told it

    def run(self, port, writes, kind="any", until=None):
        """Let every thread make its share of changes.  <until>: an event after which a server may be gone."""
        share = max(1, writes // self.row.threads)
        threads = [threading.Thread(target=self.guarded,
                                    args=(port, subjects, share, kind, self.random.getrandbits(40), until))
                   for subjects in self.subjects]
        for thread in threads:
            thread.start()
        return threads

    def guarded(self, port, subjects, share, kind, seed, until):
        try:
            Client(self, port, subjects, seed).run(share, kind, until)
        except Exception as fault:  # a client that dies silently would make the run prove less than it says
            self.failures.append(fault)
            raise

    def note(self, subject, kind, relaxed):
        with self.noted:
            change = Change(subject.name, subject.version, kind, relaxed, f"w{next(self.numbers)}")
            self.changes.append(change)
            self.noted.notify_all()
            return change

    def next_changed(self, watcher):
        """Wait for the next change; the container it is about, or None at the end."""
        with self.noted:
            count = len(self.changes)
            self.noted.wait_for(lambda: watcher.ended or len(self.changes) > count)
            return None if watcher.ended else self.changes[-1].container

    def settle(self, root, patient, pause=0.02):
        """Wait until the checkpoint files are those of the last answers: everything in the background has happened.

        On a failing disk that may never be; then wait until what failed was tried again."""
        end = time.monotonic() + (SETTLE_SECONDS if patient else RETRY_SECONDS)
        waiting = [s for subjects in self.subjects for s in subjects if s.version]
        while waiting and time.monotonic() < end:
            waiting = [s for s in waiting if not is_settled(root, s)]
            if waiting:
                time.sleep(pause)
        if waiting and patient:
            raise TimeoutError("not checkpointed in time: " + ", ".join(s.name for s in waiting))


def is_settled(root, subject):
    directory = f"{root}/containers/{subject.name}"
    if not subject.exists:
        return not os.path.exists(directory)
    try:
        with open(directory + "/status", "rb") as file:
            return b'"Revision":%d,' % (subject.revision or 0) in file.read()
    except OSError:
        return False


class Connection:
    """One connection, made when it is needed."""

    def __init__(self, port):
        self.port, self.connection = port, None

    def ask(self, method, path, body, **headers):
        """(status, ETag, body); status 0 when the server is gone."""
        if not self.connection:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body:
            headers["Content-Type"] = "application/json"
        try:
            self.connection.request(method, path, body, headers)
            reply = self.connection.getresponse()
            return reply.status, reply.headers.get("ETag"), reply.read()
        except TimeoutError:
            raise
        except (http.client.HTTPException, OSError):
            self.close()
            return 0, None, b""

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Watcher:
    """Asks for changes that are always refused, of what others are changing just now, and keeps what the refusals say:
    a revision that a failed disk has taken back must not be told."""

    def __init__(self, clients, port):
        self.clients, self.connection = clients, Connection(port)
        self.ended = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while name := self.clients.next_changed(self):
            _, etag, _ = self.connection.ask("PATCH", f"/containers/{name}/status", '{"message":"never"}',
                                             If_Match='"0"')
            if etag:
                self.clients.refusals.append((name, int(etag.strip('"'))))
        self.connection.close()

    def end(self):
        self.ended = True
        with self.clients.noted:
            self.clients.noted.notify_all()
        self.thread.join()


class Client:
    """One thread: one connection, its own containers, one request at a time."""

    def __init__(self, clients, port, subjects, seed):
        self.clients, self.row, self.subjects = clients, clients.row, subjects
        self.random, self.naps = random.Random(seed), NAPS
        self.connection = Connection(port)

    def run(self, share, kind, until):
        for turn in range(share):
            if until and until.is_set() or not self.turn(turn, kind):
                break
            if self.row.pace:
                time.sleep(self.row.pace)
        self.connection.close()

    def turn(self, turn, kind):
        """One change; False when the server is gone."""
        present = [s for s in self.subjects if s.exists]
        if kind == CREATE and len(present) < len(self.subjects):
            return self.change(next(s for s in self.subjects if not s.exists), CREATE)
        if present and kind != "any":
            return self.change(self.random.choice(present), DELETE if kind == DELETE else PATCH)
        if present and turn % self.row.delete_every == self.row.delete_every - 1:
            return self.change(self.random.choice(present), DELETE)
        subject = self.random.choice(self.subjects)
        return self.change(subject, PATCH if subject.exists else CREATE)

    def change(self, subject, kind):
        relaxed = self.random.random() < self.row.relaxed
        subject.version += 1
        change = self.clients.note(subject, kind, relaxed)
        query = ["sync=false"] * relaxed + ["force=true"] * (kind == DELETE)
        path = f"/containers/{subject.name}" + "/status" * (kind == PATCH) + "?" * bool(query) + "&".join(query)
        body = None
        if kind != DELETE:
            make = creation_body if kind == CREATE else patch_body
            body = json.dumps(make(subject.name, subject.version, self.row.sizes))
        status, etag, text = self.connection.ask(METHODS[kind], path, body, X_Request_Id=change.request,
                                                 Prefer="return=minimal")
        change.told = status
        self.learn(subject, kind, status, etag, text)
        return status != 0

    def learn(self, subject, kind, status, etag, text):
        if status in (200, 201, 204):
            subject.exists = kind != DELETE
            subject.revision = int(etag.strip('"')) if etag else None
        elif status == 0 or b'"outcome":"unknown"' in text:
            place = self.subjects.index(subject)
            self.subjects[place] = Subject(subject.name + "n")
        elif status in (503, 507) and self.row.fails:
            # Read-only it tries again every second: there is nothing to wait for but that.
            if self.naps and b"read-only" in text:
                self.naps -= 1
                time.sleep(NAP_SECONDS)
        else:
            raise AssertionError(f"{kind} of {subject.name}: {status} {text[:300]!r}")
