#!/usr/bin/env python3
"""Measures the scene model on held-out scenes, beside baselines that are computed the same way. One command:

    . launch/env && training/evaluate/evaluate.py MODEL OUT --data DATA --autoencoder FILE --i3d CHECKPOINT [--count 60] [--parts …]

MODEL is a run's folder or an exported model. OUT gets results.json, table.md and the sheets. Definitions:

consistency   cosine of the I3D features of a shot and of the context's last shot, after the mean feature of the real held-out
              shots is taken away: Mixed_5c, averaged over time and space. The bar lies half-way from `other` (the real next
              shot of another sample's scene) to `real` (the real next shot).
FVD           Fréchet distance of I3D's logits from those of the real next shots; of as few clips as these it is too large, for
              all rows alike.
sharpness     variance of the luma's Laplacian over that of the context's last shot; median of the samples.
motion        mean absolute difference of neighbouring frames (luma, 0…255) over that of the real next shot; of the means.
PSNR          from the real next shot, for shots that go on; dB over all pixels.
control       CineTrans' transition control, max(0, 1 − |found − asked| / asked), of the context and the shot as one video, cuts
              found by `shotdetect`; offset: frames from the asked boundary to the nearest found within 4, mean.
false cuts    shots that go on (TAV's group A): share of videos with a cut found at the seam or after it.
gap           CineTrans' consistency gap: Jensen–Shannon distance (base 2) between the distributions, in 16 bins of −1…1, of the
              consistency of generated and of real next shots.

Rows: `real`, `other`, `frozen` (the context's last frame stands), `reference` (what motion compensation makes of the shot that goes
on; grey where none does), `model`, `no context`, `no mask` (all see all), `no prompt`.
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scene"), str(HERE.parent / "data")]
import autoencoder as lapped
from clips import FRAMES, HEIGHT, KINDS, PREFIX, RATE, SHOTS, WIDTH
from i3d import I3D
from masks import Mask
from sample import Generator, load, options, samples, stacked
from text import Texts

PARTS = ("autoencoder", "shots", "groups", "drift", "prompts", "sheets")


def luma(frames):
    return frames.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def sharpness(frames):
    """Variance of the Laplacian of luma, mean over the frames [T, H, W, 3]."""
    y = luma(frames)
    laplacian = y[:, 1:-1, :-2] + y[:, 1:-1, 2:] + y[:, :-2, 1:-1] + y[:, 2:, 1:-1] - 4 * y[:, 1:-1, 1:-1]
    return float(laplacian.var((1, 2)).mean())


def motion(frames):
    return float(np.abs(np.diff(luma(frames), axis=0)).mean())


def psnr(a, b):
    return 10 * np.log10(255**2 / max(1e-9, float(np.square(a.astype(np.float32) - b.astype(np.float32)).mean())))


def frechet(a, b):
    """|μa − μb|² + tr(A + B − 2 (A B)^½) of rows of features; the trace of the root from the eigenvalues of A B."""
    A, B = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    values = np.linalg.eigvals(A @ B)
    return max(0.0, float(np.square(a.mean(0) - b.mean(0)).sum() + np.trace(A) + np.trace(B) - 2 * np.sqrt(np.clip(values.real, 0, None)).sum()))


def cosine(a, b):
    return (a * b).sum(-1) / np.maximum(1e-9, np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))


def jensen_shannon(a, b, bins=16):
    p, q = (np.histogram(np.clip(v, -1, 1), bins, (-1, 1))[0] / len(v) for v in (a, b))
    m = (p + q) / 2
    divergence = lambda x: np.sum(x[x > 0] * np.log2(x[x > 0] / m[x > 0]))
    return float(np.sqrt(max(0.0, (divergence(p) + divergence(q)) / 2)))


def has_shotdetect():
    return subprocess.run(["gst-inspect-1.0", "shotdetect"], capture_output=True).returncode == 0


def cuts(frames, detector):
    """First frames of new shots in a video [T, H, W, 3], as the plugin's `shotdetect` finds them."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "raw").write_bytes(np.ascontiguousarray(frames).tobytes())
        pipeline = (
            f"filesrc location={folder}/raw ! rawvideoparse format=rgb width={WIDTH} height={HEIGHT} framerate={RATE}/1 ! videoconvert ! "
            f"shotdetect detector={detector} ! shotlog format=jsonl location={folder}/log ! fakesink sync=false")
        subprocess.run(["gst-launch-1.0", "-q", *pipeline.split()], check=True, capture_output=True)
        return [json.loads(line)["frame"] for line in open(f"{folder}/log")]


