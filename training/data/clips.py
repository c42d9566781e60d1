"""What all sources of samples share: sizes, views of a picture, and the sample itself.

A sample is a run of SHOTS shots of FRAMES frames each at RATE frames a second, with a caption a shot. The caption of a shot
after the first begins with how it follows: `Same shot: `, `Back to the earlier shot: ` or `Next scene: ` (the last is TAV's form).
"""
from dataclasses import dataclass

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 112, 64
RATE = 8
FRAMES = 8
SHOTS = 3
KINDS = ("same", "back", "next")
PREFIX = {"same": "Same shot: ", "back": "Back to the earlier shot: ", "next": "Next scene: ", "first": ""}


@dataclass
class Sample:
    """frames [SHOTS · FRAMES, HEIGHT, WIDTH, 3] of uint8; captions with their prefixes; how the last shot follows; its source."""
    frames: np.ndarray
    captions: list
    kind: str
    source: str


def kind_of(caption):
    """How a shot with this caption follows: "same", "back", "next", or "first" where it does not say."""
    return next((kind for kind in KINDS if caption.startswith(PREFIX[kind])), "first")


def captioned(texts, kinds):
    """Captions of shots that follow in these ways ("first" for the first)."""
    return [PREFIX[kind] + text for text, kind in zip(texts, kinds)]


def view(picture, box, size=(WIDTH, HEIGHT)):
    """What a camera sees whose frame is `box` (left, top, right, bottom, in pixels, not whole ones) of a PIL picture."""
    return picture.resize(size, Image.Resampling.BILINEAR, box=tuple(float(v) for v in box))


def inside(x, y, width, height, limits):
    """The box of this size nearest to the centre (x, y) that lies within (width, height) limits."""
    left = min(max(0.0, x - width / 2), limits[0] - width)
    top = min(max(0.0, y - height / 2), limits[1] - height)
    return max(0.0, left), max(0.0, top), min(limits[0], left + width), min(limits[1], top + height)


def largest(limits):
    """The largest box of the sample's shape within a picture of (width, height)."""
    scale = min(limits[0] / WIDTH, limits[1] / HEIGHT)
    return WIDTH * scale, HEIGHT * scale


def tinted(frames, rng, strength=0.08):
    """Other light: a gain for each colour and a gamma, the same for all frames."""
    table = np.linspace(0, 1, 256)[:, None] ** rng.uniform(1 - strength, 1 + strength) * rng.uniform(1 - strength, 1 + strength, 3)
    table = np.clip(table * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.stack([table[frames[..., c], c] for c in range(3)], axis=-1)


def is_held_out(name):
    """Whether a photo or cut-out is never trained on: a fifth of all, by its name."""
    value = 0
    for byte in name.encode():
        value = (value * 31 + byte) % 1_000_003
    return value % 5 == 0
