"""The list of 10,000 containers at one revision, beside servers that encode it for each request."""

from .generator import Shape
from .host import NotMeasured
from .rounds import measure_all, on_server

CONTAINERS = 10000
NDJSON = "application/x-ndjson"
COUNTS = (1, 16)


def check(tallyd):
    """The list is whole: as many lines as containers."""
    status, headers, body = tallyd.request("GET", "/containers", headers={"Accept": NDJSON})
    lines = body.count(b"\n")
    if status != 200 or lines != CONTAINERS:
        raise NotMeasured(f"GET /containers as NDJSON: status {status}, {headers.get('Content-Type')}, {lines} lines")


def encoders(bench):
    where = bench.processors.server
    common = ["--containers", CONTAINERS, "--document", 600, "--threads", len(where)]
    return [bench.yardstick("encode, tree built", common, where, mode="encode"),
            bench.yardstick("encode, tree kept", [*common, "--kept-tree"], where, mode="encode")]


def judge(bench, measured):
    """Against the cheaper of the two encoders."""
    by = measured[1]
    bench.report.verdict("List of 10,000: CPU of encoding per request against ours",
                         by["encode, tree kept"]["cpu_us"] / by["tallyd"]["cpu_us"], at_least=10)
    bench.report.verdict("List of 10,000: rate against encoding per request",
                         by["tallyd"]["rate"] / by["encode, tree kept"]["rate"], at_least=10)


def measure(bench, servers, shapes):
    seconds = max(bench.seconds, 1)  # an encoder manages a dozen lists a second
    made = [on_server(bench.apart, server, shape, seconds) for server, shape in zip(servers, shapes)]
    measured = measure_all(made, COUNTS, min(bench.rounds, 3), bench.report.note)
    bench.report.table("List of 10,000 containers", measured, "encode, tree kept", cpu_unit="ms")
    return measured


def run(bench):
    tallyd = bench.server("tallyd", bench.fresh("lists"), "memory", bench.processors.server)
    servers = encoders(bench) + [tallyd]
    with bench.running(*servers):
        bench.populate(tallyd, CONTAINERS)
        check(tallyd)
        measured = measure(bench, servers, [Shape(), Shape(), Shape(path="/containers", accept=NDJSON)])
    judge(bench, measured)


def run_yardsticks(bench):
    servers = encoders(bench)
    with bench.running(*servers):
        measure(bench, servers, [Shape(), Shape()])
