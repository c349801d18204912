"""Some of the faults under a real start: what is set aside, what is served, and what a second start finds."""

import collections
import concurrent.futures
import os
import pathlib
import shutil

from . import files, verdicts
from .service import NotMeasured, Service, wait

JOBS = 4


def choose(chosen, results, count):
    """Some of every class of every root, as evenly as can be."""
    by_class = collections.defaultdict(list)
    for root, some in chosen:
        for fault in some:
            kind = results.get((root.name, str(fault)))
            if kind and kind != "wrong":
                by_class[root.name, kind].append((root, fault, kind))
    picked = []
    while len(picked) < count and any(by_class.values()):
        for key in sorted(by_class):
            if by_class[key]:
                picked.append(by_class[key].pop())
    return picked[:count]


def list_of(service):
    return {"ok": True, "containers": list(service.client.containers().values()),
            "revision": service.client.ask("GET", "/containers?limit=1")[1]["metadata"]["revision"],
            "recovery": recovery_of(service)}


def recovery_of(service):
    found = {name.split('"')[1]: int(value) for name, value in service.metrics().items()
             if name.startswith("tallyd_recovery_records{")}
    found["tornTails"] = int(service.metrics()["tallyd_journal_torn_tail_total"])
    return found


def is_set_aside(place, fault):
    """Of each container that was hit and whose file is there but damaged, the file is kept under another name."""
    for name, data in fault.make.items():
        if name.startswith("containers/") and data is not None:
            directory = pathlib.Path(place, name).parent
            if any(p.name.startswith((f"{n}.corrupt-",)) for p in directory.iterdir() for n in ("status", "metadata")):
                return True
    return False


def expects_evidence(fault, kind):
    return kind == "quarantined" and any(data is not None for data in fault.make.values())


def live(service, place, fault, kind):
    """Until writes work, everything found is written down, and evidence is set aside."""
    service.wait_for_writes()
    if expects_evidence(fault, kind):
        wait(lambda: is_set_aside(place, fault), "what is damaged to be set aside")
    return list_of(service)


def refused_start(program, place):
    """A start must be refused as the check was; then salvage goes on."""
    try:
        with Service(program, place):
            return "a start goes on where the check refuses"
    except NotMeasured:  # it does not become ready: as it should be
        return ""


def judge_start(program, place, root, fault, kind):
    options = ()
    if kind == "refused":
        why = refused_start(program, place)
        if why or "journal" not in str(fault):
            return why
        options = ("--recover=salvage",)
    base = {"recovery": collections.Counter()}
    judge = verdicts.Judge(root, base)
    with Service(program, place, *options) as service:
        first = live(service, place, fault, kind)
        said = " ".join(service.lines)
        if options:
            service.stop()  # until all is in files, a start would have to be told again
    with Service(program, place) as service:
        service.wait_for_writes()
        second = list_of(service)
        service.stop()
    why = judge.judge_salvage(fault, first, said) if options else judge.judge(fault, first)[1]
    if not why and {c["id"]: verdicts.without_revisions(c) for c in first["containers"]} != \
            {c["id"]: verdicts.without_revisions(c) for c in second["containers"]}:
        why = "a second start shows something else"
    return why


def try_start(program, work, number, root, fault, kind):
    place = os.path.join(work, f"start.{number}")
    files.write_tree(place, root.tree)
    fault.apply(place)
    try:
        why = judge_start(program, place, root, fault, kind)
    except Exception as e:
        why = f"{type(e).__name__}: {e}"
    shutil.rmtree(place, ignore_errors=True)
    return f"{root.name}: start after {fault} ({kind}): {why}" if why else ""


def try_all(program, work, picked):
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        done = list(pool.map(lambda job: try_start(program, str(work), job[0], *job[1]), enumerate(picked)))
    return sum(not why for why in done), [why for why in done if why]
