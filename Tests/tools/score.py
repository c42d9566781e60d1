"""Scores detections against labels.

    score.py LABELS DETECTIONS [--tolerance 2]

LABELS: the JSON that compose_film.py writes, or a tab-separated file with columns start, end, type (inclusive frames; a
cut has start = end = the first frame of the new shot). DETECTIONS: one a line, "START END [KIND]" (last frame of the old
shot, first frame of the new one) or a single number N (the first frame of the new shot: N-1 N).

Matching is TransNetV2's: one to one in order of time; intervals widened by tolerance/2 - 1/2 on each side must overlap,
so that with tolerance 2 a cut found within two frames is a hit.
"""
import argparse
import csv
import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Score:
    """Counts, which add up over several videos."""

    hits: int = 0
    detections: int = 0
    truth: int = 0
    kinds: dict = field(default_factory=dict)  # kind: [hits, truth]
    named: list = field(default_factory=lambda: [0, 0])  # hits whose kind is right, hits with a kind
    overlaps: list = field(default_factory=list)  # intersection over union of the gradual hits
    false_alarms: list = field(default_factory=list)
    traps_hit: int = 0  # distractors with at least one false alarm on them
    traps: int = 0
    on_traps: int = 0  # false alarms that fell on a distractor

    def __add__(self, other):
        kinds = {k: [self.kinds.get(k, [0, 0])[i] + other.kinds.get(k, [0, 0])[i] for i in (0, 1)] for k in {**self.kinds, **other.kinds}}
        return Score(self.hits + other.hits, self.detections + other.detections, self.truth + other.truth, kinds,
                     [a + b for a, b in zip(self.named, other.named)], self.overlaps + other.overlaps, self.false_alarms + other.false_alarms,
                     self.traps_hit + other.traps_hit, self.traps + other.traps, self.on_traps + other.on_traps)

    @property
    def precision(self): return self.hits / max(1, self.detections)

    @property
    def recall(self): return self.hits / max(1, self.truth)

    @property
    def f1(self): return 2 * self.hits / max(1, self.detections + self.truth)

    @property
    def overlap(self): return sum(self.overlaps) / len(self.overlaps) if self.overlaps else None

    def recall_of(self, kind):
        """Of one kind; "fade" stands for every fade. None where there was none."""
        found = [v for k, v in self.kinds.items() if k == kind or k.startswith(kind + "-")]
        return sum(v[0] for v in found) / sum(v[1] for v in found) if found else None


def family(kind):
    return "fade" if kind.startswith("fade") else kind


def read_labels(path):
    """([(start, end, kind)], [distractor])"""
    if str(path).endswith(".json"):
        labels = json.loads(Path(path).read_text())
        return [(t["start"], t["end"], t["kind"]) for t in labels["transitions"]], labels["distractors"]
    truth = []
    for row in csv.DictReader(open(path), delimiter="\t"):
        start, end = int(row["start"]), int(row["end"])
        truth.append((start - 1, end if row["type"] == "cut" else end + 1, row["type"]))
    return truth, []


def read_detections(path):
    found = []
    for line in open(path):
        words = line.split()
        if len(words) == 1: found.append((int(words[0]) - 1, int(words[0]), None))
        elif words: found.append((int(words[0]), int(words[1]), words[2] if len(words) > 2 else None))
    return found


def score(truth, traps, detections, tolerance=2):
    truth, detections = sorted(truth), sorted((d + (None,))[:3] for d in detections)
    detections.sort(key=lambda d: d[:2])
    margin = tolerance / 2 - 0.5
    i = j = 0
    pairs, alarms = [], []
    while i < len(truth) and j < len(detections):
        (start, end, _), (left, right, _) = truth[i], detections[j]
        if right + margin < start - margin:
            alarms.append(detections[j])
            j += 1
        elif left - margin > end + margin: i += 1
        else:
            pairs.append((truth[i], detections[j]))
            i, j = i + 1, j + 1
    alarms += detections[j:]
    out = Score(len(pairs), len(detections), len(truth), traps=len(traps), false_alarms=alarms)
    for _, _, kind in truth: out.kinds.setdefault(kind, [0, 0])[1] += 1
    for (start, end, kind), (left, right, said) in pairs:
        out.kinds[kind][0] += 1
        if said:
            out.named[0] += said == family(kind)
            out.named[1] += 1
        if end - start > 2: out.overlaps.append(max(0, min(end, right) - max(start, left)) / (max(end, right) - min(start, left)))
    near = lambda d, t: t["start"] - 2 <= d[1] and d[0] <= t["end"] + 2
    out.on_traps = sum(any(near(d, t) for t in traps) for d in alarms)
    out.traps_hit = sum(any(near(d, t) for d in alarms) for t in traps)
    return out


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("labels"), ap.add_argument("detections"), ap.add_argument("--tolerance", type=int, default=2)
    a = ap.parse_args()
    truth, traps = read_labels(a.labels)
    s = score(truth, traps, read_detections(a.detections), a.tolerance)
    print(json.dumps(dict(
        precision=round(s.precision, 4), recall=round(s.recall, 4), f1=round(s.f1, 4), truth=s.truth, detections=s.detections,
        by_kind={k: f"{v[0]}/{v[1]}" for k, v in sorted(s.kinds.items())}, gradual_iou=s.overlap and round(s.overlap, 3),
        false_alarms=len(s.false_alarms), on_distractors=s.on_traps, distractors=s.traps, tolerance=a.tolerance)))


if __name__ == "__main__":
    main()
