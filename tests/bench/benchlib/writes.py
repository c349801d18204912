"""PATCH of a status, durable before the answer, beside servers that write a file per request."""

import json
import re
import subprocess

from .generator import Shape
from .host import NotMeasured, find
from .rounds import Candidate, measure_all, on_server

CONTAINERS = 1000
BLOCK_BYTES = 4096  # of one write of the bare loop: the least that a frame of the journal takes


def change(order="own", ids=CONTAINERS):
    """Every request is a real change: its message holds the number of the run and of the request."""
    return Shape("PATCH", "/containers/@ID@/status", media_type="application/merge-patch+json",
                 body='{"message":"run @RUN@ change @SEQ@"}', ids=ids, order=order)


def bare_loop(bench):
    """pwrite + fdatasync without a server, as a candidate among the others."""
    def measure(_connections):
        command = [str(bench.out / "yardstick"), "fdatasync", "--dir", str(bench.place), "--size", str(BLOCK_BYTES),
                   "--duration-ms", str(int(bench.seconds * 1000))]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=bench.seconds + 60, check=False)
        if done.returncode != 0:
            raise NotMeasured("the bare fdatasync loop failed")
        return json.loads(done.stdout)
    return Candidate("bare fdatasync", measure)


def durable_servers(bench):
    """The two naive servers; each has its containers' directories in a place of its own."""
    loops = bench.yardstick("naive-loops", ["--dir", bench.fresh("naive-loops"), "--threads", len(bench.processors.all)])
    threads = bench.yardstick("naive-threads", ["--dir", bench.fresh("naive-threads")])
    return [loops, threads]


def judge(bench, measured):
    report, one, many = bench.report, measured.get(1), measured.get(64)
    if many:
        rate = many["tallyd"]["rate"]
        report.verdict("PATCH, 64 connections: rate against file per request, loops",
                       rate / many["naive-loops"]["rate"], at_least=8)
        report.verdict("PATCH, 64 connections: rate against file per request, threads",
                       rate / many["naive-threads"]["rate"], at_least=4.5)
        report.verdict("PATCH, 64 connections: rate against our memory backend", rate / many["memory"]["rate"],
                       at_least=0.85)
    if one:
        rate = one["tallyd"]["rate"]
        report.verdict("PATCH, 1 connection: rate against file per request", rate / one["naive-loops"]["rate"], at_least=2)
        report.verdict("PATCH, 1 connection: rate against bare pwrite + fdatasync", rate / one["bare fdatasync"]["rate"],
                       at_least=0.45)


def count_by_metrics(bench, tallyd):
    """fdatasyncs per update, from the service's own count; None when it keeps none."""
    def syncs():
        return tallyd.metrics().get("tallyd_journal_fsync_seconds_count")
    before = syncs()
    done = bench.together.run(tallyd, change(), 64, bench.seconds, warmup=0)
    after = syncs()
    return (after - before) / done["requests"] if before is not None and after > before else None


def count_by_strace(bench, tallyd):
    """The same from outside, slower; counts fdatasync alone, which only the journal uses."""
    if not find("strace"):
        return None
    log = bench.place / "strace"
    tracer = subprocess.Popen(["strace", "-f", "-c", "-e", "trace=fdatasync", "-o", str(log), "-p", str(tallyd.pids()[0])],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        tracer.stderr.readline()  # "attached"
        done = bench.together.run(tallyd, change(), 64, bench.seconds, warmup=0)
    finally:
        tracer.terminate()
        tracer.communicate(timeout=30)
    found = re.search(r"(\d+)\s+(?:\d+\s+)?fdatasync", log.read_text())
    return int(found.group(1)) / done["requests"] if found else None


def syncs_per_update(bench, tallyd):
    what, count = "PATCH, 64 connections: fdatasync per update", count_by_metrics(bench, tallyd)
    if count is None:
        count = count_by_strace(bench, tallyd)
    if count is None:
        bench.report.not_measured(what, "neither /metrics nor strace counts them")
        bench.report.verdict_missing(what, "<= 0.1")
    else:
        bench.report.verdict(what, count, at_most=0.1, unit="")


def rotating(bench, tallyd, memory):
    """Not a target: updates spread over all containers, so that the checkpointer has a thousand files to write too."""
    made = [Candidate(s.name + ", any container", on_server(bench.together, s, change("random"), bench.seconds).measure)
            for s in (memory, tallyd)]
    measured = measure_all(made, [64], bench.rounds, bench.report.note)
    bench.report.table("PATCH spread over 1,000 containers", measured, made[0].name)


def measure(bench, servers):
    made = [on_server(bench.together, server, change(), bench.seconds) for server in servers]
    single = [count for count in bench.counts if count == 1]
    measured = measure_all(made + [bare_loop(bench)], single, bench.rounds, bench.report.note)
    measured |= measure_all(made, [count for count in bench.counts if count > 1], bench.rounds, bench.report.note)
    bench.report.table("PATCH one status, durable before the answer", measured, "naive-loops")
    return measured


def run(bench):
    tallyd, memory = bench.server("tallyd", bench.fresh("writes")), bench.server("memory", bench.fresh("none"), "memory")
    naive = durable_servers(bench)
    with bench.running(tallyd, memory, *naive):
        for server in (tallyd, memory):
            bench.populate(server, CONTAINERS)
        bench.settle(tallyd)
        measured = measure(bench, [*naive, memory, tallyd])
        rotating(bench, tallyd, memory)
        judge(bench, measured)
        syncs_per_update(bench, tallyd)


def run_yardsticks(bench):
    naive = durable_servers(bench)
    with bench.running(*naive):
        measure(bench, naive)
