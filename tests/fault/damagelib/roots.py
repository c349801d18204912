"""Three roots of which every acknowledged value is known: stopped, sealed (killed a while after its last write), and
killed under load.  All have containers in every state, several journal segments, and an older state of each file."""

import http.client
import json
import pathlib
import random
import threading
import time

from . import files, journal
from .service import Client, Service, wait

IDS = [f"box-{n:02}" for n in range(36)]
UNKNOWN = IDS[30:32]
THREADS = 4
TURNS = 20  # under load, for each thread


class Root:
    """What lies on the disk, and what was answered about it."""

    def __init__(self, name):
        self.name = name
        self.tree = None      # {path: bytes}
        self.older = None     # the same at an earlier moment, all checkpointed
        self.answers = {}     # id: its containers as JSON, in the order in which they were acknowledged
        self.ever = {}        # the same, with those that were deleted since
        self.tried = {}       # id: the message of a write that had no answer
        self.made_again = set()
        self.segments = None

    def take(self, place):
        self.tree = files.read_tree(place)
        self.segments = journal.Journal({name.split("/")[1]: data for name, data in self.tree.items()
                                         if name.startswith("journal/") and journal.is_segment(name.split("/")[1])})
        manifest = json.loads(self.tree["journal/MANIFEST"])
        self.checkpointed = manifest["CheckpointedSeq"]
        self.proven = self.segments.proven(manifest["DurableSeq"])
        self.first_segment = manifest["FirstSegment"]
        above = [f.base_revision for f in self.segments.all_frames() if f.seq > self.proven]
        self.proven_revision = min(above, default=float("inf"))
        return self

    def answer(self, container):
        for known in (self.answers, self.ever):
            known.setdefault(container["id"], []).append(container)

    def answer_status(self, box, status):
        self.answer(dict(self.answers[box][-1], status=status, revision=status["revision"]))


# ---- what happens in a life ----

def create(client, root, box, number):
    body = {"name": f"name of {box}", "config": {"labels": {"number": str(number)}},
            "status": {"createdAt": 1000 + number, "message": f"{box} is made"}}
    root.answer(client.good("PUT", f"/containers/{box}", body))


def patch(client, root, box, body):
    root.answer_status(box, client.good("PATCH", f"/containers/{box}/status", body))


def advance(client, root, box, turn):
    """The next step in its life; messages are long enough that frames differ in size."""
    state = root.answers[box][-1]["status"]["state"]
    body = {"message": f"{box} in turn {turn} " + "x" * random.randrange(2000)}
    if state == "CONTAINER_RUNNING":
        body.update(finishedAt=3000 + turn, exitCode=turn % 200, reason="Error" if turn % 2 else "")
    elif state != "CONTAINER_UNKNOWN":
        body.update(startedAt=5000 + turn, pid=turn + 1)
    else:
        body = {"finishedAt": 4000 + turn, "exitCode": 7}
    patch(client, root, box, body)


def first_phase(client, root):
    for number, box in enumerate(IDS):
        create(client, root, box, number)
    for turn, box in enumerate(IDS[10:] + IDS[20:]):
        advance(client, root, box, turn)


def second_phase(client, root):
    """Changes to many, some deleted, some of those made again, so fast that most is in the journal alone."""
    for turn, box in enumerate(random.sample(IDS[:28], 28) + random.sample(IDS[:28], 28)):
        advance(client, root, box, 100 + turn)
    for box in IDS[32:36]:
        client.good("DELETE", f"/containers/{box}?force=true")
        del root.answers[box]
    for number, box in enumerate(IDS[32:34]):
        create(client, root, box, 500 + number)
        root.made_again.add(box)
    exited = [box for box in IDS[:28] if root.answers[box][-1]["status"]["state"] == "CONTAINER_EXITED"]
    patch(client, root, exited[0], {"removing": True})


def load(port, root, number, enough):
    """Writes until nobody is there any more: what had no answer by then may have happened or not."""
    boxes = [box for box in IDS[number * 7:number * 7 + 7] if not root.answers[box][-1]["status"]["removing"]]
    client, turn = Client(port), 0
    while True:
        box = boxes[turn % len(boxes)]
        root.tried[box] = f"{box} under load {turn} " + "y" * random.randrange(1500)
        try:
            patch(client, root, box, {"message": root.tried[box]})
        except (OSError, http.client.HTTPException, ValueError):
            return
        del root.tried[box]
        turn += 1
        if turn == TURNS:
            enough.release()


# ---- how a life ends ----

def is_sealed(place):
    """The newest frame on disk is an empty one behind the last data."""
    newest = max(p for p in pathlib.Path(place, "journal").iterdir() if journal.is_segment(p.name))
    newest = journal.Journal({newest.name: newest.read_bytes()}).newest()
    return newest is not None and bool(newest.flags & journal.SEAL)


def end_stopped(service, root, place):
    second_phase(service.client, root)
    service.stop()


def end_sealed(service, root, place):
    second_phase(service.client, root)
    wait(lambda: is_sealed(place), "the seal")
    service.kill()


def end_killed(service, root, place):
    enough = threading.Semaphore(0)
    second_phase(service.client, root)
    threads = [threading.Thread(target=load, args=(service.port, root, n, enough)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for _ in range(THREADS):
        if not enough.acquire(timeout=20):
            raise RuntimeError("a writer under load got no further")
    service.kill()
    for thread in threads:
        thread.join()


ENDS = {"stopped": end_stopped, "sealed": end_sealed, "killed": end_killed}


def make(program, place, name):
    root = Root(name)
    with Service(program, place) as service:
        first_phase(service.client, root)
        service.stop()
    for box in UNKNOWN:  # two that nobody can read any more
        status = pathlib.Path(place, "containers", box, "status")
        files.write_file(status, status.read_bytes()[:20])
    with Service(program, place) as service:
        service.wait_for_writes()
        service.wait_for("tallyd_checkpoints_waiting", 0)
        for box in UNKNOWN:
            root.answer(service.client.good("GET", f"/containers/{box}"))
        root.older = files.read_tree(place)
        ENDS[name](service, root, place)
    return root.take(place)


def usable(root):
    """The roots are what they are meant to be; else what follows would prove little."""
    if len(root.segments.segments) < (1 if root.name == "stopped" else 3):
        return f"the {root.name} root has {len(root.segments.segments)} journal segments"
    states = {answers[-1]["status"]["state"] for answers in root.answers.values()}
    if len(states) < 4 or len(root.answers) < 30:
        return f"the {root.name} root has {len(root.answers)} containers in the states {sorted(states)}"
    if root.name == "sealed" and any(f.seq > root.proven and f.records for f in root.segments.all_frames()):
        return "the sealed root has changes that nothing proves"
    return ""
