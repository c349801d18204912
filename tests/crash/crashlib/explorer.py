"""One recording explored: every point, every choice of what survived, each distinct image recovered once (twice)."""

import copy
import hashlib
import os
import random
import shutil
import time

from .check import Checker, Point, Verdict, twice
from .image import Gallery
from .oracle import DELETE
from .record import record, record_recovery
from .restart import start_for_real
from .states import KEEP, World, states
from .workload import ROWS, Subject

BATCH = 32         # images that hang at once
JUDGEMENTS = 4000  # states that wait for a verdict
TOLD = 5           # violations told in full


class Options:
    """What the command line says, for the workers."""

    def __init__(self, tallyd, models, depth, starts, keep, until_violation, stop):
        self.tallyd, self.models, self.depth, self.starts = tallyd, models, depth, starts
        self.keep, self.until_violation = keep, until_violation
        self.stop = stop  # a file: once it is there nobody waits for the result any more


class Sample:
    """A crash state laid aside, to be started for real."""

    def __init__(self, where, point, verdict):
        self.where, self.point, self.verdict = where, point, verdict

    def baseline(self, oracle):
        """What was found, as changes that have been there from the beginning."""
        found = []
        for id, place in self.verdict.places.items():
            change = copy.copy(oracle.lines[id].changes[place])
            change.taken = change.answered = change.required = -1
            change.status, change.refused = 200, False
            change.revision = self.verdict.revisions[id]
            found.append(change)
        return found

    def subjects(self, oracle):
        return [Subject(id, max((c.version for c in line.changes if c), default=0), self.verdict.revisions.get(id))
                for id, line in oracle.lines.items()]


class Exploration:
    """Counts, and what was wrong."""

    def __init__(self, options, place, root_name, wanted=0):
        self.options, self.root_name, self.wanted = options, root_name, wanted
        self.gallery = Gallery(place)
        self.points = self.states = self.violations = self.batches = 0
        self.told, self.samples = [], {}
        self.verdicts, self.hanging, self.waiting = {}, {}, []
        self.done = False

    def run(self, disk, oracle, answers, seed):
        rng = random.Random(seed)
        world = World(disk)
        with open(os.devnull, "wb") as log:
            checker = Checker(self.options.tallyd, log)
            try:
                for at in world.points(answers):
                    self.look(world, world.advance(at), Point(oracle, at), rng, checker)
                    if self.done or os.path.exists(self.options.stop):
                        break
                self.flush(world, oracle, checker, rng)
            finally:
                checker.close()
        return self

    def look(self, world, fresh, point, rng, checker):
        self.points += 1
        for model in self.options.models:
            for chosen in states(world, fresh, model, rng, self.options.depth):
                self.states += 1
                image = world.image(chosen)
                key = hashlib.blake2b(b"\n".join(p.encode() + (f[0] if f else b"/") for p, f in image)).digest()
                if key not in self.verdicts:
                    self.verdicts[key] = None
                    self.hanging[key] = self.gallery.hang(world, image), image
                self.waiting.append((key, point, model, chosen, tuple(world.open), image))
                if len(self.hanging) >= BATCH or len(self.waiting) >= JUDGEMENTS:
                    self.flush(world, point.oracle, checker, rng)

    def flush(self, world, oracle, checker, rng):
        """Have the images recovered, judge the states that waited for it, and take the images down."""
        places = [where for where, _ in self.hanging.values()]
        for key, verdict in zip(self.hanging, twice(checker, places, self.root_name)):
            verdict.read(oracle)
            self.verdicts[key] = verdict
        good = []
        for key, point, model, chosen, pending, image in self.waiting:
            wrong = point.judge(self.verdicts[key])
            if wrong:
                self.complain(world, point, model, chosen, pending, image, wrong)
            elif key in self.hanging and self.verdicts[key].has_root:
                good.append((key, point))
        if good:
            self.lay_aside(*rng.choice(good), rng)
        for where, image in self.hanging.values():
            self.gallery.take_down(where, image)
        self.hanging, self.waiting = {}, []

    def lay_aside(self, key, point, rng):
        """Each batch has the same chance to give a sample."""
        self.batches += 1
        for slot in range(self.wanted):
            if rng.random() * self.batches < 1:
                where = f"{self.gallery.place}/sample.{slot}"
                shutil.rmtree(where, ignore_errors=True)
                self.gallery.copy(self.hanging[key][0], where)
                self.samples[slot] = Sample(where, point, self.verdicts[key])

    def complain(self, world, point, model, chosen, pending, image, wrong):
        self.violations += 1
        self.done = self.options.until_violation
        if len(self.told) >= TOLD:
            return
        text = [f"{w}" for w in wrong[:6]]
        text.append(f"  crash at line {point.at}, model {model}; of what was not durable yet:")
        for op in pending:
            mode = chosen.get(op.number, "lost")
            text.append(f"    {'kept' if mode is KEEP else mode}: {op.call}")
        if self.options.keep:
            kept = f"{self.options.keep}/violation.{os.getpid()}.{self.violations}"
            self.gallery.copy(self.gallery.hang(world, image), kept)
            text.append(f"  image kept: {kept}/{self.root_name}")
        self.told.append("\n".join(text))


