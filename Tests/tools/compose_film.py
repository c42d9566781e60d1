"""Composes a labelled test film out of continuous shots.

    compose_film.py OUT.mkv --clips FOLDER_OR_FILE… [--film FILM --labels TSV] [--shots 40] [--seed 1]
                    [--kinds cut=60,fade-black=12,…] [--calm] [--lossless] [--sound] [--clean]

Junctions are hard cuts, dissolves, fades through black or white and wipes of random length. Inside shots there are
distractors that must not be reported: flashes of one to three frames, exposure ramps, camera shake. Beside OUT.mkv it
writes OUT.json:

    {"fps", "frames", "transitions": [{"kind", "start", "end"}], "distractors": [{"kind", "start", "end"}]}

start is the last frame of the old shot alone, end the first frame of the new shot alone (cut: end = start + 1); a
distractor's end is the first frame after it. The same seed and sources give the same film. Needs numpy and ffmpeg.

--kinds     which junctions there are, and how often
--calm      no distractors
--lossless  the frames as they are in the Matroska file, not nearly
--sound     FLAC: silence but for bursts of a tone, never in a transition; OUT.json has "bursts": [{"time", "frequency"}],
            in seconds and Hz. 1 kHz every second; 1.5 kHz shortly before a transition, 2 kHz shortly after
--clean     also writes OUT.clean.mkv, where fades are not dimmed, frame for frame beside OUT.mkv; a fade in OUT.json has
            "gains", a gain from 0 to 1 for each frame between start and end
"""
import argparse
import csv
import json
import random
import subprocess
from pathlib import Path

import numpy as np

KINDS = {"cut": 60, "dissolve": 16, "fade-black": 12, "fade-white": 4, "wipe": 8}
SAMPLE_RATE = 48000
BURST = 0.04  # seconds
HELD = 60  # frames at the end of a shot that wait for the transition after it
SHORTEST = 40


def decode(path, size, rate, start, most):
    w, h = size
    fit = f"fps={rate},scale={w}:{h}:force_original_aspect_ratio=increase,crop={w}:{h}"
    command = ["ffmpeg", "-v", "error", "-ss", f"{start:.6f}", "-i", str(path), "-an", "-vf", fit,
               "-pix_fmt", "rgb24", "-f", "rawvideo", "-frames:v", str(most), "-"]
    raw = subprocess.run(command, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8)[: len(raw) // (w * h * 3) * w * h * 3].reshape(-1, h, w, 3)


def continuous_shots(clips, film, labels, film_rate):
    """[(name, path, start in seconds, seconds or None)]"""
    out = []
    for clip in map(Path, clips):
        for path in sorted(clip.iterdir()) if clip.is_dir() else [clip]:
            out.append((path.name, path, 0.0, None))
    if film:
        rows = csv.DictReader(open(labels), delimiter="\t")
        edges = sorted((int(r["start"]), int(r["end"])) for r in rows)
        for (_, left), (right, _) in zip(edges, edges[1:]):
            if right - left > 40:  # and keep clear of the edges
                out.append((f"film@{left}", film, (left + 3) / film_rate, (right - left - 6) / film_rate))
    return out


def encoder(path, size, rate, lossless):
    quality = ["-preset", "ultrafast", "-qp", "0"] if lossless else ["-preset", "veryfast", "-crf", "18"]
    return subprocess.Popen(
        ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "{}x{}".format(*size), "-r", str(rate), "-i", "-",
         "-c:v", "libx264", *quality, "-pix_fmt", "yuv420p", str(path)], stdin=subprocess.PIPE)


class Film:
    """Encodes what is put into it and counts. With `clean` it encodes a second film, whose fades are not dimmed."""

    def __init__(self, path, size, rate, lossless=False, clean=None):
        self.frames = 0
        self.size = size
        self.encoder = encoder(path, size, rate, lossless)
        self.clean = encoder(clean, size, rate, lossless) if clean else None

    def put(self, frames, clean=None):
        """Frames, and what they are in the clean film if not the same."""
        self.encoder.stdin.write(np.ascontiguousarray(frames, np.uint8).tobytes())
        if self.clean: self.clean.stdin.write(np.ascontiguousarray(frames if clean is None else clean, np.uint8).tobytes())
        self.frames += len(frames)

    def close(self):
        for process in filter(None, (self.encoder, self.clean)):
            process.stdin.close()
            if process.wait(): raise SystemExit("ffmpeg could not encode the film")


