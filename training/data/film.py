"""Samples out of the film: runs of shots of one scene, by the table film.tsv.

film.tsv: a shot's number, first and last frame (of 24 a second), scene, framing (the first shot with the same camera position and
subject), split, caption. Shots are those of Tests/tools/labels, captions were written by looking at each shot.
"""
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from clips import FRAMES, HEIGHT, SHOTS, WIDTH, Sample, captioned, inside, largest, tinted, view

STORED = (144, 80)
STEP = 3  # film frames a sample's frame
SPAN = STEP * (FRAMES - 1) + 1  # film frames that a shot of a sample needs
NEXT = STEP * FRAMES  # from the first frame of a shot to that of the one that goes on


@dataclass(frozen=True)
class Shot:
    number: int
    first: int
    last: int
    scene: str
    framing: int
    split: str
    caption: str

    @property
    def length(self):
        return self.last - self.first + 1


def shots(path=Path(__file__).with_name("film.tsv")):
    with open(path) as file:
        return [
            Shot(int(r["shot"]), int(r["first"]), int(r["last"]), r["scene"], int(r["framing"]), r["split"], r["caption"])
            for r in csv.DictReader(file, delimiter="\t")]


class Film:
    """
    folder: with film.u8, frames [n, 80, 144, 3] of uint8.
    split: "train" or "test".
    """

    def __init__(self, folder, split):
        self.pixels = np.memmap(Path(folder) / "film.u8", np.uint8, "r").reshape(-1, STORED[1], STORED[0], 3)
        self.shots = [s for s in shots() if s.split == split and s.length >= SPAN]
        self.index = {s.number: i for i, s in enumerate(self.shots)}
        self.runs = {}
        for shot in self.shots:
            self.runs.setdefault(shot.scene, []).append(shot)
        # Each way with everything that it can begin from, and how much there is of it.
        self.long = [s for s in self.shots if s.length >= SPAN + 2 * NEXT]
        self.pairs = [s for s in self.shots if s.length >= SPAN + NEXT]
        self.returns = [
            (a, b, c) for run in self.runs.values() for i, a in enumerate(run) for b in run[i + 1:] for c in run[i + 2:]
            if a.number < b.number < c.number <= a.number + 8 and a.framing == c.framing != b.framing]
        self.follows = [
            (a, b, c) for run in self.runs.values() for a, b, c in zip(run, run[1:], run[2:])
            if c.number - a.number <= 3 and c.framing not in (a.framing, b.framing)]
        self.steps = [
            (a, b) for run in self.runs.values() for a, b in zip(run, run[1:]) if b.number - a.number <= 2 and a.framing != b.framing]

    def start(self, rng, shot, where, room=0):
        """First film frame of a clip: at its shot's end, at its start, or anywhere; `room` frames stay free after it."""
        low, high = shot.first, shot.last - SPAN + 1 - room
        if where == "end" and rng.random() < 0.6:
            low = max(low, high - STEP)
        if where == "start" and rng.random() < 0.6:
            high = min(high, low + STEP)
        return int(rng.integers(low, high + 1))

    def plan(self, rng, kind):
        """[(shot, first frame)] of the sample's shots, and how each follows."""
        weighted = lambda items: items[rng.choice(len(items), p=(w := np.array([i.length for i in items], float)) / w.sum())]
        if kind == "same":
            if rng.random() < 0.6:
                shot = weighted(self.long)
                first = self.start(rng, shot, "any", 2 * NEXT)
                return [(shot, first + NEXT * i) for i in range(3)], ("first", "same", "same")
            shot = weighted(self.pairs)
            before = self.neighbour(rng, shot)
            first = self.start(rng, shot, "start", NEXT)
            return [(before, self.start(rng, before, "end")), (shot, first), (shot, first + NEXT)], ("first", "next", "same")
        if kind == "back":
            if self.returns and rng.random() < 0.5:
                a, b, c = self.returns[rng.integers(len(self.returns))]
                return [(a, self.start(rng, a, "end")), (b, self.start(rng, b, "any")), (c, self.start(rng, c, "start"))], ("first", "next", "back")
            shot = weighted(self.pairs)
            between = self.neighbour(rng, shot)
            first = self.start(rng, shot, "any", NEXT)
            later = int(min(first + NEXT + rng.integers(0, NEXT), shot.last - SPAN + 1))
            return [(shot, first), (between, self.start(rng, between, "any")), (shot, later)], ("first", "next", "back")
        if rng.random() < 0.6 and self.follows:
            a, b, c = self.follows[rng.integers(len(self.follows))]
            return [(a, self.start(rng, a, "end")), (b, self.start(rng, b, "any")), (c, self.start(rng, c, "start"))], ("first", "next", "next")
        long = [(a, b) for a, b in self.steps if a.length >= SPAN + NEXT]
        a, b = long[rng.integers(len(long))]
        first = self.start(rng, a, "end", NEXT)
        return [(a, first), (a, first + NEXT), (b, self.start(rng, b, "start"))], ("first", "same", "next")

    def neighbour(self, rng, shot):
        """A shot of the same scene, near by and of another framing; of any scene if there is none."""
        near = [s for s in self.runs[shot.scene] if abs(s.number - shot.number) <= 3 and s.framing != shot.framing]
        near = near or [s for s in self.shots if abs(s.number - shot.number) <= 6 and s.framing != shot.framing] or [s for s in self.shots if s.framing != shot.framing]
        return near[rng.integers(len(near))]

    def sample(self, rng, kind, augment=True):
        plan, kinds = self.plan(rng, kind)
        frames = self.frames(plan, rng if augment else None)
        return Sample(frames, captioned([shot.caption for shot, _ in plan], kinds), kind, "film")

    def frames(self, plan, rng=None):
        """[SHOTS · FRAMES, HEIGHT, WIDTH, 3]; seen through one crop, perhaps mirrored, in other light, if `rng` is given."""
        width, height = largest(STORED)
        zoom = 1.0 if rng is None or rng.random() < 0.3 else rng.uniform(1, 1.25)
        x, y = (0.5, 0.5) if rng is None else rng.random(2)
        box = inside(x * STORED[0], y * STORED[1], width / zoom, height / zoom, STORED)
        frames = np.empty((SHOTS * FRAMES, HEIGHT, WIDTH, 3), np.uint8)
        for i, (_, first) in enumerate(plan):
            for k in range(FRAMES):
                frames[i * FRAMES + k] = view(Image.fromarray(self.pixels[first + STEP * k]), box)
        if rng is not None:
            if rng.random() < 0.5:
                frames = np.ascontiguousarray(frames[:, :, ::-1])
            if rng.random() < 0.5:
                frames = tinted(frames, rng)
        return frames
