"""Trains the combiner.

    train.py OUT.safetensors FOLDER… [--epochs 60] [--check FOLDER…]

FOLDER: SEED.npz, SEED.json of sets.py and SEED.p.npy, TransNetV2's [T, 2] outputs on its thumbnails (predict.py).
"""
import argparse
import glob
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

import cues
import model

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests/tools"))
import score as scoring

IGNORE = -1


def load(folders):
    out = []
    for folder in folders:
        for path in sorted(glob.glob(f"{folder}/*.p.npy")):
            base = path[:-6]
            rows = Path(base + ".c.npy")
            p = np.load(path)
            if rows.exists() and rows.stat().st_mtime > max(Path(path).stat().st_mtime, Path(cues.__file__).stat().st_mtime): r = np.load(rows)
            else:
                x = np.load(base + ".npz")["thumbnails"] if Path(base + ".npz").exists() else np.load(base + ".x.npy")
                r = cues.rows(x, p)
                np.save(rows, r)
            out.append((base, r, p, json.loads(Path(base + ".json").read_text())))
    return out


def targets(labels, n):
    """[n, 6]: boundary, inside, kind (IGNORE elsewhere), ln(1 + since start), ln(1 + to end), weight of these three."""
    y = np.zeros((n, 6), np.float32)
    y[:, 2] = IGNORE
    t = np.arange(n)
    for tr in labels["transitions"]:
        s, e, kind = tr["start"], tr["end"], scoring.family(tr["kind"])
        middle = (s + e + 1) // 2
        sigma = max(0.35, (e - s) * 0.10)
        bell = np.exp(-((t - middle) ** 2) / (2 * sigma**2))
        y[:, 0] = np.maximum(y[:, 0], np.where(bell > 0.02, bell, 0))
        y[s + 1:e, 1] = 1
        near = (t > s) & (t <= e)
        y[near, 2] = model.KINDS.index(kind)
        y[near, 3] = np.log1p(np.maximum(t[near] - s, 0))
        y[near, 4] = np.log1p(np.maximum(e - t[near], 0))
        y[near, 5] = np.maximum(bell[near], 0.1)
    return y


def evaluate(net, data, threshold):
    total = scoring.Score()
    for _, rows, p, labels in data:
        found = model.decide(model.outputs(net, rows), p[:, 0], threshold, rows)
        total += scoring.score([(t["start"], t["end"], t["kind"]) for t in labels["transitions"]], labels["distractors"], [f[:3] for f in found])
    return total


def line(s):
    show = lambda v: "-" if v is None else f"{v:.3f}"
    return (f"F1 {s.f1:.4f} P {s.precision:.3f} R {s.recall:.3f} iou {show(s.overlap)} kind {s.named[0]}/{s.named[1]} "
            + " ".join(f"{k} {show(s.recall_of(k))}" for k in model.KINDS) + f" traps {s.traps_hit}/{s.traps}")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("out"), ap.add_argument("folders", nargs="+"), ap.add_argument("--epochs", type=int, default=40)
    ap.add_argument("--check", nargs="*", default=[]), ap.add_argument("--seed", type=int, default=1), ap.add_argument("--batches", type=int, default=200)
    a = ap.parse_args()
    torch.set_num_threads(1), torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    data, check = load(a.folders), load(a.check)
    net = model.network()
    R = model.REACH
    every = np.concatenate([d[1][R:-R] for d in data])
    net.mean.copy_(torch.from_numpy(every.mean(0)))
    net.scale.copy_(torch.from_numpy(1 / (every.std(0) + 1e-3)))
    print(len(data), "sequences", len(every), "frames", sum(p.numel() for p in net.parameters()), "parameters", flush=True)
    length, batch = 192, 24
    items = [(r[R:-R], p, targets(l, len(p))) for _, r, p, l in data]
    weights = np.array([len(r) for r, _, _ in items]) / len(every)
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=a.epochs * a.batches)
    for epoch in range(a.epochs):
        started, total = time.time(), 0
        net.train()
        for _ in range(a.batches):
            xs, ys = [], []
            for i in rng.choice(len(items), batch, p=weights):
                r, p, y = items[i]
                o = rng.integers(R, len(r) - length - R)
                x = r[o - R:o + length + R].copy()
                # Another implementation or precision of the network gives slightly other probabilities.
                q = np.clip(np.exp(x[:, 2:4]) - 0.02 + rng.normal(0, rng.choice([0, 0.004, 0.012]), (len(x), 2)), 0, 1)
                x[:, 0:2], x[:, 2:4] = q, np.log(q + 0.02)
                xs.append(x), ys.append(y[o:o + length])
            x, y = torch.from_numpy(np.stack(xs)), torch.from_numpy(np.stack(ys))
            o = net(x, 0.05)
            functional = torch.nn.functional
            # A cut has one frame to be learnt from, a gradual transition many.
            weight = torch.where(y[..., 0] > 0, torch.where(y[..., 2] == 0, 10.0, 6.0), 1.0)
            loss = 4 * (functional.binary_cross_entropy_with_logits(o[..., 0], y[..., 0], reduction="none") * weight).mean()
            loss = loss + functional.binary_cross_entropy_with_logits(o[..., 1], y[..., 1])
            known = y[..., 2] >= 0
            w = y[known][:, 5]
            loss = loss + 0.3 * (functional.cross_entropy(o[known][:, 2:6], y[known][:, 2].long(), reduction="none") * w).sum() / w.sum()
            gradual = known & (y[..., 2] > 0)
            w = y[gradual][:, 5:]
            loss = loss + 1.5 * (functional.smooth_l1_loss(o[gradual][:, 6:8], y[gradual][:, 3:5], beta=0.1, reduction="none") * w).sum() / (2 * w.sum())
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step(), schedule.step()
            total += loss.item()
        net.eval()
        if epoch % 5 == 4 or epoch == a.epochs - 1:
            print(f"{epoch} loss {total / a.batches:.4f} {time.time() - started:.1f}s", flush=True)
            for threshold in (0.3, 0.4, 0.5) if check else ():
                print("   ", threshold, line(evaluate(net, check, threshold)), flush=True)
    model.save(net, a.out)


if __name__ == "__main__":
    main()
