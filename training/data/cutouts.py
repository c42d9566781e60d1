"""Samples out of named cut-outs that move over photos.

cutouts.u8 and cutouts.json of build.py: RGBA pictures, each with a sentence that names it.
"""
import numpy as np
from PIL import Image

from clips import FRAMES, HEIGHT, SHOTS, WIDTH, Sample, captioned
from photos import Move, pictures, sentence
from clips import view


class Path:
    """Where a cut-out is, how large and how turned, over `frames` frames."""

    def __init__(self, rng, frames):
        self.way = rng.choice(["slide", "hop", "grow", "sway", "stand"], p=[0.35, 0.25, 0.15, 0.15, 0.1])
        self.size = rng.uniform(0.4, 0.8) * HEIGHT
        self.grown = rng.uniform(1.2, 1.7) ** rng.choice([-1, 1]) if self.way == "grow" else 1.0
        self.ground = rng.uniform(0.5, 0.75) * HEIGHT
        self.start, end = rng.uniform(0.15, 0.85, 2) * WIDTH
        if self.way in ("slide", "hop"):
            end = WIDTH - self.start if rng.random() < 0.7 else end
        else:
            end = self.start
        self.end, self.frames = end, frames
        self.hops = rng.uniform(0.5, 1.0) / FRAMES
        self.words = {"slide": "moves left" if end < self.start else "moves right", "hop": "hops left" if end < self.start else "hops right",
                      "grow": "comes nearer" if self.grown > 1 else "goes away", "sway": "sways", "stand": "stands still"}[self.way]

    def at(self, frame):
        """x, y of the centre in pixels, height in pixels, degrees."""
        part = frame / max(1, self.frames - 1)
        x, y, turn = self.start + (self.end - self.start) * part, self.ground, 0.0
        if self.way == "hop":
            y -= abs(np.sin(np.pi * self.hops * frame)) * 0.25 * HEIGHT
        if self.way == "sway":
            turn = 18 * np.sin(2 * np.pi * frame / (1.5 * FRAMES))
        return x, y, self.size * self.grown**part, turn


def draw(background, cutout, place):
    x, y, height, turn = place
    scale = height / max(cutout.height, cutout.width * 0.75)
    if turn:
        cutout = cutout.rotate(turn, Image.Resampling.BILINEAR, expand=True)
    size = max(2, round(cutout.width * scale)), max(2, round(cutout.height * scale))
    # Moved by parts of a pixel: the box around it, in its own pixels, is not a whole one.
    left, top = x - size[0] / 2, y - size[1] / 2
    shifted = cutout.transform(
        (size[0] + 1, size[1] + 1), Image.Transform.AFFINE,
        (1 / scale, 0, -(left % 1) / scale, 0, 1 / scale, -(top % 1) / scale), Image.Resampling.BILINEAR) if scale > 0.8 else None
    if shifted is None:
        shifted = cutout.resize(size, Image.Resampling.BILINEAR)
        left, top = round(left), round(top)
    background.paste(shifted, (int(left // 1), int(top // 1)), shifted)
    return background


class Cutouts:
    def __init__(self, folder, split):
        self.cutouts = pictures(folder, "cutouts", split, channels=4)
        self.photos = pictures(folder, "photos", split)

    def sample(self, rng, kind, augment=True):
        def scene(cutout=None, place=None):
            name, picture = cutout or self.cutouts[rng.integers(len(self.cutouts))]
            where, photo = place or self.photos[rng.integers(len(self.photos))]
            return (name, picture), (where, photo)

        def shoot(actor, place, path, move, frames):
            for k in frames:
                background = view(place[1], move.box(k))
                parts.append(np.asarray(draw(background, actor[1], path.at(k))))
            texts.append(sentence(f"{actor[0]} {path.words} before {place[0]}"))

        parts, texts = [], []
        begin = lambda place, frames: (Path(rng, frames), Move(rng, place[1], frames, kind="still" if rng.random() < 0.7 else "pan"))
        actor, place = scene()
        if kind == "same":
            count = SHOTS if rng.random() < 0.6 else 2
            if count < SHOTS:
                other = scene(actor if rng.random() < 0.5 else None)
                shoot(*other, *begin(other[1], FRAMES), range(FRAMES))
            path, move = begin(place, count * FRAMES)
            for i in range(count):
                shoot(actor, place, path, move, range(i * FRAMES, (i + 1) * FRAMES))
            kinds = ("first", "same" if count == SHOTS else "next", "same")
        elif kind == "back":
            path, move = begin(place, 2 * FRAMES)
            other = scene()
            shoot(actor, place, path, move, range(FRAMES))
            shoot(*other, *begin(other[1], FRAMES), range(FRAMES))
            shoot(actor, place, path, move, range(FRAMES, 2 * FRAMES))
            kinds = ("first", "next", "back")
        else:
            path, move = begin(place, 2 * FRAMES)
            for i in range(2):
                shoot(actor, place, path, move, range(i * FRAMES, (i + 1) * FRAMES))
            # The same actor elsewhere, or another one at the same place.
            actor, place = scene(actor, None) if rng.random() < 0.5 else scene(None, place)
            shoot(actor, place, *begin(place, FRAMES), range(FRAMES))
            kinds = ("first", "same", "next")
        return Sample(np.stack(parts), captioned(texts, kinds), kind, "cutout")
