"""Crash states started for real: what was found stays, and what is given out from there on is new."""

import json
import signal
import urllib.request

from .record import Server

PROBE = "probe"


def put_probe(server):
    """A durable change; the revision that it got."""
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/containers/{PROBE}", b"{}",
                                     {"Content-Type": "application/json"}, method="PUT")
    with urllib.request.urlopen(request, timeout=20) as reply:
        return int(reply.headers["ETag"].strip('"'))


def look(checker, root):
    said = json.loads(checker.check([root])[0])
    if not said["ok"]:
        raise RuntimeError(said["error"])
    return said


def start_for_real(tallyd, row, sample, name, checker):
    """Start, write, kill -9, check.  What is wrong with it."""
    root, wrong = f"{sample.where}/{name}", []
    before = look(checker, root)
    server = Server(tallyd, root, row.options)
    try:
        revision = put_probe(server)
    finally:
        server.end(signal.SIGKILL)
    after = look(checker, root)
    kept = [c for c in after["containers"] if c["id"] != PROBE]
    if kept != before["containers"]:
        wrong.append("a real start changed what was found: "
                     f"{json.dumps(before)[:300]} became {json.dumps(after)[:300]}")
    if len(kept) + 1 != len(after["containers"]):
        wrong.append("the change that a real start took is not there")
    if revision <= sample.point.shown:
        wrong.append(f"a real start gave out revision {revision}, but {sample.point.shown} was shown before the crash")
    if int(after["revision"]) < max(revision, int(before["revision"])):
        wrong.append(f"revisions went back to {after['revision']}")
    return wrong
