"""Rounds: the candidates take turns, A B C then C B A, and each figure is the median of its rounds.

What one round measures stands side by side in time, so slow drift of the machine hits all candidates alike."""

import statistics

from .host import NotMeasured

FIELDS = ("rate", "p50_us", "p99_us", "cpu_us", "body_bytes", "requests")
EXTRA_ROUNDS = 3  # in place of those that are thrown away


class Candidate:
    """A name and measure(connections) -> dictionary of at least FIELDS, errors, non_2xx."""

    def __init__(self, name, measure):
        self.name = name
        self.measure = measure


def on_server(generator, server, shape, seconds):
    return Candidate(server.name, lambda connections: generator.run(server, shape, connections, seconds))


def flaw(result):
    if result.get("errors"):
        return f"{result['errors']} errors"
    if result.get("non_2xx"):
        return f"{result['non_2xx']} replies not 2xx, first {result['first_bad_status']}"
    return None if result["requests"] else "no reply at all"


def one_round(candidates, connections, backwards):
    """{name: result} of one round, or the name and flaw that spoils it."""
    results = {}
    for candidate in reversed(candidates) if backwards else candidates:
        result = candidate.measure(connections)
        spoilt = flaw(result)
        if spoilt:
            return None, f"{candidate.name}: {spoilt}"
        results[candidate.name] = result
    return results, None


def measure(candidates, connections, rounds, note):
    """Medians by name of as many good rounds as asked: {name: {field: median}}."""
    good, reasons = [], []
    while len(good) < rounds and len(reasons) <= EXTRA_ROUNDS:
        results, reason = one_round(candidates, connections, (len(good) + len(reasons)) % 2 == 1)
        if results:
            good.append(results)
        else:
            reasons.append(reason)
            note(f"round at {connections} connections thrown away: {reason}")
    if not good:
        raise NotMeasured(f"at {connections} connections: " + "; ".join(sorted(set(reasons))))
    names = [candidate.name for candidate in candidates]
    return {name: {field: statistics.median(r[name].get(field, 0) for r in good) for field in FIELDS}
            | {"rounds": len(good)} for name in names}


def measure_all(candidates, counts, rounds, note):
    """{connections: {name: medians}} over all connection counts."""
    return {count: measure(candidates, count, rounds, note) for count in counts}
