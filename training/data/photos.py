"""Samples out of photos: one picture, or two, under camera moves.

photos.u8 and photos.json of build.py: pictures as they are stored one after the other, each with name, what it shows, and size.
"""
import json
from pathlib import Path

import numpy as np
from PIL import Image

from clips import FRAMES, HEIGHT, SHOTS, WIDTH, Sample, captioned, inside, is_held_out, largest, tinted, view


def pictures(folder, name, split, channels=3):
    """[(caption, PIL picture)] of a split."""
    pixels = np.memmap(Path(folder) / f"{name}.u8", np.uint8, "r")
    items = []
    for item in json.loads((Path(folder) / f"{name}.json").read_text()):
        if is_held_out(item["name"]) == (split == "test"):
            count = item["height"] * item["width"] * channels
            part = pixels[item["offset"]:item["offset"] + count].reshape(item["height"], item["width"], channels)
            items.append((item["caption"], Image.fromarray(np.array(part))))
    return items


class Move:
    """A camera over a picture: from one place and zoom to another, evenly, over `frames` frames."""

    def __init__(self, rng, picture, frames, kind=None, still=0.15):
        self.limits = picture.size
        width, _ = largest(self.limits)
        # No closer than the stored pixels bear.
        closest = min(1.0, max(0.45, WIDTH * 0.9 / width))
        kind = kind or rng.choice(["pan", "in", "out", "still"], p=[0.5, 0.2, 0.2, 0.1])
        wide, close = rng.uniform(0.8, 1.0), rng.uniform(closest, max(closest, 0.65))
        middle = rng.uniform(max(closest, 0.5), 0.85)
        self.zooms = {"pan": (middle, middle), "in": (wide, close), "out": (close, wide), "still": (middle, middle), "wide": (0.98, 0.98), "close": (close, close)}[kind]
        a, b = rng.uniform(0.1, 0.9, 2), rng.uniform(0.1, 0.9, 2)
        if kind == "pan":
            a[0], b[0] = (0.15, 0.85) if rng.random() < 0.5 else (0.85, 0.15)
            b[1] = a[1] + rng.uniform(-0.15, 0.15)
            # Slower than from edge to edge.
            b = a + (b - a) * rng.uniform(0.3, 1.0)
        if kind in ("still", "wide"):
            b = a
        if kind == "close":
            a, b = 0.5 + 0.5 * (a - 0.5), 0.5 + 0.5 * (a - 0.5) + rng.uniform(-0.03, 0.03, 2)
        self.ends, self.frames, self.kind = (a, b), frames, kind
        across = b[0] - a[0]
        self.words = {"pan": f"the camera moves {'right' if across > 0 else 'left'} over ", "in": "the camera moves closer to ", "out": "the camera pulls back from ",
                      "still": "", "wide": "wide view of ", "close": "close-up of "}[kind]

    def box(self, frame):
        part = frame / max(1, self.frames - 1)
        zoom = np.exp(np.log(self.zooms[0]) * (1 - part) + np.log(self.zooms[1]) * part)
        width, height = (v * zoom for v in largest(self.limits))
        x, y = self.ends[0] * (1 - part) + self.ends[1] * part
        # Where the picture leaves room for the camera to go.
        return inside(width / 2 + x * (self.limits[0] - width), height / 2 + y * (self.limits[1] - height), width, height, self.limits)


def sentence(words):
    return words[:1].upper() + words[1:] + "."


class Photos:
    def __init__(self, folder, split):
        self.items = pictures(folder, "photos", split)

    def pick(self, rng):
        return self.items[rng.integers(len(self.items))]

    def sample(self, rng, kind, augment=True):
        caption, photo = self.pick(rng)
        plan, texts = [], []  # (picture, box) a frame

        def shoot(move, picture, frames, what):
            plan.extend((picture, move.box(k)) for k in frames)
            texts.append(sentence(move.words + what))

        if kind == "same":
            if rng.random() < 0.6:
                move = Move(rng, photo, SHOTS * FRAMES)
                for i in range(SHOTS):
                    shoot(move, photo, range(i * FRAMES, (i + 1) * FRAMES), caption)
                kinds = ("first", "same", "same")
            else:
                other, before = self.pick(rng) if rng.random() < 0.5 else (caption, photo)
                shoot(Move(rng, before, FRAMES), before, range(FRAMES), other)
                move = Move(rng, photo, 2 * FRAMES)
                for i in range(2):
                    shoot(move, photo, range(i * FRAMES, (i + 1) * FRAMES), caption)
                kinds = ("first", "next", "same")
        elif kind == "back":
            other, between = self.pick(rng) if rng.random() < 0.6 else (caption, photo)
            move = Move(rng, photo, 2 * FRAMES)
            shoot(move, photo, range(FRAMES), caption)
            shoot(Move(rng, between, FRAMES), between, range(FRAMES), other)
            shoot(move, photo, range(FRAMES, 2 * FRAMES), caption)
            kinds = ("first", "next", "back")
        else:
            ways = rng.permutation(["wide", "pan", "close"])
            for way in ways:
                shoot(Move(rng, photo, FRAMES, kind=str(way)), photo, range(FRAMES), caption)
            kinds = ("first", "next", "next")
        frames = np.stack([np.asarray(view(picture, box)) for picture, box in plan])
        if augment and rng.random() < 0.3:
            frames = tinted(frames, rng)
        return Sample(frames, captioned(texts, kinds), kind, "photo")
