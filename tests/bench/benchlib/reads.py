"""GET of one container, beside nginx with a static file and beside a bare epoll responder."""

from .generator import Shape, wrk_rate
from .ids import container_id
from .rounds import measure_all, on_server
from .servers import Nginx

CONTAINERS = 10000
DIPS = (128, 256, 384)  # where libmicrohttpd's own epoll loop would fall asleep on ready sockets
DIP_FLOOR = 0.75        # of what the bare responder keeps, relative to 64 connections


def document_of(bench, tallyd):
    """The bytes of one container as tallyd sends them: what the others send too."""
    status, _, body = tallyd.request("GET", "/containers/" + container_id(7))
    if status != 200:
        raise RuntimeError(f"GET /containers/ID answers {status}")
    path = bench.place / "document"
    path.write_bytes(body)
    return path, body


def yardsticks(bench, path, body):
    where = bench.processors.server
    raw = bench.yardstick("raw", ["--body", path, "--threads", len(where)], where)
    return raw, Nginx(bench.fresh("nginx"), body, where), Nginx(bench.fresh("nginx-cached"), body, where, cached=True)


def candidates(bench, raw, nginx, cached, tallyd):
    """The cached nginx is there for completeness: it answers from memory what it saw up to a minute ago."""
    made = [on_server(bench.apart, server, Shape(path="/document"), bench.seconds) for server in (nginx, cached)]
    made.append(on_server(bench.apart, raw, Shape(), bench.seconds))
    if tallyd:
        made.append(on_server(bench.apart, tallyd, Shape(path="/containers/@ID@", ids=CONTAINERS, order="random"),
                              bench.seconds))
    return made


def judge(bench, measured):
    report, at64 = bench.report, measured.get(64)
    if at64:
        cpu = at64["tallyd"]["cpu_us"]
        report.verdict("GET, 64 connections: CPU per request against nginx", cpu / at64["nginx"]["cpu_us"], at_most=0.65)
        report.verdict("GET, 64 connections: CPU per request against bare epoll", cpu / at64["raw"]["cpu_us"],
                       at_most=1.25)
    kept = {n: (by["tallyd"]["rate"] / at64["tallyd"]["rate"]) / (by["raw"]["rate"] / at64["raw"]["rate"])
            for n, by in measured.items() if at64 and n in DIPS}
    if kept:
        where = min(kept, key=kept.get)
        report.verdict(f"GET, no dip at {'/'.join(map(str, kept))}: rate kept (worst at {where})", kept[where],
                       at_least=DIP_FLOOR)


def second_opinion(bench, servers):
    """wrk must see about the same rates as our own generator."""
    for server, path in servers:
        rate = wrk_rate(server, path, 64, bench.seconds, bench.processors.generator)
        if rate:
            bench.report.say(f"  wrk, 64 connections, {server.name}: {rate:.0f} requests/s")


def run(bench):
    where = bench.processors.server
    tallyd = bench.server("tallyd", bench.fresh("reads"), processors=where)
    with bench.running(tallyd):
        bench.populate(tallyd, CONTAINERS)
        bench.settle(tallyd)
        raw, nginx, cached = yardsticks(bench, *document_of(bench, tallyd))
        with bench.running(raw, nginx, cached):
            measured = measure_all(candidates(bench, raw, nginx, cached, tallyd), bench.counts, bench.rounds,
                                   bench.report.note)
            bench.report.table("GET one container", measured, "nginx")
            second_opinion(bench, ((nginx, "/document"), (raw, "/"), (tallyd, "/containers/" + container_id(7))))
    judge(bench, measured)


def run_yardsticks(bench):
    """Without tallyd: the harness itself, on a document of the usual size."""
    path = bench.place / "document"
    body = b"x" * 600
    path.write_bytes(body)
    raw, nginx, cached = yardsticks(bench, path, body)
    with bench.running(raw, nginx, cached):
        measured = measure_all(candidates(bench, raw, nginx, cached, None), bench.counts, bench.rounds,
                               bench.report.note)
        bench.report.table("GET one document", measured, "nginx")
        second_opinion(bench, ((nginx, "/document"), (raw, "/")))
