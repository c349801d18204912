"""What every scenario needs: programs, places, sizes, and containers to work on."""

import contextlib
import json
import shutil
import time

from .generator import Generator, Shape
from .host import NotMeasured
from .servers import Tallyd, Yardstick

DOCUMENT_BYTES = 600  # of GET /containers/{id}, as near as padding brings it
SETTLE_SECONDS = 240


class Bench:
    def __init__(self, report, processors, tallyd, out, quick, rounds, seconds, counts):
        self.report, self.processors, self.tallyd, self.out = report, processors, tallyd, out
        self.quick, self.rounds, self.seconds, self.counts = quick, rounds, seconds, counts
        self.place = out / "work"
        self.apart = Generator(out / "load", processors.generator)
        self.together = Generator(out / "load")
        self.padding = None

    def fresh(self, name):
        """An empty directory of that name."""
        path = self.place / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def yardstick(self, name, options, processors=None, mode=None):
        return Yardstick(name, self.out / "yardstick", mode or name, options, processors)

    def server(self, name, root, backend="disk", processors=None):
        """Pinned to <processors> it gets a loop for each, as nginx and the yardsticks get theirs."""
        options = ("--loops", str(len(processors))) if processors else ()
        return Tallyd(name, self.tallyd, root, backend, processors, options)

    def create_body(self, identity="@ID@", name="bench-@SEQ@"):
        return json.dumps({"id": identity, "name": name, "imageRef": "bench/image:1.27",
                           "config": {"labels": {"app": "bench"}, "padding": "x" * (self.padding or 0)},
                           "status": {"state": "CONTAINER_RUNNING", "pid": 4711}}, separators=(",", ":"))

    def choose_padding(self, server):
        """So that a document has DOCUMENT_BYTES: looks at one without padding, and removes it again."""
        if self.padding is not None:
            return
        probe = "f" * 64
        status, _, body = server.request("POST", "/containers", self.create_body(probe, "bench-000000000000"),
                                         {"Content-Type": "application/json"})
        if status != 201:
            raise NotMeasured(f"{server.name}: POST /containers answers {status}: {body[:200]!r}")
        _, _, body = server.request("GET", "/containers/" + probe)
        self.padding = max(0, DOCUMENT_BYTES - len(body))
        server.request("DELETE", "/containers/" + probe + "?force=true")

    def populate(self, server, count):
        """Create containers 0 .. count - 1; seconds it took."""
        self.choose_padding(server)
        shape = Shape("POST", "/containers", media_type="application/json", body=self.create_body(), ids=count,
                      order="sequence")
        done = self.together.run(server, shape, 64, 300, warmup=0, max_requests=count)
        if done["errors"] or done["non_2xx"] or done["requests"] != count:
            raise NotMeasured(f"{server.name}: creating {count} containers: {done}")
        return done["seconds"]

    def settle(self, server):
        """Wait until the checkpoints have caught up with the journal, so that nothing runs in the background."""
        end = time.monotonic() + SETTLE_SECONDS
        calm = 0
        while time.monotonic() < end:
            lag = server.metrics().get("tallyd_checkpoint_lag_seconds", 0)
            calm = calm + 1 if lag == 0 else 0
            if calm == 3:
                return
            time.sleep(0.2)
        self.report.note(f"{server.name}: checkpoints still lag after {SETTLE_SECONDS} s")

    @contextlib.contextmanager
    def running(self, *servers):
        """Start the servers in order; stop them in reverse, whatever happens."""
        with contextlib.ExitStack() as stack:
            for server in servers:
                stack.callback(server.stop)
                server.start()
            yield
