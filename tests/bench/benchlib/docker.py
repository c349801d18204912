"""Docker Engine's API, when dockerd is installed: the same two questions, one container and the list.

An engine does far more than keep metadata, so this says how far apart the two are and is no target.  It runs as a plain
process of root on a unix socket in a place of its own: no bridge, no iptables, no registry.  Its containers are created,
never started."""

import http.client
import io
import json
import os
import pathlib
import shutil
import socket
import tarfile
import tempfile
import time

from .generator import Shape
from .host import NotMeasured, find
from .ids import container_id
from .rounds import measure_all, on_server
from .servers import Server

CONTAINERS = 100
START_SECONDS = 60
API = "/v1.41"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Engine(Server):
    def __init__(self, processors):
        super().__init__("Docker Engine", processors)
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="dk-"))  # short: a socket's path ends at 107 bytes
        self.unix = str(self.base / "docker.sock")

    def start(self):
        settings = {"data-root": str(self.base / "root"), "exec-root": str(self.base / "exec"),
                    "pidfile": str(self.base / "pid"), "hosts": ["unix://" + self.unix], "iptables": False,
                    "ip6tables": False, "ip-forward": False, "bridge": "none", "storage-driver": "vfs", "group": "root"}
        (self.base / "daemon.json").write_text(json.dumps(settings), encoding="utf-8")
        with open(self.base / "log", "wb") as log:
            self.launch([find("dockerd"), "--config-file", str(self.base / "daemon.json")], stdout=log, stderr=log)
        end = time.monotonic() + START_SECONDS
        while not self.answers():
            if time.monotonic() > end or not self.alive():
                last = (self.base / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
                raise NotMeasured("dockerd does not come up: " + "".join(last))
            time.sleep(0.1)

    def answers(self):
        try:
            return self.request("GET", "/_ping")[0] == 200
        except OSError:
            return False

    def stop(self):
        super().stop()
        shutil.rmtree(self.base, ignore_errors=True)

    def request(self, method, path, body=None, headers=None):
        connection = UnixConnection(self.unix)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def need(self, method, path, body, media_type):
        status, _, answer = self.request(method, API + path, body, {"Content-Type": media_type})
        if status not in (200, 201):
            raise NotMeasured(f"Docker Engine: {method} {path} answers {status}: {answer[:200]!r}")
        return answer

    def create_containers(self, count):
        """An image of one file, and containers that bear as much metadata as ours; the id of the first."""
        image = io.BytesIO()
        with tarfile.open(fileobj=image, mode="w") as tar:
            tar.addfile(tarfile.TarInfo("true"))
        self.need("POST", "/images/create?fromSrc=-&repo=localhost/empty&tag=1", image.getvalue(), "application/x-tar")
        body = json.dumps({"Image": "localhost/empty:1", "Cmd": ["/true"], "Labels": {"app": "bench"},
                           "HostConfig": {"NetworkMode": "none"}})
        made = [json.loads(self.need("POST", "/containers/create", body, "application/json"))["Id"] for _ in range(count)]
        return made[0]


def compare(bench, title, servers, shapes, counts):
    made = [on_server(bench.apart, server, shape, bench.seconds) for server, shape in zip(servers, shapes)]
    measured = measure_all(made, counts, min(bench.rounds, 3), bench.report.note)
    bench.report.table(title, measured, "Docker Engine")


def run(bench):
    if not find("dockerd") or os.geteuid() != 0:
        bench.report.say("\nSKIP Docker Engine: needs dockerd (package docker.io) and root")
        return
    where = bench.processors.server
    engine = Engine(where)
    tallyd = bench.server("tallyd", bench.fresh("docker"), "memory", where)
    with bench.running(engine, tallyd):
        first = engine.create_containers(CONTAINERS)
        bench.populate(tallyd, CONTAINERS)
        compare(bench, "GET one container, Docker Engine beside tallyd", (engine, tallyd),
                (Shape(path=f"{API}/containers/{first}/json"), Shape(path="/containers/" + container_id(7))), (1, 64))
        compare(bench, f"List of {CONTAINERS} containers, Docker Engine beside tallyd", (engine, tallyd),
                (Shape(path=f"{API}/containers/json?all=1"), Shape(path=f"/containers?limit={CONTAINERS}")), (1, 16))


def run_yardsticks(bench):
    """The engine alone."""
    if not find("dockerd") or os.geteuid() != 0:
        return
    engine = Engine(bench.processors.server)
    with bench.running(engine):
        first = engine.create_containers(3)
        compare(bench, "GET one container", (engine,), (Shape(path=f"{API}/containers/{first}/json"),), (1, 64))
