"""Runs the gates: first on the clean build, where they have to pass, then on each mutant, where they have to fail."""

import concurrent.futures
import shutil

from . import gates, smoke
from .build import TOP, Broken, build, find, make
from .table import MUTANTS

CLASSICAL = 31


def check_table():
    numbers = [mutant.number for mutant in MUTANTS]
    if numbers != list(range(1, len(numbers) + 1)) or len(numbers) < CLASSICAL:
        raise Broken("the numbers of the table are not 1, 2, 3, ...")
    if len({mutant.name for mutant in MUTANTS}) != len(MUTANTS):
        raise Broken("two mutants have one name")


def chosen(options):
    rows = [find(number) for number in options.only] if options.only else MUTANTS
    if options.gate:
        rows = [row for row in rows if any(row.gate.startswith(word) for word in options.gate)]
    return rows


def tail(text):
    return "".join("    " + line + "\n" for line in text.rstrip().splitlines()[-15:])


def try_clean(words, base, seed):
    """Does the gate let good code pass?  A gate that fails there kills nothing.  (passed, what to say)."""
    absent = gates.missing(words)
    if absent:
        return False, f"FAILED gate {words}: {absent} is not there"
    verdict = gates.run(words, base, base, seed)
    if verdict.status == 0:
        return True, f"clean passes {words} ({verdict.seconds:.0f} s)"
    return False, f"FAILED gate {words}: ends with {verdict.status} on the clean build\n{tail(verdict.text)}"


def judge(mutant, base, out, seed):
    """(killed, what to say)."""
    label = f"{mutant.number} {mutant.name}"
    wreck = smoke.wreck(TOP / out / "tallyd")
    if wreck:
        return False, f"FAILED {label}: a wreck, not a bug: {wreck}"
    verdict = gates.run(mutant.gate, base, out, seed)
    if verdict.status == 1:
        why = gates.reason(mutant.gate, verdict.text)
        return True, f"killed {label} by {mutant.gate} ({verdict.seconds:.0f} s): {why}"
    if verdict.status == 0:
        return False, f"FAILED {label} survives {mutant.gate} ({verdict.seconds:.0f} s)"
    return False, f"FAILED {label}: {mutant.gate} ends with {verdict.status}\n{tail(verdict.text)}"


def try_mutant(mutant, options, variables):
    out = f"build/mutant/{mutant.number}"
    try:
        build(mutant.number, options.base, out, variables,
              [f"{out}/tallyd", *gates.planted_targets(mutant.gate, options.base, out)])
        return judge(mutant, options.base, out, options.seed)
    except Broken as fault:
        return False, f"FAILED {mutant.number} {mutant.name}: {fault}"
    finally:
        if not options.keep:
            shutil.rmtree(TOP / out, ignore_errors=True)


def each(jobs, function, items):
    """function(item) for all, some at a time; prints what each has to say as soon as it is known.  {item: passed}."""
    results = {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(function, item): item for item in items}
        for done in concurrent.futures.as_completed(running):
            results[running[done]], words = done.result()
            print(words, flush=True)
    return results


def run(options, variables):
    check_table()
    rows = chosen(options)
    words = list(dict.fromkeys(row.gate for row in rows))
    targets = {target for gate in words for target in gates.clean_targets(gate, options.base)}
    make(options.base, variables, [f"{options.base}/tallyd", *sorted(targets)])
    good = each(options.jobs, lambda gate: try_clean(gate, options.base, options.seed), words)
    judged = [row.number for row in rows if good[row.gate]]
    killed = each(options.jobs, lambda number: try_mutant(find(number), options, variables), judged)
    passed = sum(killed.values())
    print(f"{passed} passed, {len(rows) - passed} failed")
    return 0 if rows and passed == len(rows) else 1
