"""Decodes the training sources into MEDIA.npz: one array [frames, 108, 192, 3] a continuous shot.

    media.py OUT.npz --film FILM.mp4 --labels FILM.tsv --clips FOLDER… --photos FOLDER

Clips are continuous shots; the film is divided at its labels; each photo becomes a slow camera move of 150 frames.
Keys: `film@FRAME`, `photo#NUMBER`, or the clip's file name.
"""
import argparse
import csv
import random
import subprocess
from pathlib import Path

import numpy as np

W, H = 192, 108


def decode(path, fps=None, start=0, frames=None):
    fit = f"scale={W}:{H}:force_original_aspect_ratio=increase:flags=area,crop={W}:{H}"
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-an", "-vf", (f"fps={fps}," if fps else "") + fit,
               "-pix_fmt", "rgb24", "-f", "rawvideo"] + (["-frames:v", str(frames)] if frames else []) + ["-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, H, W, 3)


def move(photo, rnd, frames=150):
    """A slow pan and zoom over a picture, with sub-pixel steps."""
    import cv2
    h, w = photo.shape[:2]
    zoom = [rnd.uniform(0.55, 0.95) for _ in range(2)]
    out = np.empty((frames, H, W, 3), np.uint8)
    base = min(w / W, h / H)
    ends = []
    for z in zoom:
        s = base * z
        ends.append((s, rnd.uniform(0, w - W * s), rnd.uniform(0, h - H * s)))
    still = rnd.random() < 0.25
    for i in range(frames):
        a = 0 if still else i / (frames - 1)
        s, x, y = (p * (1 - a) + q * a for p, q in zip(*ends))
        out[i] = cv2.warpAffine(photo, np.array([[s, 0, x], [0, s, y]]), (W, H), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("out"), ap.add_argument("--film"), ap.add_argument("--labels"), ap.add_argument("--clips", nargs="*", default=[]), ap.add_argument("--photos")
    ap.add_argument("--most-photos", type=int, default=80)
    a = ap.parse_args()
    media = {}
    for folder in a.clips:
        for path in sorted(Path(folder).iterdir()) if Path(folder).is_dir() else [Path(folder)]:
            media[path.name] = decode(path, 25)
    if a.film:
        film = decode(a.film)
        edges = sorted((int(r["start"]), int(r["end"])) for r in csv.DictReader(open(a.labels), delimiter="\t"))
        for (_, left), (right, _) in zip(edges, edges[1:]):
            if right - left > 46: media[f"film@{left}"] = film[left + 3:right - 3]
    if a.photos:
        import cv2
        rnd = random.Random(7)
        paths = sorted(p for p in Path(a.photos).rglob("*.jpg") if p.stat().st_size > 60000)
        rnd.shuffle(paths)
        for i, path in enumerate(paths[:a.most_photos]):
            photo = cv2.imread(str(path))
            if photo is None or min(photo.shape[:2]) < 108: continue
            photo = photo[:, :, ::-1].copy()
            scale = 400 / photo.shape[1]
            if scale < 1: photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            media[f"photo#{i}"] = move(photo, rnd)
    np.savez(a.out, **media)
    print(len(media), "shots", sum(map(len, media.values())), "frames")


main()
