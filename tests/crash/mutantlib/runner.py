"""Runs the gates: first on the clean build, where they have to pass, then on each mutant, where they have to fail."""

import concurrent.futures
import shutil

from . import gates, smoke
from .build import TOP, Broken, build, find, make, place
from .table import MUTANTS

CLASSICAL = 31


def check_table():
    numbers = [mutant.number for mutant in MUTANTS]
    if numbers != list(range(1, len(numbers) + 1)) or len(numbers) < CLASSICAL:
        raise Broken("the numbers of the table are not 1, 2, 3, ...")
    if len({mutant.name for mutant in MUTANTS}) != len(MUTANTS):
        raise Broken("two mutants have one name")


def chosen(options):
    """The rows to judge, each with the gates it is put before."""
    rows = [find(number) for number in options.only] if options.only else MUTANTS
    if options.gate:
        rows = [row._replace(gates=[gate for gate in row.gates if gate.split()[0] in options.gate]) for row in rows]
    return [row for row in rows if row.gates]


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


def judge_by(mutant, words, base, out, first_seed):
    """(killed, what to say) by one gate."""
    label, seconds = f"{mutant.number} {mutant.name}", 0
    for seed in gates.seeds(words, first_seed):
        verdict = gates.run(words, base, out, seed)
        seconds += verdict.seconds
        if verdict.status == 1:
            return True, f"killed {label} by {words} ({seconds:.0f} s): {gates.reason(words, verdict.text)}"
        if verdict.status != 0:
            return False, f"FAILED {label}: {words} ends with {verdict.status}\n{tail(verdict.text)}"
    return False, f"FAILED {label} survives {words} ({seconds:.0f} s)"


def judge(mutant, base, out, seed):
    """(killed by all its gates, what to say)."""
    wreck = smoke.wreck(TOP / out / "tallyd")
    if wreck:
        return False, f"FAILED {mutant.number} {mutant.name}: a wreck, not a bug: {wreck}"
    verdicts = [judge_by(mutant, words, base, out, seed) for words in mutant.gates]
    return all(killed for killed, _ in verdicts), "\n".join(text for _, text in verdicts)


def try_mutant(mutant, options, variables):
    base, out = options.base, place(options.base, mutant.number)
    targets = {target for words in mutant.gates for target in gates.planted_targets(words, base, out)}
    try:
        build(mutant.number, base, out, variables, [f"{out}/tallyd", *sorted(targets)])
        return judge(mutant, base, out, options.seed)
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
    words = list(dict.fromkeys(gate for row in rows for gate in row.gates))
    there = [gate for gate in words if not gates.missing(gate)]
    targets = {target for gate in there for target in gates.clean_targets(gate, options.base)}
    make(options.base, variables, [f"{options.base}/tallyd", *sorted(targets)])
    good = each(options.jobs, lambda gate: try_clean(gate, options.base, options.seed), words)
    judged = {row.number: row for row in rows if all(good[gate] for gate in row.gates)}
    killed = each(options.jobs, lambda number: try_mutant(judged[number], options, variables), judged)
    passed = sum(killed.values())
    print(f"{passed} passed, {len(rows) - passed} failed")
    return 0 if rows and passed == len(rows) else 1