# ---- one workload under one seed ----

class Result:
    """What is told of a workload; results of several seeds add up."""

    FIGURES = ("calls", "points", "states", "images", "starts", "violations", "writes", "deletions")

    def __init__(self, name):
        self.name, self.seconds, self.told = name, 0.0, []
        self.faults = []  # why something could not be explored
        for figure in self.FIGURES:
            setattr(self, figure, 0)

    def add(self, other):
        for figure in (*self.FIGURES, "seconds", "told", "faults"):
            setattr(self, figure, getattr(self, figure) + getattr(other, figure))


def explore_recording(result, recording, oracle, options, place, seed, wanted=0):
    exploration = Exploration(options, place, os.path.basename(recording.root), wanted)
    answers = [change.answered for change in recording.clients.changes if change.status]
    exploration.run(recording.disk, oracle, answers, seed)
    complaints = oracle.revisions_in_order() + judge_refusals(recording) + judge_ends(recording, oracle)
    result.calls += recording.calls
    result.writes += len(recording.clients.changes)
    result.deletions += sum(change.kind == DELETE for change in recording.clients.changes)
    result.points += exploration.points
    result.states += exploration.states
    result.images += len(exploration.verdicts)
    result.violations += exploration.violations + len(complaints)
    result.told += exploration.told + complaints
    return exploration


def judge_refusals(recording):
    """What a refusal says about a container has to be true: no change that was rolled back may show."""
    given = {(change.container, change.revision) for change in recording.clients.changes if change.counts()}
    return [f"{container}: a refusal said that it is at revision {revision}, which no change of it was given"
            for container, revision in recording.clients.refusals if (container, revision) not in given]


def judge_ends(recording, oracle):
    """What a server left that was killed or stopped, the machine going on: then answers without sync count as well."""
    complaints = []
    for at, lines in recording.checked:
        verdict = Verdict(*lines)
        verdict.read(oracle)
        complaints += [f"{wrong}\n  after the end of the server at line {at}"
                       for wrong in Point(oracle, at, True).judge(verdict)]
    return complaints


def start_samples(result, exploration, options, row, name):
    """Some of the states are started for real."""
    with open(os.devnull, "wb") as log:
        checker = Checker(options.tallyd, log)
        try:
            for sample in exploration.samples.values():
                wrong = start_for_real(options.tallyd, row, sample, name, checker)
                result.starts += 1
                result.violations += len(wrong)
                result.told += [f"{w}\n  crash at line {sample.point.at}" for w in wrong]
        finally:
            checker.close()


def explore_workload(name, seed, options, place):
    """Record a workload, explore it, start some of its states."""
    began, result, row = time.monotonic(), Result(name), ROWS[name]
    after = row.recovers
    for part in ("record", "explore"):
        os.makedirs(f"{place}/{part}")
    recording = record(options.tallyd, f"{place}/record", row, seed)
    oracle = recording.oracle()
    exploration = explore_recording(result, recording, oracle, options, f"{place}/explore", seed, options.starts)
    if not options.until_violation or not result.violations:
        if after:
            explore_recoveries(result, exploration, oracle, options, place, seed, after)
        else:
            start_samples(result, exploration, options, row, os.path.basename(recording.root))
    for told, text in enumerate(result.told):
        result.told[told] = f"{name}, seed {seed}: {text}"
    result.seconds = time.monotonic() - began
    return result


def explore_recoveries(result, exploration, oracle, options, place, seed, row):
    """The states are started under strace, and the crashes of that start explored in their turn."""
    for slot, sample in exploration.samples.items():
        for part in ("record", "explore"):
            os.makedirs(f"{place}/{slot}/{part}")
        recording, second = record_recovery(options.tallyd, f"{place}/{slot}/record", row, seed, sample, oracle)
        explore_recording(result, recording, second, options, f"{place}/{slot}/explore", seed)
        result.starts += 1