def sound(transitions, seconds, rate):
    """Where the bursts are, and the samples."""
    spans = [((t["start"] + 1) / rate, t["end"] / rate) for t in transitions]
    wanted = [(start - 0.2, 1500) for start, _ in spans] + [(end + 0.16, 2000) for _, end in spans]
    wanted += [(float(second), 1000) for second in range(1, int(seconds))]
    samples, bursts = np.zeros(round(seconds * SAMPLE_RATE), np.int16), []
    tone = np.arange(round(BURST * SAMPLE_RATE)) / SAMPLE_RATE
    for time, frequency in wanted:
        # Each stands alone, and clear of what a detector that is a few frames off takes for the transition.
        if any(abs(time - other["time"]) < 3 * BURST for other in bursts) or any(start - 4 * BURST < time < end + 3 * BURST for start, end in spans): continue
        first = round(time * SAMPLE_RATE)
        if first < 0 or first + len(tone) > len(samples): continue
        samples[first:first + len(tone)] = 16000 * np.sin(2 * np.pi * frequency * tone)
        bursts.append(dict(time=first / SAMPLE_RATE, frequency=frequency))
    return sorted(bursts, key=lambda burst: burst["time"]), samples


def add_sound(path, samples):
    silent = path.with_suffix(".silent.mkv")
    path.rename(silent)
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", silent, "-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", "-",
                    "-c:v", "copy", "-c:a", "flac", path], input=samples.tobytes(), check=True)
    silent.unlink()


def column(values):
    return np.asarray(values)[:, None, None, None]


