"""Runs the load generator of our own, and wrk for a second opinion."""

import json
import os
import re
import subprocess

from .host import NotMeasured, Processors, find


SPIN = ["--spin"] if len(os.sched_getaffinity(0)) > 1 else []  # where it has a processor of its own


class Shape:
    """What is asked: method, path, body and which containers."""

    def __init__(self, method="GET", path="/", accept=None, media_type=None, body=None, ids=1, order="own"):
        self.method, self.path, self.ids, self.order = method, path, ids, order
        self.options = []
        for name, value in (("--accept", accept), ("--type", media_type), ("--body", body)):
            if value is not None:
                self.options += [name, value]

    def arguments(self):
        return ["--method", self.method, "--path", self.path, "--ids", str(self.ids), "--order", self.order] + self.options


class Generator:
    """<processors>: where the generator runs, alone and without sleeping; None lets the scheduler choose.

    On loopback the kernel charges whoever sends for waking whoever sleeps: a server that is slower than the generator
    would pay for that with each reply, and one that keeps the generator busy would not."""

    def __init__(self, program, processors=None):
        self.program = str(program)
        self.processors = processors
        self.seed = 0

    def run(self, server, shape, connections, seconds, warmup=0.2, max_requests=0):
        """One run; the dictionary that load prints.  Each run has another seed, in the order of the runs."""
        self.seed += 1
        where = ["--unix", server.unix] if server.unix else ["--port", str(server.port)]
        pids = [word for pid in server.pids() for word in ("--pid", str(pid))]
        command = [self.program, *where, *pids, "--connections", str(connections), "--seed", str(self.seed),
                   "--warmup-ms", str(int(warmup * 1000)), "--duration-ms", str(int(seconds * 1000)),
                   "--max-requests", str(max_requests), *shape.arguments()]
        # a distinct run number goes into what changes, so that no change repeats one of an earlier run
        command = [word.replace("@RUN@", str(self.seed)) for word in command]
        if self.processors:
            command = Processors.pinned(command + SPIN, self.processors)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=seconds + warmup + 60, check=False)
        if done.returncode != 0:
            raise NotMeasured(f"{server.name}: {done.stderr.strip()}")
        return json.loads(done.stdout)


def wrk_rate(server, path, connections, seconds, processors):
    """Requests per second as wrk counts them; None when wrk is not there or anything went wrong."""
    program = find("wrk")
    if not program:
        return None
    command = [program, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s",
               f"http://127.0.0.1:{server.port}{path}"]
    done = subprocess.run(Processors.pinned(command, processors), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          timeout=seconds + 60, check=False)
    found = re.search(r"Requests/sec:\s*([0-9.]+)", done.stdout)
    bad = re.search(r"Non-2xx|Socket errors", done.stdout)
    return float(found.group(1)) if found and not bad else None
