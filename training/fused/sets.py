"""Composes labelled training sequences of 48x27 thumbnails out of continuous shots.

A wider world than Tests/tools/compose_film.py, so that a rule trained here has not merely learnt that composer: wipes
in eight directions, hard and soft, pushes, irises; dissolves in gamma and with easing; fades through any colour; shots
at other speeds and with repeated frames; letterboxes, grain; flashes, exposure, shake, whip pans, titles and frozen
frames as what must not be reported.

    sets.py MEDIA.npz OUT_FOLDER --seeds 1000-1039 [--only NAME,NAME…]

MEDIA.npz comes from media.py: one array [frames, 108, 192, 3] a continuous shot. Each sequence becomes OUT_FOLDER/SEED.npz
with `thumbnails` [T, 27, 48, 3] uint8, and OUT_FOLDER/SEED.json with labels as compose_film.py writes them.
"""
import argparse
import json
import random
from pathlib import Path

import numpy as np

WIDTH, HEIGHT = 192, 108


def cubic(n_in, n_out):
    """swscale's bicubic (B = 0, C = 0.6) for reduction, as a matrix [n_out, n_in]."""
    scale = n_in / n_out
    centre = (np.arange(n_out)[:, None] + 0.5) * scale - 0.5
    x = np.abs(np.arange(n_in)[None] - centre) / scale
    c = 0.6
    w = np.where(x < 1, (2 - c) * x**3 + (c - 3) * x**2 + 1, np.where(x < 2, -c * x**3 + 5 * c * x**2 - 8 * c * x + 4 * c, 0))
    return (w / w.sum(1, keepdims=True)).astype(np.float32)


DOWN_Y, DOWN_X = cubic(HEIGHT, 27), cubic(WIDTH, 48)


def thumbnails(frames):
    x = frames.astype(np.float32)
    x = np.einsum("yh,nhwc->nywc", DOWN_Y, x, optimize=True)
    x = np.einsum("xw,nywc->nyxc", DOWN_X, x, optimize=True)
    return x


def ramp(n, rnd):
    """Progress of a transition over its n inner frames: linear most often, eased else."""
    a = np.arange(1, n + 1) / (n + 1)
    r = rnd.random()
    if r < 0.7:
        return a
    if r < 0.85:
        return a * a * (3 - 2 * a)
    return a ** rnd.uniform(0.7, 1.4)


