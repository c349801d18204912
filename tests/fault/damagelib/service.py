"""tallyd as the damage test uses it: started for real, asked for everything, killed; and as a checker of roots."""

import http.client
import json
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
from benchlib.host import NotMeasured  # noqa: E402  (the benchmark's, which starts and stops it as well)
from benchlib.servers import Tallyd  # noqa: E402

OPTIONS = ("--segment-bytes", "64K")
WAIT_SECONDS = 20


class Client:
    """Requests over one connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)

    def ask(self, method, path, body=None):
        headers = {"Content-Type": "application/json", "Accept": "application/json, application/x-ndjson;q=0.5"}
        self.connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
        reply = self.connection.getresponse()
        data = reply.read()
        return reply.status, json.loads(data) if data.strip() else None

    def good(self, method, path, body=None):
        status, value = self.ask(method, path, body)
        if status not in (200, 201, 204):
            raise RuntimeError(f"{method} {path}: {status} {value}")
        return value

    def containers(self):
        self.connection.request("GET", "/containers", headers={"Accept": "application/x-ndjson"})
        lines = self.connection.getresponse().read().splitlines()
        return {c["id"]: c for c in map(json.loads, lines)}

    def close(self):
        self.connection.close()


class Service(Tallyd):
    def __init__(self, program, root, *options):
        super().__init__("tallyd", program, root, options=OPTIONS + options)
        self.client = None

    def launch(self, command, **popen):
        super().launch(command, errors="replace", **popen)

    def start(self):
        super().start()
        self.client = Client(self.port)
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        """Whatever went wrong, the process ends."""
        if self.process is not None:
            self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None
        self.end()

    def stop(self):
        status = super().stop()
        if status != 0:
            raise RuntimeError(f"tallyd ended with {status}: " + " | ".join(self.lines[-3:]))
        self.end()

    def end(self):
        self.client.close()
        self.reader.join()

    def wait_for_writes(self):
        wait(lambda: self.client.ask("DELETE", "/containers/nobody")[0] == 204, "writes")

    def wait_for(self, metric, value):
        wait(lambda: self.metrics().get(metric) == value, f"{metric} = {value}")


def wait(is_so, what):
    end = time.monotonic() + WAIT_SECONDS
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError("waited in vain for " + what)
        time.sleep(0.005)


class Checker:
    """One `--check-root --batch`: a directory in, its verdict out."""

    def __init__(self, program, log):
        self.process = subprocess.Popen([str(program), "--check-root", "--batch", *OPTIONS], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=log, text=True)

    def check(self, place):
        self.process.stdin.write(f"{place}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def check_once(program, place, *options):
    """(verdict, what it said) of a check in a process of its own."""
    done = subprocess.run([str(program), "--root", str(place), "--check-root", "--json", *OPTIONS, *options],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                          timeout=WAIT_SECONDS, check=False)
    if not done.stdout:
        return {"ok": False, "exit": done.returncode, "error": done.stderr or "it said nothing"}, done.stderr
    return json.loads(done.stdout), done.stderr