class Evaluation:
    def __init__(self, a):
        self.a = a
        model, self.config = load(a.model)
        self.autoencoder = lapped.Lapped.load(a.autoencoder)
        texts = Texts(*([a.text_encoder] if a.text_encoder else []))
        settings = self.config.get("sampling", {})
        self.steps, self.guidance = a.steps or settings.get("steps", 8), settings.get("guidance", 1.0) if a.guidance is None else a.guidance
        make = lambda mask=None: Generator(model, self.config, self.autoencoder, texts, mask, self.steps, self.guidance)
        self.generator, self.unmasked = make(), make(Mask("v5", FRAMES))
        self.i3d = I3D(a.i3d) if a.i3d else None
        self.detects = has_shotdetect()
        if not self.detects:
            print("shotdetect is not there (. launch/env): no transition control", file=sys.stderr)
        self.results = {"model": str(a.model.name), "steps": self.steps, "guidance": self.guidance}

    def items(self, source, count, kinds=KINDS, seed=0):
        """Samples and their frames [B, SHOTS, FRAMES, H, W, 3]."""
        items = samples(self.a.data, self.a.split, source, count, seed, kinds)
        return items, stacked(items)

    def generate(self, frames, prompts, generator=None, with_context=True, seed=0, batch=6, leads=None):
        """Next shots [B, FRAMES, H, W, 3] of contexts [B, SHOTS − 1, …]; leads: captions that say which shot goes on."""
        made = []
        for first in range(0, len(frames), batch):
            part = slice(first, first + batch)
            context, words = self.generator.context(frames[part]), prompts[part]
            if not with_context:
                context, words = context[:0], [p[-1:] for p in words]
            made.append((generator or self.generator).next_shot(context, words, seed + first, leads=leads and leads[part]).frames[:, 0])
        return np.concatenate(made)

    # Parts

    def part_autoencoder(self):
        frames = lapped.Frames(self.a.data, self.a.split, seed=1)
        result = {}
        for name, weights in (("film", (1, 0, 0)), ("photos", (0, 1, 0))):
            value = lapped.measure(self.autoencoder, frames.batch(40, 6, weights))
            result[name] = {"PSNR": value[0], "SSIM": value[1]}
        return result

    def part_shots(self):
        """The rows of the table, for the film, photos and cut-outs."""
        return {source: self.rows(source, self.a.count if source == "film" else max(6, self.a.count // 3)) for source in self.a.sources.split(",")}

    def rows(self, source, count):
        items, frames = self.items(source, count)
        context, real = frames[:, :-1], frames[:, -1]
        prompts = [s.captions for s in items]
        # The real shot of the sample that is half the list away, which shares neither scene nor kind with most.
        other = np.roll(real, len(real) // 2 + 1, axis=0)
        leads = [p[-1] for p in prompts]

        def ahead():
            return (self.generator.references(self.generator.context(context), leads)[0] + 0.5).clip(0, 255).astype(np.uint8)
        shots = {name: make() for name, make in {
            "real": lambda: real, "other": lambda: other, "frozen": lambda: np.repeat(context[:, -1, -1:], FRAMES, axis=1), "reference": ahead,
            "model": lambda: self.generate(context, prompts), "no context": lambda: self.generate(context, prompts, with_context=False),
            "no mask": lambda: self.generate(context, prompts, self.unmasked),
            "no prompt": lambda: self.generate(context, [[""] * SHOTS for _ in prompts], leads=leads)}.items()
            if name in ("real", "other", "model") or name in self.a.rows.split(",")}
        kinds = np.array([s.kind for s in items])
        asked = [[FRAMES * i for i in range(1, SHOTS) if not caption[i].startswith("Same shot")] for caption in prompts]
        last = context[:, -1]
        table = {}
        features = {}
        if self.i3d:
            features = {name: self.i3d.of_clips(clips) for name, clips in shots.items()}
            of_context = self.i3d.of_clips(last)[0]
            centre = np.concatenate([features["real"][0], of_context]).mean(0)
            similarity = {name: cosine(f[0] - centre, of_context - centre) for name, f in features.items()}
        for name, clips in shots.items():
            row = {
                "sharpness": float(np.median([sharpness(c) / max(1e-6, sharpness(l)) for c, l in zip(clips, last)])),
                "motion": float(np.mean([motion(c) for c in clips]) / np.mean([motion(c) for c in real])),
                "PSNR": None if name == "real" else float(np.mean([psnr(c, r) for c, r, k in zip(clips, real, kinds) if k == "same"]))}
            if self.i3d:
                row["consistency"] = float(similarity[name].mean())
                row |= {f"consistency {k}": float(similarity[name][kinds == k].mean()) for k in KINDS}
                row["FVD"] = frechet(features[name][1], features["real"][1])
                row["gap"] = jensen_shannon(similarity[name][kinds == "next"], similarity["real"][kinds == "next"])
            if self.detects and name != "other":
                row |= self.control(context, clips, asked, kinds)
            table[name] = row
        if self.i3d:
            way = lambda key: (table["model"][key] - table["other"][key]) / max(1e-6, table["real"][key] - table["other"][key])
            # Real shots that are new are no nearer to the context than another scene's: there is no way to speak of.
            table["bar"] = {"all": way("consistency"), "same": way("consistency same")}
        return table

    def control(self, context, clips, asked, kinds):
        scores, offsets, false = [], [], []
        for before, shot, wanted, kind in zip(context, clips, asked, kinds):
            found = cuts(np.concatenate([*before, shot]), self.a.detector)
            if wanted:
                scores.append(max(0.0, 1 - abs(len(found) - len(wanted)) / len(wanted)))
            seam = FRAMES * (SHOTS - 1)
            if kind == "same":
                false.append(any(f >= seam - 1 for f in found))
            else:
                near = [abs(f - seam) for f in found if abs(f - seam) <= 4]
                offsets += [min(near)] if near else []
        return {"control": float(np.mean(scores)) if scores else None, "offset": float(np.mean(offsets)) if offsets else None,
                "false cuts": float(np.mean(false)) if false else None}

    def part_groups(self):
        """TAV's groups on held-out contexts: A one scene, B an implied change, C an explicit one; one boundary is asked of B and C."""
        if not self.detects:
            return {}
        items, frames = self.items("film", max(6, self.a.count // 3), ("next",), seed=5)
        plain = [s.captions[-1].split(": ", 1)[1] for s in items]
        before = [s.captions[:-1] for s in items]
        groups = {
            "A": [b + ["Same shot: " + b[-1].split(": ", 1)[-1]] for b in before], "B": [b + [p] for b, p in zip(before, plain)],
            "C": [b + ["Next scene: " + p] for b, p in zip(before, plain)]}
        result = {}
        for name, prompts in groups.items():
            made = self.generate(frames[:, :-1], prompts)
            segments = [1 + len(cuts(np.concatenate([c[-1], m]), self.a.detector)) for c, m in zip(frames[:, :-1], made)]
            wanted = 1 if name == "A" else 2
            result[name] = {"segments": float(np.mean(segments)), "off": float(np.mean(np.abs(np.array(segments) - wanted)))}
        result["A"]["false cuts"] = result["A"]["off"]
        return result

    def part_drift(self):
        """Thirty extensions in a row, of which each goes on with the one before, or each goes back to the one before that (as
        `sceneextend` does without prompts): level, contrast, saturation, sharpness and motion over the context's, and sheets."""
        return {kind: self.drift(kind) for kind in ("same", "back")}

    # What a chain of extensions has to stay within not to count as collapsed, of the context's.
    BOUNDS = {"level": (0.8, 1.25), "contrast": (0.75, 1.33), "saturation": (0.75, 1.33), "sharpness": (0.35, 2)}

    def drift(self, kind):
        items, frames = self.items("film", 6, ("same",), seed=7)
        context = self.generator.context(frames[:, :-1])
        words = [s.captions[-1].split(": ", 1)[1] for s in items]
        more = [[PREFIX[kind] + w for w in words]] * self.a.extensions
        made = self.generator.extend(context, [s.captions[:-1] for s in items], more)
        # The shot of the context that each goes on from.
        before = [[c[-1], c[-1] if kind == "same" else c[-2]] for c in frames[:, :-1]]
        measures = {
            "level": lambda x: luma(x).mean(), "contrast": lambda x: luma(x).std((1, 2)).mean(),
            "saturation": lambda x: (x.max(-1).astype(float) - x.min(-1)).mean(), "sharpness": sharpness, "motion": motion}
        at = [i for i in (1, 2, 3, 5, 10, 20, 30) if i <= self.a.extensions]
        result = {name: {str(i): float(np.median([f(m[i - 1]) / max(1e-6, f(b[i % 2 == 1])) for m, b in zip(made, before)])) for i in at} for name, f in measures.items()}
        result["holds"] = all(low <= value <= high for name, (low, high) in self.BOUNDS.items() for value in result[name].values())
        self.sheet(f"drift-{kind}.png", [[c[-1, -1], *[m[i - 1, -1] for i in at]] for m, c in zip(made, frames[:, :-1])])
        return result

    def part_prompts(self):
        """Whether prompts change the picture: cut-outs whose next scene is known, under their own prompt and under another's."""
        items, frames = self.items("cutout", max(6, self.a.count // 3), ("next",), seed=9)
        own = [s.captions for s in items]
        swapped = [o[:-1] + [own[(i + 1) % len(own)][-1]] for i, o in enumerate(own)]
        right, wrong = self.generate(frames[:, :-1], own), self.generate(frames[:, :-1], swapped)
        real = frames[:, -1]
        nearer = [psnr(r, t) > psnr(w, t) for r, w, t in zip(right, wrong, real)]
        result = {"change": float(np.mean(np.abs(right.astype(float) - wrong))), "nearer by pixels": float(np.mean(nearer))}
        if self.i3d:
            r, w, t = (self.i3d.of_clips(x)[0] for x in (right, wrong, real))
            centre = t.mean(0)
            result["nearer by features"] = float(np.mean(cosine(r - centre, t - centre) > cosine(w - centre, t - centre)))
        return result

    def part_sheets(self):
        """Ten held-out contexts with three extensions each, and samples of each source."""
        items, frames = self.items("film", 10, ("same", "same", "next", "back", "same"), seed=11)
        prompts = [s.captions[:-1] for s in items]
        follow = lambda s: "Same shot: " + s.captions[-1].split(": ", 1)[1]
        more = [[s.captions[-1] for s in items], [follow(s) for s in items], [follow(s) for s in items]]
        rows = []
        for first in range(0, len(items), 5):
            part = slice(first, first + 5)
            context = self.generator.context(frames[part, :-1])
            made = self.generator.extend(context, prompts[part], [m[part] for m in more])
            rows += [[c[0, -1], c[1, 0], c[1, -1], *[m[i, k] for i in range(3) for k in (0, 4, 7)]] for c, m in zip(frames[part, :-1], made)]
        self.sheet("extensions.png", rows)
        for source in ("photo", "cutout"):
            items, frames = self.items(source, 9, seed=13)
            made = self.generate(frames[:, :-1], [s.captions for s in items])
            self.sheet(f"{source}.png", [[c[0, -1], c[1, 0], c[1, -1], *[m[k] for k in (0, 2, 4, 7)], *[r[k] for k in (0, 4, 7)]] for c, m, r in zip(frames[:, :-1], made, frames[:, -1])])
        return {"captions": [s.captions[-1] for s in items]}

    def sheet(self, name, rows):
        """Rows of frames; a strip of white after the first three is not needed: the caption of the sheet says what is what."""
        Image.fromarray(np.concatenate([np.concatenate(r, axis=1) for r in rows])).save(self.a.out / name, optimize=True)


def table(results):
    """The results as Markdown."""
    lines = []
    for source, rows in results.get("shots", {}).items():
        names = ["consistency", "FVD", "gap", "sharpness", "motion", "PSNR", "control", "offset", "false cuts"]
        lines += [f"**{source}**", "", "| | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]
        for row, values in rows.items():
            if row != "bar":
                lines.append(f"| {row} | " + " | ".join("–" if values.get(n) is None else f"{values[n]:.{0 if n == 'FVD' else 2}f}" for n in names) + " |")
        if "bar" in rows:
            way = ", ".join(f"{kind} {value:.0%}" for kind, value in rows["bar"].items())
            lines += ["", f"Consistency on the way from `other` to `real` (bar: 50%): {way}. Sharpness (bar: 0.5): {rows['model']['sharpness']:.2f}."]
        lines.append("")
    parts = {name: results[name] for name in ("autoencoder", "groups", "prompts") if results.get(name)}
    parts |= {f"drift, {kind}": values for kind, values in results.get("drift", {}).items()}
    for part, values in parts.items():
        if values:
            lines += [f"**{part}**", ""] + [f"- {k}: " + (", ".join(f"{n} {x:.2f}" for n, x in v.items()) if isinstance(v, dict) else f"{v:.2f}") for k, v in values.items()] + [""]
    return "\n".join(lines)


def main():
    parser = options(__doc__, "model", "out")
    parser.add_argument("--i3d", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--extensions", type=int, default=30)
    parser.add_argument("--detector", default="content")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--sources", default="film,photo,cutout", help="of the table; of the film --count samples, of the others a third as many")
    parser.add_argument("--rows", default="frozen,reference,no context,no mask,no prompt", help="of the table, beside real, other and model")
    a = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    a.out.mkdir(parents=True, exist_ok=True)
    evaluation = Evaluation(a)
    file = a.out / "results.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    results |= evaluation.results
    for part in a.parts.split(","):
        print(part, flush=True)
        results[part] = getattr(evaluation, f"part_{part}")()
        file.write_text(json.dumps(results, indent=1) + "\n")
    (a.out / "table.md").write_text(table(results))
    print(table(results))


if __name__ == "__main__":
    main()
