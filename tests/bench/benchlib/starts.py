"""Start-up from a full root, and memory per container."""

import statistics
import time

from .host import NotMeasured

STARTS = 5
LARGE = 100000


def stop(report, server):
    status = server.stop()
    if status != 0:
        report.note(f"{server.name}: exit status {status} after SIGTERM")


def warm_starts(bench, root):
    """Seconds from exec to ready, median; the first start, which warms the page cache, does not count."""
    seconds = []
    for _ in range(STARTS + 1):
        server = bench.server("tallyd", root)
        try:
            server.start()
            seconds.append(server.ready_seconds)
        finally:
            stop(bench.report, server)
    return statistics.median(seconds[1:])


def steady_memory(server):
    """Resident bytes once they stop growing: what follows the first readiness is part of the price."""
    before = -1
    for _ in range(50):
        now = server.resident_bytes()
        if now == before:
            return now
        before = now
        time.sleep(0.3)
    return before


def resident_of_empty(bench):
    server = bench.server("tallyd", bench.fresh("empty"))
    with bench.running(server):
        return steady_memory(server)


def fill(bench, root, count):
    """A root with <count> containers, all checkpointed; resident bytes with all of them created one by one."""
    server = bench.server("tallyd", root)
    with bench.running(server):
        took = bench.populate(server, count)
        memory = steady_memory(server)
        began = time.monotonic()
        bench.settle(server)
        bench.report.say(f"  {count} containers: created in {took:.1f} s, checkpointed {time.monotonic() - began:.1f} s later")
        return memory


def resident_after_restart(bench, root):
    server = bench.server("tallyd", root)
    with bench.running(server):
        return steady_memory(server)


def start_with(bench, count, limit):
    root = bench.fresh(f"start-{count}")
    created = fill(bench, root, count)
    seconds = warm_starts(bench, root)
    bench.report.say(f"  {count} containers: ready {seconds:.3f} s after exec, warm, median of {STARTS}")
    bench.report.verdict(f"Start-up with {count:,} containers, warm", seconds, at_most=limit, unit="s")
    return root, created


def judge_memory(bench, root, created, empty):
    for when, resident in (("after creating them", created), ("after a restart", resident_after_restart(bench, root))):
        kib = (resident - empty) / 1024 / LARGE
        bench.report.verdict(f"Memory per container of 600 bytes at 100,000, {when}", kib, at_most=3, unit="KiB")


def run(bench):
    bench.report.heading("Start-up and memory")
    start_with(bench, 10000, 0.15)
    if bench.quick:
        bench.report.say("  100,000 containers and memory: left out by --quick")
        return
    empty = resident_of_empty(bench)
    root, created = start_with(bench, LARGE, 1.5)
    judge_memory(bench, root, created, empty)


def run_yardsticks(bench):
    raise NotMeasured("needs the service")
