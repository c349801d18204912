"""Record a workload: the service under strace, its clients, one stream of file calls and answers."""

import os
import re
import signal
import subprocess
import threading
import urllib.request

from .model import Disk
from .oracle import DELETE, PATCH, Oracle
from .trace import read_calls
from .wire import Wire
from .workload import BUSY, REMOVED, RENAMED, TERM, Clients, Watcher

START_SECONDS = 30
WATCHERS = 3
STRACE = ["strace", "-f", "--seccomp-bpf", "-xx", "-s", "10000000", "-e", "trace=%file,%desc,%network",
          "-e", "signal=none", "-qq"]
IGNORED = frozenset(("epoll_wait", "epoll_pwait", "epoll_ctl", "poll", "ppoll"))


class Server:
    """The service, under strace when <trace> names a file."""

    def __init__(self, tallyd, root, options=(), trace=None, inject=()):
        command = [tallyd, "--root", root, "--listen", "127.0.0.1:0", *options]
        if trace:
            faults = [word for spec in inject for word in ("-e", f"inject={spec}")]
            command = STRACE + faults + ["-o", trace] + command
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.lines, self.port, self.pid, self.status = [], None, None, None
        limit = threading.Timer(START_SECONDS, self.abandon)
        limit.start()
        try:
            self.read_until_ready()
        except BaseException:
            self.abandon()
            raise
        finally:
            limit.cancel()
        self.reader = threading.Thread(target=self.lines.extend, args=(self.process.stderr,), daemon=True)
        self.reader.start()

    def abandon(self):
        """End what did not start.  strace would leave its child behind."""
        pid = self.process.pid
        if self.process.poll() is None:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
                for child in children.read().split():
                    os.kill(int(child), signal.SIGKILL)
            self.process.kill()
        self.process.wait()

    def read_until_ready(self):
        for line in self.process.stderr:
            self.lines.append(line)
            found = re.search(r"msg=listening address=127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found[1])
            found = re.search(r"msg=ready pid=(\d+)", line)
            if found:
                self.pid = int(found[1])
                return
        raise RuntimeError("the server does not become ready: " + "".join(self.lines[-5:]))

    def end(self, how):
        """KILL or TERM the service itself; strace ends with it."""
        if self.status is None:
            os.kill(self.pid, how)
            self.status = self.process.wait(START_SECONDS)
            self.reader.join(START_SECONDS)
        return self.status

    def list(self):
        """What a reader sees, and with it the revision that readers are shown."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/containers", timeout=20) as reply:
            return reply.read()


def read_tree(path):
    """What a directory holds, as the model tells it; of `lock` only that it is there."""
    tree = {}
    for entry in os.scandir(path):
        if entry.is_dir(follow_symlinks=False):
            tree[entry.name] = read_tree(entry.path)
        elif entry.name == "lock":
            tree[entry.name] = b""
        else:
            with open(entry.path, "rb") as file:
                tree[entry.name] = file.read()
    return tree


class Recording:
    """A disk, what went over the wire, and what the clients asked for.  Lives are added one after the other."""

    def __init__(self, tallyd, place, row, clients):
        self.tallyd, self.place, self.row, self.clients = tallyd, place, row, clients
        self.above = f"{place}/world"
        self.root = f"{self.above}/root"
        os.makedirs(self.above)
        self.wire = Wire()
        self.disk, self.line, self.calls = Disk(self.root), 0, 0
        self.traces = []
        self.checked = []  # (where a life ended, what a check of the root says then)

    def start(self):
        self.traces.append(f"{self.place}/trace.{len(self.traces)}")
        return Server(self.tallyd, self.root, self.row.options, self.traces[-1], self.row.inject)

    def live(self, ending, phases, writes):
        """One life of the server, from its start to its end."""
        server = self.start()
        try:
            if self.disk.ops:
                server.list()
            self.write(server, ending, phases, writes)
        finally:
            status = server.end(signal.SIGTERM if ending == TERM else signal.SIGKILL)
        if ending == TERM and status != 0:
            raise RuntimeError(f"exit status {status} after SIGTERM: {''.join(server.lines[-5:])}")
        self.take_over()

    def write(self, server, ending, phases, writes):
        if ending == BUSY:
            self.write_until_killed(server, writes)
            return
        for kind, share in phases:
            self.ask(server, kind, max(1, int(writes * share)))
            if ending != TERM:
                self.clients.settle(self.root, not self.row.fails)
        if ending in (RENAMED, REMOVED):
            self.ask(server, PATCH if ending == RENAMED else DELETE, 1)
            self.clients.settle(self.root, True, pause=0)

    def ask(self, server, kind, writes):
        watchers = [Watcher(self.clients, server.port) for _ in range(WATCHERS if self.row.fails else 0)]
        for thread in self.clients.run(server.port, writes, kind):
            thread.join()
        for watcher in watchers:
            watcher.end()
        self.complain()

    def write_until_killed(self, server, writes):
        enough = threading.Event()
        have = len(self.clients.changes)
        threads = self.clients.run(server.port, 100 * writes, until=enough)
        while len(self.clients.changes) < have + writes and any(thread.is_alive() for thread in threads):
            threads[0].join(0.001)
        server.end(signal.SIGKILL)
        enough.set()
        for thread in threads:
            thread.join()
        self.complain()

    def complain(self):
        if self.clients.failures:
            raise self.clients.failures[0]

    def take_over(self):
        calls, self.line = read_calls(self.traces[-1], self.line + 1, IGNORED)
        self.calls += len(calls)
        self.checked.append((self.line, self.look_at_root()))
        under_way = self.disk.follow(calls, self.line)
        self.disk = self.disk.settle(under_way, read_tree(self.above), self.line)
        self.wire.follow(calls)
        os.unlink(self.traces[-1])


    def look_at_root(self):
        """Two checks of what a server left when it alone ended, and not the machine."""
        command = [self.tallyd, "--root", self.root, "--check-root", "--json"]
        return [subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=START_SECONDS,
                               check=False).stdout for _ in range(2)]

    def oracle(self, baseline=(), shown=0):
        oracle = Oracle(self.row.sizes, baseline, shown)
        oracle.learn(self.clients.changes, self.wire, self.disk.relaxed_durability())
        return oracle


def record(tallyd, place, row, seed):
    """All lives of a workload, from an empty place on."""
    recording = Recording(tallyd, place, row, Clients(row, seed))
    if row.root_is_there:
        os.mkdir(recording.root, 0o700)
    recording.disk.adopt(read_tree(recording.above))
    for ending, phases in row.lives:
        recording.live(ending, phases, max(4, row.writes // len(row.lives)))
    return recording


def record_recovery(tallyd, place, row, seed, sample, oracle):
    """A start on what a crash left, and what follows.  Returns the recording and the oracle of this second world."""
    recording = Recording(tallyd, place, row, Clients(row, seed, [sample.subjects(oracle)]))
    os.rmdir(recording.above)
    os.rename(sample.where, recording.above)
    recording.disk.adopt(read_tree(recording.above))
    recording.live(*row.lives[0], row.writes)
    return recording, recording.oracle(sample.baseline(oracle), sample.point.shown)