def join(film, kind, tail, shot, rnd):
    """Puts `tail` and the transition to `shot`; returns the transition and how many frames of `shot` it used."""
    w, h = film.size
    if kind == "cut":
        film.put(tail)
        return dict(kind="cut", start=film.frames - 1, end=film.frames), 0
    if kind in ("dissolve", "wipe"):
        n = max(2, min(rnd.randint(4, 48), len(tail) - 8, len(shot) - 24))
        film.put(tail[:-n])
        start = film.frames - 1
        old, new = tail[-n:].astype(np.float32), shot[:n].astype(np.float32)
        progress = (np.arange(1, n + 1) / (n + 1)).astype(np.float32)
        if kind == "dissolve": mixed = old * column(1 - progress) + new * column(progress)
        else:
            mixed = old.copy()
            for i, edge in enumerate((progress * w).astype(int)): mixed[i, :, :edge] = new[i, :, :edge]
        film.put(mixed)
        return dict(kind=kind, start=start, end=film.frames), n
    leave, enter, hold = (rnd.randint(6, 24) for _ in range(3))
    hold = rnd.choice([0, 0, hold // 2])
    leave, enter = min(leave, len(tail) - 8), min(enter, len(shot) - 24)
    level = 255.0 if kind == "fade-white" else 0.0
    faded = lambda frames, share: frames.astype(np.float32) * column(1 - share) + level * column(share)
    out, in_ = np.arange(1, leave + 1) / leave, np.arange(enter, 0, -1) / (enter + 1)
    film.put(tail[:-leave])
    start = film.frames - 1
    film.put(faded(tail[-leave:], out), clean=tail[-leave:])
    film.put(np.full((hold, h, w, 3), level))
    film.put(faded(shot[:enter], in_), clean=shot[:enter])
    gains = dict(gains=[round(1 - share, 6) for share in (*out, *[1] * hold, *in_)]) if film.clean else {}
    return dict(kind=kind, start=start, end=film.frames, **gains), enter


def disturb(body, rnd):
    """Puts a distractor into `body` (in place) or does nothing; returns (kind, first frame, frames) or None."""
    chance, length = rnd.random(), len(body)
    if length <= 36 or chance >= 0.30: return None
    p = rnd.randint(12, length - 20)
    n = rnd.randint(1, 3)
    if chance < 0.12:
        body[p:p + n] = np.clip(body[p:p + n].astype(np.int32) + rnd.randint(90, 200), 0, 255)
        return "flash", p, n
    if chance < 0.21:
        n = min(rnd.randint(8, 24), length - p - 6)
        gain = np.interp(np.arange(n), [0, n / 2, n], [1, rnd.choice([.45, 1.8]), 1])
        body[p:p + n] = np.clip(body[p:p + n] * column(gain), 0, 255)
        return "exposure", p, n
    n = min(rnd.randint(6, 16), length - p - 6)
    for i in range(n): body[p + i] = np.roll(body[p + i], (rnd.randint(-14, 14), rnd.randint(-24, 24)), (0, 1))
    return "shake", p, n


def compose(out, clips=(), film=None, labels=None, film_rate=24.0, shots=40, seed=1, size=(640, 360), rate=25, kinds=KINDS, calm=False,
            lossless=False, with_sound=False, with_clean=False):
    rnd, out = random.Random(seed), Path(out)
    pool = continuous_shots(clips, film, labels, film_rate)
    sink = Film(out, size, rate, lossless, out.with_suffix(".clean.mkv") if with_clean else None)
    transitions, distractors, last, tail, made = [], [], None, None, 0
    while made < shots:
        name, path, start, seconds = rnd.choice(pool)
        if name == last: continue
        want = rnd.randint(int(1.6 * rate), int(5 * rate)) + HELD
        shot = decode(path, size, rate, start, want if seconds is None else min(want, int(seconds * rate)))
        if len(shot) < SHORTEST:
            pool = [p for p in pool if p[0] != name] or pool
            continue
        shot, last, used = shot[:want].copy(), name, 0
        if tail is not None:
            kind = rnd.choices(list(kinds), list(kinds.values()))[0]
            transition, used = join(sink, kind, tail, shot, rnd)
            transitions.append(transition)
        body, offset = shot[used:], sink.frames
        found = None if calm else disturb(body, rnd)
        if found:
            kind, p, n = found
            distractors.append(dict(kind=kind, start=offset + p, end=offset + p + n))
        tail = body
        made += 1
        if len(tail) > HELD:
            sink.put(tail[:-HELD])
            tail = tail[-HELD:]
    sink.put(tail)
    sink.close()
    labels = dict(fps=rate, frames=sink.frames, transitions=transitions, distractors=distractors)
    if with_sound:
        labels["bursts"], samples = sound(transitions, sink.frames / rate, rate)
        add_sound(out, samples)
    out.with_suffix(".json").write_text(json.dumps(labels, indent=1))
    return labels


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("out"), ap.add_argument("--clips", nargs="*", default=[]), ap.add_argument("--film"), ap.add_argument("--labels")
    ap.add_argument("--film-fps", type=float, default=24), ap.add_argument("--shots", type=int, default=40), ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--size", default="640x360"), ap.add_argument("--fps", type=int, default=25)
    ap.add_argument("--kinds"), ap.add_argument("--calm", action="store_true"), ap.add_argument("--lossless", action="store_true")
    ap.add_argument("--sound", action="store_true"), ap.add_argument("--clean", action="store_true")
    a = ap.parse_args()
    size = tuple(map(int, a.size.split("x")))
    kinds = {kind: float(weight) for kind, weight in (pair.split("=") for pair in a.kinds.split(","))} if a.kinds else KINDS
    if unknown := kinds.keys() - KINDS: ap.error(f"--kinds: {', '.join(sorted(unknown))}")
    made = compose(a.out, a.clips, a.film, a.labels, a.film_fps, a.shots, a.seed, size, a.fps, kinds, a.calm, a.lossless, a.sound, a.clean)
    print(a.out, made["frames"], "frames", len(made["transitions"]), "transitions", len(made["distractors"]), "distractors")


if __name__ == "__main__":
    main()