def wipe_masks(alphas, rnd):
    """[n, H, W, 1]: share of the new shot."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    x, y = (x + 0.5) / WIDTH, (y + 0.5) / HEIGHT
    shape = rnd.choices(["right", "left", "down", "up", "diagonal", "iris", "box", "barn"], [34, 18, 14, 14, 9, 4, 3, 4])[0]
    if shape == "right": d = x
    elif shape == "left": d = 1 - x
    elif shape == "down": d = y
    elif shape == "up": d = 1 - y
    elif shape == "diagonal":
        u = x if rnd.random() < 0.5 else 1 - x
        v = y if rnd.random() < 0.5 else 1 - y
        d = (u + v) / 2
    elif shape == "iris": d = np.hypot(x - 0.5, y - 0.5) / np.hypot(0.5, 0.5)
    elif shape == "box": d = np.maximum(abs(x - 0.5), abs(y - 0.5)) * 2
    else: d = abs(x - 0.5) * 2
    if shape in ("iris", "box", "barn") and rnd.random() < 0.5: d = 1 - d
    soft = 0.004 if rnd.random() < 0.6 else rnd.uniform(0.01, 0.2)
    edge = alphas * (1 + soft) - soft / 2
    return np.clip((edge[:, None, None] - d[None]) / soft + 0.5, 0, 1)[..., None].astype(np.float32)


def mix(x, y, a, rnd):
    """Dissolve from x to y; in linear light or some other gamma at times."""
    if rnd.random() < 0.75:
        return x * (1 - a) + y * a
    g = rnd.uniform(1.4, 2.4)
    return 255 * (((x / 255) ** g) * (1 - a) + ((y / 255) ** g) * a) ** (1 / g)


def push(x, y, alphas, rnd):
    out = np.empty_like(x)
    side = rnd.randrange(4)
    for i, a in enumerate(alphas):
        if side < 2:
            n = int(round(a * WIDTH))
            pair = np.concatenate([x[i], y[i]] if side == 0 else [y[i], x[i]], 1)
            o = n if side == 0 else WIDTH - n
            out[i] = pair[:, o:o + WIDTH]
        else:
            n = int(round(a * HEIGHT))
            pair = np.concatenate([x[i], y[i]] if side == 2 else [y[i], x[i]], 0)
            o = n if side == 2 else HEIGHT - n
            out[i] = pair[o:o + HEIGHT]
    return out


def disturb(body, other, rnd):
    """Changes `body` in place with something that is no boundary; returns (what, first frame, length) or None.

    `other`: a frame of another shot, of which things that move across the picture are made.
    """
    length = len(body)
    if length < 37: return None
    what = rnd.choices(["flash", "exposure", "shake", "title", "whip", "freeze", "occlude", "pan"], [24, 16, 20, 8, 8, 4, 14, 8])[0]
    p = rnd.randint(8, length - 16)
    if what == "flash":
        d = rnd.randint(1, 3) if rnd.random() < 0.8 else rnd.randint(4, 6)
        f = body[p:p + d].astype(np.float32)
        r = rnd.random()
        if r < 0.6: f += rnd.randint(60, 220)
        elif r < 0.75: f -= rnd.randint(60, 220)
        elif r < 0.9: f *= rnd.uniform(1.6, 3)
        else:
            y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
            f += (rnd.randint(120, 300) * np.exp(-((x - rnd.uniform(0, WIDTH)) ** 2 + (y - rnd.uniform(0, HEIGHT)) ** 2) / (2 * rnd.uniform(20, 80) ** 2)))[None, :, :, None]
        if d == 3 and rnd.random() < 0.3: f[0] = (f[0] + body[p]) / 2
        body[p:p + d] = np.clip(f, 0, 255)
    elif what == "exposure":
        d = min(rnd.randint(6, 30), length - p - 4)
        g = rnd.choice([rnd.uniform(0.35, 0.75), rnd.uniform(1.3, 2.0)])
        gain = np.interp(np.arange(d), [0, d * rnd.uniform(0.3, 0.7), d], [1, g, 1])
        if rnd.random() < 0.3: gain = np.interp(np.arange(d), [0, d], [1, g]); body[p + d:] = np.clip(body[p + d:] * g, 0, 255)
        body[p:p + d] = np.clip(body[p:p + d] * gain[:, None, None, None], 0, 255)
    elif what == "shake":
        d = min(rnd.randint(5, 20), length - p - 4)
        ax, ay = rnd.randint(2, 10), rnd.randint(1, 7)
        x = y = 0
        for q in range(d):
            if rnd.random() < 0.6: x, y = rnd.randint(-ax, ax), rnd.randint(-ay, ay)
            body[p + q] = np.roll(body[p + q], (y, x), (0, 1))
    elif what == "title":
        d = min(rnd.randint(10, 60), length - p - 2)
        h, w = rnd.randint(8, 40), rnd.randint(30, 150)
        y, x = rnd.randint(0, HEIGHT - h), rnd.randint(0, WIDTH - w)
        ink = np.random.default_rng(rnd.randrange(1 << 30)).random((1, h, w, 1)) < 0.4
        a = np.clip(np.minimum(np.arange(d) + 1, np.arange(d, 0, -1)) / rnd.choice([1, 1, 6, 12]), 0, 1)[:, None, None, None] * ink
        part = body[p:p + d, y:y + h, x:x + w].astype(np.float32)
        body[p:p + d, y:y + h, x:x + w] = part * (1 - a) + rnd.choice([0, 255, 255]) * a
    elif what == "whip":
        d = min(rnd.randint(4, 16), length - p - 4)
        total = rnd.choice([-1, 1]) * rnd.randint(60, 192)
        for q in range(d):
            v = total / d
            o = int(total * (q + 1) / d)
            f = np.mean([np.roll(body[p + q], int(o + v * k / 4), 1).astype(np.float32) for k in range(4)], 0)
            body[p + q] = f
        body[p + d:] = np.roll(body[p + d:], int(total), 2)
    elif what == "freeze":
        d = min(rnd.randint(3, 20), length - p - 2)
        body[p:p + d] = body[p]
    elif what == "pan":
        d = min(rnd.randint(8, 48), length - p - 4)
        across, down = rnd.choice([-1, 1]) * rnd.randint(20, 192), rnd.choice([0, 0, rnd.randint(-60, 60)])
        for q in range(d): body[p + q] = np.roll(body[p + q], (int(down * (q + 1) / d), int(across * (q + 1) / d)), (0, 1))
        body[p + d:] = np.roll(body[p + d:], (down, across), (1, 2))
    else:
        # Somebody walks past the camera, or a gate closes and opens.
        d = min(rnd.randint(6, 48), length - p - 4)
        upright = rnd.random() < 0.75
        extent = WIDTH if upright else HEIGHT
        w = rnd.randint(extent // 8, extent)
        flat = rnd.random() < 0.3
        thing = np.full_like(other, rnd.randint(0, 255)) if flat else other
        sign = rnd.choice([-1, 1])
        for q in range(d):
            e = (q + 1) / (d + 1) * (extent + w)
            lo, hi = int(max(0, e - w)), int(min(extent, e))
            if sign < 0: lo, hi = extent - hi, extent - lo
            if upright: body[p + q, :, lo:hi] = thing[:, lo:hi]
            else: body[p + q, lo:hi] = thing[lo:hi]
    return what, p, d


def load_shot(media, name, want, rnd):
    frames = media[name]
    speed = rnd.choices([1, 0.5, 0.8, 1.2, 2.0, 0.96], [60, 10, 6, 6, 6, 12])[0]
    n = min(want, int(len(frames) / speed))
    start = rnd.randint(0, max(0, int(len(frames) / speed) - n)) if rnd.random() < 0.5 else 0
    index = np.minimum(((start + np.arange(n)) * speed).astype(int), len(frames) - 1)
    shot = frames[index]
    if rnd.random() < 0.3: shot = shot[:, :, ::-1]
    if rnd.random() < 0.15: shot = shot[::-1]
    if rnd.random() < 0.2:
        shot = np.clip(255 * (shot / 255.0) ** rnd.uniform(0.6, 1.6), 0, 255)
    if rnd.random() < 0.07: shot = shot * 0.35
    if rnd.random() < 0.05: shot = shot.mean(3, keepdims=True).repeat(3, 3)
    return np.array(shot, np.uint8)


def neighbour(name, names, rnd):
    """A shot of the same scenery: the same clip, or one of the next shots of the film."""
    if not name.startswith("film@"): return name
    i = names.index(name) + rnd.choice([-2, -1, 1, 2, 3])
    return names[i] if 0 <= i < len(names) and names[i].startswith("film@") else name


def compose(media, seed, shots=36, disturbed=0.5):
    rnd = random.Random(seed)
    noise = np.random.default_rng(seed)
    names = sorted(media, key=lambda n: (n.split("@")[0], int(n.split("@")[1]) if "@" in n else 0, n))
    groups = {}
    for name in names: groups.setdefault(name.split("@")[0].split("#")[0], []).append(name)
    weights = {g: {"film": 40, "photo": 18}.get(g, 42 / max(1, len(groups) - 2)) for g in groups}
    bar = rnd.choice([0] * 6 + [rnd.randint(6, 16)])
    pillar = rnd.choice([0] * 9 + [rnd.randint(8, 26)])
    grain = rnd.choice([0, 0, 0.5, 1.0, 2.0])
    out, transitions, distractors = [], [], []
    count, made, tail, last = 0, 0, None, None

    def emit(frames):
        nonlocal count
        if len(frames) == 0: return
        x = frames.astype(np.float32)
        if bar: x[:, :bar] = 0; x[:, HEIGHT - bar:] = 0
        if pillar: x[:, :, :pillar] = 0; x[:, :, WIDTH - pillar:] = 0
        out.append(thumbnails(x))
        count += len(frames)

    while made < shots:
        group = rnd.choices(list(groups), [weights[g] for g in groups])[0]
        name = rnd.choice(groups[group])
        similar = last is not None and rnd.random() < 0.22
        if similar: name = neighbour(last, names, rnd)
        elif name == last: continue
        want = rnd.randint(5, 40) if rnd.random() < 0.25 else rnd.randint(18, 110) + 40
        shot = load_shot(media, name, want, rnd)
        # What nobody can see is no boundary.
        if len(shot) < 5 or tail is not None and np.abs(tail[-1].astype(np.int16) - shot[0]).mean() < 9: continue
        last = name
        kind, k = None, 0
        if tail is not None:
            kind = rnd.choices(["cut", "dissolve", "fade", "wipe", "push"], [50, 19, 13, 16, 2])[0]
            if similar and rnd.random() < 0.6 or min(len(tail) - 2, len(shot) - 4) < 4: kind = "cut"
        room = min(len(tail) - 2, len(shot) - 4) if tail is not None else 0
        if kind == "cut":
            emit(tail)
            transitions.append(dict(kind="cut", start=count - 1, end=count))
        elif kind in ("dissolve", "wipe", "push"):
            k = int(round(np.exp(rnd.uniform(np.log(2), np.log(30))))) if rnd.random() < 0.3 else rnd.randint(4, 48)
            k = max(2, min(k, room))
            emit(tail[:-k])
            s = count - 1
            x, y = tail[-k:].astype(np.float32), shot[:k].astype(np.float32)
            a = ramp(k, rnd)
            if kind == "dissolve": m = mix(x, y, a[:, None, None, None].astype(np.float32), rnd)
            elif kind == "wipe":
                w = wipe_masks(a, rnd)
                m = x * (1 - w) + y * w
            else: m = push(x, y, a, rnd)
            emit(m)
            transitions.append(dict(kind="wipe" if kind == "push" else kind, start=s, end=count))
        elif kind == "fade":
            o, i = rnd.randint(3, 28), rnd.randint(3, 28)
            if rnd.random() < 0.08: o = 1  # cut to black, fade in; and the other way round
            elif rnd.random() < 0.08: i = 1
            hold = rnd.choice([0, 0, rnd.randint(1, 14)])
            o, i = min(o, room), min(i, room)
            apart = rnd.random() < 0.15  # a dark so long that it is a shot of its own
            if apart: hold = rnd.randint(20, 60)
            level = rnd.choices([np.zeros(3), np.full(3, 255.0), np.array([rnd.uniform(0, 255) for _ in range(3)])], [65, 25, 10])[0].astype(np.float32)
            a, b = np.arange(1, o + 1) / o, np.arange(i, 0, -1) / (i + 1)
            if rnd.random() < 0.2: a, b = a ** rnd.uniform(0.7, 1.5), b ** rnd.uniform(0.7, 1.5)
            g = lambda f, al: f.astype(np.float32) * (1 - al)[:, None, None, None] + level * al[:, None, None, None]
            emit(tail[:-o])
            s = count - 1
            emit(g(tail[-o:], a))
            if apart: transitions.append(dict(kind="fade" if o > 1 else "cut", start=s, end=count - 1))
            emit(np.broadcast_to(level, (hold, HEIGHT, WIDTH, 3)))
            if apart:
                s = count - 1
                if i == 1: i = 0
            emit(g(shot[:i], b[:i]))
            transitions.append(dict(kind="fade" if i or not apart else "cut", start=s, end=count))
            k = i
        body, off = shot[k:], count
        if rnd.random() < disturbed:
            found = disturb(body, rnd.choice(media[rnd.choice(names)]), rnd)
            if found: distractors.append(dict(kind=found[0], start=off + found[1], end=off + found[1] + found[2]))
        tail = body
        made += 1
        if len(tail) > 40:
            emit(tail[:-40])
            tail = tail[-40:]
    emit(tail)
    x = np.concatenate(out)
    if grain: x = x + noise.normal(0, grain, x.shape)
    return np.clip(np.rint(x), 0, 255).astype(np.uint8), dict(frames=len(x), transitions=transitions, distractors=distractors)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("media"), ap.add_argument("out"), ap.add_argument("--seeds", default="1000-1039")
    ap.add_argument("--shots", type=int, default=36), ap.add_argument("--only", default="")
    ap.add_argument("--disturbed", type=float, default=0.5)
    a = ap.parse_args()
    media = dict(np.load(a.media))
    if a.only: media = {k: v for k, v in media.items() if any(k.startswith(o) for o in a.only.split(","))}
    first, last = map(int, a.seeds.split("-"))
    Path(a.out).mkdir(parents=True, exist_ok=True)
    for seed in range(first, last + 1):
        x, labels = compose(media, seed, a.shots, a.disturbed)
        np.savez(f"{a.out}/{seed}.npz", thumbnails=x)
        Path(f"{a.out}/{seed}.json").write_text(json.dumps(labels))
        print(seed, len(x), len(labels["transitions"]), len(labels["distractors"]), flush=True)


if __name__ == "__main__":
    main()
