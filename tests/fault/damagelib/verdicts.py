"""What a load made of a single fault, held against what was acknowledged.

refused      it says what is damaged, and where: exit status 3 or 4
harmless     every value is right, and nothing had to be said
repaired     every value is right; a file was written anew from the journal
quarantined  the container that was hit is shown as UNKNOWN, or has lost its metadata, counted; the others are right
missing      directories are gone, counted and told; the others are right
torn         of a killed root: only what nothing proved is gone, counted unless no byte of it is left
untold       an older state of a container's own files, put back, or the whole end of the journal wiped out, proof and
             all: nothing else on this disk speaks of it
wrong        anything else"""

import re

NAMES_A_PLACE = re.compile(r"journal segment [0-9a-f]{16}|journal/|containers/|VERSION|MANIFEST|format")


def without_revisions(container):
    status = {k: v for k, v in container["status"].items() if k != "revision"}
    return {k: v for k, v in container.items() if k not in ("revision", "status")}, status


def is_answer(seen, answer):
    """The same values; a flag that no file keeps is cleared under a new revision."""
    if seen == answer:
        return True
    if answer["status"]["removing"]:
        answer = dict(answer, status=dict(answer["status"], removing=False))
    return without_revisions(seen) == without_revisions(answer) and int(seen["revision"]) > int(answer["revision"])


class Judge:
    def __init__(self, root, base):
        self.root = root
        self.base = base  # the verdict on the root without a fault

    # ---- one container ----

    def is_right(self, box, seen):
        answers = self.root.answers.get(box)
        if seen is None or answers is None:
            return seen is None and answers is None
        if is_answer(seen, answers[-1]):
            return seen["revision"] == answers[-1]["revision"] or answers[-1]["status"]["removing"]
        tried = self.root.tried.get(box)
        like = dict(answers[-1], revision=seen["revision"],
                    status=dict(answers[-1]["status"], message=tried, revision=seen["status"]["revision"]))
        return tried is not None and seen == like

    def is_unproven(self, box, seen):
        """An earlier answer, all that came after it being above what anything proves."""
        answers = self.root.answers.get(box, [])
        for i, answer in enumerate(answers):
            if is_answer(seen, answer):
                return all(int(a["revision"]) > self.root.proven_revision for a in answers[i + 1:])
        return False

    @staticmethod
    def is_unknown(seen):
        return seen["status"]["state"] == "CONTAINER_UNKNOWN" and seen["status"]["reason"] == "CheckpointDamaged"

    def has_only_lost_metadata(self, box, seen):
        answers = self.root.answers.get(box, [])
        if seen["name"] or seen["config"] or not answers:
            return False
        expected = dict(answers[-1], status=dict(answers[-1]["status"], removing=False))
        return without_revisions(seen)[1] == without_revisions(expected)[1]

    def is_older(self, box, seen):
        return any(is_answer(seen, a) for a in self.root.ever.get(box, []))

    def cannot_be_told(self, fault, hit):
        """A whole older state of a container's own file, or the end of the journal wiped out with its proof."""
        return self.is_wiped(fault) or (hit and fault.kind == "put back an older")

    def is_wiped(self, fault):
        newest = f"journal/{max(self.root.segments.segments)}"
        return fault.kind.startswith("zero everything from frame") and fault.where == newest

    # ---- all of them ----

    def judge(self, fault, verdict):
        """(class, why it is wrong)."""
        if not verdict["ok"]:
            if verdict["exit"] in (3, 4) and NAMES_A_PLACE.search(verdict["error"]):
                return "refused", ""
            return "wrong", f"exit {verdict['exit']}: {verdict['error']}"
        shown = {c["id"]: c for c in verdict["containers"]}
        classes = set()
        for box in sorted(set(shown) | set(self.root.answers)):
            kind, why = self.judge_box(fault, verdict["recovery"], box, shown.get(box))
            if kind == "wrong":
                return kind, why
            classes.add(kind)
        newest = max(int(a[-1]["revision"]) for a in self.root.answers.values())
        if int(verdict["revision"]) < newest and not classes & {"torn", "untold"}:
            return "wrong", f"the root is at revision {verdict['revision']}, {newest} was acknowledged"
        for kind in ("untold", "quarantined", "missing", "torn"):
            if kind in classes:
                return kind, ""
        more = {k for k, v in verdict["recovery"].items() if v > self.base["recovery"][k]}
        return ("repaired" if more & {"repaired", "replayed", "quarantined"} else "harmless"), ""

    def judge_box(self, fault, found, box, seen):
        hit = box in fault.boxes()
        more = {k: found[k] - self.base["recovery"][k] for k in found}
        if self.is_right(box, seen):
            return "right", ""
        if self.is_wiped(fault) and seen is None:
            return "untold", ""
        if seen is not None and self.cannot_be_told(fault, hit) and self.is_older(box, seen):
            return "untold", ""
        if seen is None:
            if hit and fault.directory and more["missing"] > 0:
                return "missing", ""
            return "wrong", f"{box} is gone, and the load says {found}"
        if hit and self.has_only_lost_metadata(box, seen):
            if more["quarantined"] + more["missing"] > 0:
                return "quarantined", ""
            return "wrong", f"{box} has lost its metadata, and nothing says so: {found}"
        if hit and self.is_unknown(seen):
            if more["unknown"] > 0:
                return "quarantined", ""
            return "wrong", f"{box} is unknown, and not counted: {found}"
        # A frame of zeros is one that was never written: there is nothing to count.
        if (found["tornTails"] > 0 or fault.kind.startswith("zero")) and self.is_unproven(box, seen):
            return "torn", ""
        return "wrong", f"{box}: {seen}, acknowledged was {self.root.answers.get(box, ['nothing'])[-1]}"

    # ---- with --recover=salvage ----

    def judge_salvage(self, fault, verdict, said):
        """Every value is right, or unknown, or of a container that exited and is named; and something is said."""
        if not verdict["ok"]:
            return f"salvage is refused: {verdict.get('error')}"
        if "level=error" not in said:
            return "salvage says nothing"
        shown = {c["id"]: c for c in verdict["containers"]}
        for box in sorted(set(shown) | set(self.root.answers)):
            seen = shown.get(box)
            if self.is_right(box, seen):
                continue
            if seen is None:
                if f"containers/{box}" in self.root.tree and box not in self.root.made_again:
                    return f"salvage drops {box}"
                continue
            told = seen["status"]["state"] == "CONTAINER_EXITED" and f"{box} is kept" in said
            if not told and not self.is_unknown(seen):
                return f"salvage shows {seen}, acknowledged was {self.root.answers.get(box, ['nothing'])[-1]}"
        return ""
