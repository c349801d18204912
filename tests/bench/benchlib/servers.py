"""The servers that are measured.  Each is started by start(), ended by stop(), and knows its port and its processes."""

import http.client
import os
import re
import socket
import subprocess
import threading
import time

from .host import NotMeasured, Processors, find

START_SECONDS = 120
STOP_SECONDS = 15


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A child process.  Subclasses say how it is started and how it shows that it listens."""

    def __init__(self, name, processors=None):
        self.name = name
        self.processors = processors
        self.process = None
        self.port = None
        self.unix = None

    def launch(self, command, **popen):
        if self.processors:
            command = Processors.pinned(command, self.processors)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **popen)

    def pids(self):
        return [self.process.pid]

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        if self.process is None:
            return None
        if self.alive():
            self.process.terminate()
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process = None
        return status

    def request(self, method, path, body=None, headers=None):
        """One request on a connection of its own: (status, headers, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def wait_for_port(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.alive():
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise NotMeasured(f"{self.name} does not listen")


class Yardstick(Server):
    """A mode of our own yardstick program."""

    def __init__(self, name, program, mode, options, processors=None):
        super().__init__(name, processors)
        self.command = [str(program), mode] + [str(option) for option in options]

    def start(self):
        self.launch(self.command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening "):
            raise NotMeasured(f"{self.name} does not start")
        self.port = int(line.split()[1])


NGINX_CONF = """\
daemon off;
{user}worker_processes {workers};
worker_rlimit_nofile 16384;
pid {place}/nginx.pid;
error_log {place}/error.log;
events {{ worker_connections 8192; }}
http {{
	access_log off;
{cache}	default_type application/json;
	keepalive_timeout 300s;
	keepalive_requests 1000000000;
	client_body_temp_path {place}/body;
	proxy_temp_path {place}/proxy;
	fastcgi_temp_path {place}/fastcgi;
	uwsgi_temp_path {place}/uwsgi;
	scgi_temp_path {place}/scgi;
	server {{
		listen 127.0.0.1:{port} backlog=4096;
		root {place}/root;
	}}
}}
"""


class Nginx(Server):
    """nginx with one static file, `/document`; configuration, temporary files and pid in a place of its own.

    As it is built, but without an access log: sendfile off, which for a small file is a third cheaper than on.  With
    <cached> it keeps the file open and does not look at it again for a minute."""

    def __init__(self, place, document, processors, cached=False):
        super().__init__("nginx, file cached" if cached else "nginx", processors)
        self.place = place
        self.cached = cached
        (place / "root").mkdir(parents=True, exist_ok=True)
        (place / "root" / "document").write_bytes(document)

    def start(self):
        program = find("nginx")
        if not program:
            raise NotMeasured("nginx is not installed")
        self.port = free_port()
        (self.place / "nginx.conf").write_text(NGINX_CONF.format(
            user="user root;\n" if os.geteuid() == 0 else "", workers=len(self.processors), place=self.place,
            cache="\topen_file_cache max=1000;\n" if self.cached else "", port=self.port), encoding="utf-8")
        self.launch([program, "-p", str(self.place), "-c", str(self.place / "nginx.conf"),
                     "-e", str(self.place / "error.log")])
        self.wait_for_port()

    def pids(self):
        master = self.process.pid
        with open(f"/proc/{master}/task/{master}/children", encoding="ascii") as children:
            return [master] + [int(pid) for pid in children.read().split()]


class Tallyd(Server):
    """The service.  ready_seconds: from exec to its `msg=ready` line."""

    def __init__(self, name, program, root, backend="disk", processors=None, options=()):
        super().__init__(name, processors)
        self.command = [str(program), "--root", str(root), "--listen", "127.0.0.1:0", "--backend", backend, *options]
        self.ready_seconds = None
        self.lines = []
        self.reader = None

    def start(self):
        began = time.monotonic()
        self.launch(self.command, stderr=subprocess.PIPE, text=True)
        deadline = threading.Timer(START_SECONDS, self.process.kill)
        deadline.start()
        try:
            self.read_until_ready()
        finally:
            deadline.cancel()
        self.ready_seconds = time.monotonic() - began
        self.reader = threading.Thread(target=self.drain, args=(self.process.stderr,), daemon=True)
        self.reader.start()

    def read_until_ready(self):
        for line in self.process.stderr:
            self.keep(line)
            found = re.search(r"msg=listening address=127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found.group(1))
            if re.search(r"msg=ready\b", line):
                return
        raise NotMeasured(f"{self.name} does not become ready: " + " | ".join(self.lines[-3:]))

    def keep(self, line):
        if len(self.lines) < 200:
            self.lines.append(line.rstrip())

    def drain(self, stream):
        for line in stream:
            self.keep(line)

    def metrics(self):
        """The samples of /metrics: {'name{labels}': value}."""
        status, _, body = self.request("GET", "/metrics")
        if status != 200:
            raise NotMeasured(f"{self.name}: /metrics answers {status}")
        samples = {}
        for line in body.decode().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = float(value)
        return samples

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise NotMeasured(f"{self.name}: no VmRSS")
