#!/usr/bin/env python3
"""Checks what defade leaves of the transitions of a film that compose_film.py made; prints Markdown tables.

  Tests/tools/check_defade.py FILM.mkv [--modes hold,cut,restore] [--peer] [--work FOLDER]

Each mode runs in gst-launch-1.0 behind shotdetect detector=fused, into lossless files in FOLDER. The tables say, beside
the same figures of the untouched film:
- hold, restore: whether the number of frames and every timestamp are the film's
- whether a cut is found within two frames of every place where one belongs, and how many gradual transitions still are:
  by shotdetect, those that are not cuts; by TransNetV2 in PyTorch (--peer), those where a probability stays above 0.5
  for more than two frames
- FILM composed with --sound: how far each burst is from the picture that it belongs to, where that picture still is
- FILM composed with --clean: mean absolute difference from the clean film, of all samples, by the gain of the frame; apart
  for fades whose extent the detector does not tell to a frame

FILM is to be composed with --lossless: frames are recognized by their hashes. Needs numpy, and for --peer a Python with
the peers; see launch/evaluate --help.
"""
import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

import score as scoring
from compose_film import BURST, SAMPLE_RATE
from evaluate import found_by
from tables import table, verdict

MODES = ("hold", "cut", "restore")
BUCKETS = ((0.15, 0.25), (0.25, 0.35), (0.35, 0.5), (0.5, 0.75), (0.75, 1.0))
SYNC_LIMIT, ERROR_LIMIT = "≤ 5", "≤ 4"
# Where frames were taken out, those that go on as so many in a row of the film do are the ones.
RUN = 12
OFF = 3


def output(*command):
    return subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE).stdout


def repaired(film, mode, target, with_sound):
    """Runs the film through defade."""
    pipeline = (f"filesrc location={film} ! decodebin name=in in. ! videoconvert ! queue ! shotdetect detector=fused align=true ! defade name=fix mode={mode} ! "
                f"queue ! avenc_ffv1 ! matroskamux name=out ! filesink location={target}")
    if with_sound:
        roomy = "queue max-size-time=20000000000 max-size-bytes=0 max-size-buffers=0"
        pipeline += f" in. ! audioconvert ! {roomy} ! fix.audio_sink fix.audio_src ! {roomy} ! flacenc ! out."
    output("gst-launch-1.0", "-q", *pipeline.split())
    return target


def frames_of(film):
    """[(presentation time in seconds, hash)]"""
    text = output("ffmpeg", "-v", "error", "-i", film, "-map", "0:v", "-fps_mode", "passthrough", "-enc_time_base", "1:1000", "-f", "framemd5", "-").decode()
    rows = [line.split(",") for line in text.splitlines() if line and line[0] != "#"]
    return [(int(row[2]) / 1000, row[5].strip()) for row in rows]


def sources(before, after):
    """For each frame after, the index of the one before that it is."""
    old, new = [h for _, h in before], [h for _, h in after]
    places, at, out = {}, 0, []
    for j, h in enumerate(old): places.setdefault(h, []).append(j)

    def alike(i, j):
        """How many frames from here on are the same, as far as needed to tell."""
        return next((k for k in range(RUN) if i + k >= len(new) or j + k >= len(old) or new[i + k] != old[j + k]), RUN)

    for i, h in enumerate(new):
        if at >= len(old) or h != old[at]:
            ahead = [j for j in places.get(h, []) if j >= at]
            if not ahead: raise SystemExit(f"frame {i} after defade is none of the film's")
            at = max(ahead, key=lambda j: (alike(i, j), -j))
        out.append(at)
        at += 1
    return out


def places(transitions, after):
    """Index of the frame that opens the new shot, for each transition; `after` tells which frame of the film each is."""
    out = []
    for t in transitions:
        middle = (t["start"] + t["end"] + 1) // 2
        out.append(next((i for i, frame in enumerate(after) if frame >= middle), len(after)))
    return out


def dark(transition):
    """What restore cannot bring back: a cut may be anywhere in it. None for what is no fade, and without --clean."""
    gains = transition.get("gains")
    if not gains: return None
    lost = [transition["start"] + 1 + i for i, gain in enumerate(gains) if gain <= BUCKETS[0][0]]
    return lost[0] - 1, lost[-1] + 1, "cut"


def gradual_by_peer(film):
    """[(first frame, last frame)] of TransNetV2's gradual transitions, and the places of all its boundaries."""
    import peers
    import torch
    network = peers.TransNetV2(device="cpu")
    one, many = (np.asarray(p).ravel() for p in network.predict_frames(torch.from_numpy(peers.frames(film)), quiet=True))
    scenes = network.predictions_to_scenes(one)
    return runs(one > 0.5) | runs(many > 0.5), [(int(a[1]), int(b[0])) for a, b in zip(scenes, scenes[1:])]


def runs(above):
    """{(first, last)} of runs of more than two; what overlaps another's run counts once."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], above.astype(np.int8), [0]))))
    return {(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2]) if b - a > 2}


def merged(spans):
    out = []
    for first, last in sorted(spans):
        if out and first <= out[-1][1] + 1: out[-1] = (out[-1][0], max(out[-1][1], last))
        else: out.append((first, last))
    return out


def sound_of(film):
    """(samples, time of the first in seconds, how far a packet's time is from its samples' at most, in ms)"""
    samples = np.frombuffer(output("ffmpeg", "-v", "error", "-i", film, "-map", "0:a", "-f", "s16le", "-ac", "1", "-"), np.int16)
    packets = json.loads(output("ffprobe", "-v", "error", "-select_streams", "a", "-show_entries", "frame=pts_time,nb_samples", "-of", "json", film))["frames"]
    first = float(packets[0]["pts_time"])
    counted = np.cumsum([0] + [p["nb_samples"] for p in packets[:-1]])
    apart = max(abs(float(p["pts_time"]) - first - n / SAMPLE_RATE) for p, n in zip(packets, counted))
    return samples, first, apart * 1e3


def onset(samples, first, expected, frequency):
    """When a burst begins near the expected time; None if there is none."""
    start = max(0, round((expected - first - 0.1) * SAMPLE_RATE))
    part = samples[start:start + round(0.2 * SAMPLE_RATE)].astype(np.float64)
    # The mean over 2 ms is blind to tones that are multiples of 500 Hz away, and passes half its height at the edge.
    width = SAMPLE_RATE // 500
    mixed = part * np.exp(-2j * np.pi * frequency * np.arange(len(part)) / SAMPLE_RATE)
    level = np.abs(np.convolve(mixed, np.ones(width) / width, "same"))
    rising = np.flatnonzero(np.diff((level > 4000).astype(np.int8)) == 1)
    return min((first + (start + 1 + edge) / SAMPLE_RATE for edge in rising), key=lambda time: abs(time - expected), default=None)


def sync(labels, before, after, times, film):
    """(ms each burst is from its picture, bursts whose picture is gone, bursts that are missing, ms that packets are apart)

    A picture that stands still does not tell when it is: what is heard then does not count.
    """
    samples, first, apart = sound_of(film)
    frame_at = {}
    for i, frame in enumerate(after): frame_at.setdefault(frame, i)
    distances, gone, missing = [], 0, 0
    for burst in labels["bursts"]:
        frame = int(burst["time"] * labels["fps"] + 1e-6)
        if len({h for _, h in before[frame - 1:frame + 2]}) == 1: continue
        if frame not in frame_at:
            gone += 1
            continue
        expected = times[frame_at[frame]] + burst["time"] - frame / labels["fps"]
        heard = onset(samples, first, expected, burst["frequency"])
        if heard is None: missing += 1
        else: distances.append((heard - expected) * 1e3)
    return distances, gone, missing, apart


def pictures(film, size):
    """Frames as rows of bytes, one after another."""
    length = size[0] * size[1] * 3 // 2
    process = subprocess.Popen(["ffmpeg", "-v", "error", "-i", str(film), "-map", "0:v", "-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"],
                               stdout=subprocess.PIPE)
    while len(data := process.stdout.read(length)) == length: yield np.frombuffer(data, np.uint8).astype(np.int16)
    process.wait()


def known(transition, found):
    """The kind of a transition, and whether the detector's extent is a frame off at most."""
    start, end, kind = transition["start"], transition["end"], transition["kind"]
    there = [f for f in found if f[0] <= end and f[1] >= start]
    if not there: return f"{kind}, not found"
    off = max(abs(there[0][0] - start), abs(there[-1][1] - end))
    return kind if off <= 1 else f"{kind}, found 2 to {OFF} frames off" if off <= OFF else f"{kind}, found further off"


def errors(labels, found, untouched, restored, clean, size):
    """{(kind, bucket): [(untouched, restored)]}: mean absolute difference from the clean film of each dimmed frame."""
    gains = {t["start"] + 1 + i: (known(t, found), gain) for t in labels["transitions"] for i, gain in enumerate(t.get("gains", []))}
    out = {}
    for i, (before, after, truth) in enumerate(zip(*(pictures(f, size) for f in (untouched, restored, clean)))):
        kind, gain = gains.get(i, (None, 0))
        bucket = next((b for b in BUCKETS if b[0] <= gain < b[1]), None)
        if bucket: out.setdefault((kind, bucket), []).append((abs(before - truth).mean(), abs(after - truth).mean()))
    return out


def size_of(film):
    return tuple(map(int, output("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "stream=width,height", "-of", "csv=p=0", film).decode().strip().split(",")))


class Variant:
    """The film as it is (mode None), or as defade leaves it."""

    def __init__(self, film, mode, before, labels):
        self.film, self.mode = film, mode
        frames = frames_of(film)
        self.times = [time for time, _ in frames]
        self.after = sources(before, frames) if mode == "cut" else list(range(len(frames)))
        self.kept = len(frames) == len(before) and all(a[0] == b[0] for a, b in zip(frames, before))
        self.places = places(labels["transitions"], self.after)

    def hits(self, boundaries, truth):
        """"HITS of PLACES, and OTHERS": how many lie where they belong."""
        s = scoring.score(truth, [], boundaries)
        return f"{s.hits} of {s.truth}, {s.detections - s.hits}"

    def row(self, labels, peer):
        truth = [(p - 1, p, "cut") for p in self.places]
        if self.mode == "restore": truth = [dark(t) or place for t, place in zip(labels["transitions"], truth)]
        if not self.mode: truth = [(t["start"], t["end"], t["kind"]) for t in labels["transitions"]]
        found = found_by("fused", self.film)
        self.found = found
        self.gradual = [f for f in found if f[2] != "cut"]
        cells = [self.mode or "untouched", str(len(self.times)), "yes" if self.kept else "no", self.hits(found, truth), str(len(self.gradual))]
        if peer:
            gradual, boundaries = gradual_by_peer(self.film)
            cells += [self.hits(boundaries, truth), str(len(merged(gradual)))]
        return cells

    def traced(self, found, labels):
        """Where something found is in the film, and the transition that is there."""
        start, end = (self.after[max(0, min(i, len(self.after) - 1))] for i in found[:2])
        there = next((t for t in labels["transitions"] if t["start"] <= end and t["end"] >= start), None)
        return f"{found[2]} {start}–{end}" + (f" ({there['kind']} {there['start']}–{there['end']})" if there else " (nothing there)")


def print_sound(labels, before, variants):
    rows = []
    for v in variants:
        distances, gone, missing, apart = sync(labels, before, v.after, v.times, v.film)
        worst = max(map(abs, distances))
        rows.append([v.mode or "untouched", f"{len(distances)}", f"{gone}", f"{missing}", f"{np.mean(distances):.2f}", f"{distances[-1]:.2f}", f"{worst:.2f} ({verdict(worst, SYNC_LIMIT)})", f"{apart:.2f}"])
    print(f"\nSound: how long after its picture each burst comes, over {labels['frames'] / labels['fps'] / 60:.1f} minutes:")
    table(["", "bursts", "picture gone", "missing", "mean, ms", "last, ms", "worst, ms", "time beside samples, ms"], rows)


def print_errors(found):
    print("\nMean absolute difference from the clean film, levels of 255:")
    table(["", "gain", "frames", "untouched", "restored", "worst frame"],
          [[kind, f"{low:.0%}–{high:.0%}", str(len(e)), f"{np.mean([b for b, _ in e]):.2f}", (lambda m: f"{m:.2f} ({verdict(m, ERROR_LIMIT)})")(np.mean([a for _, a in e])),
            f"{max(a for _, a in e):.2f}"] for (kind, (low, high)), e in sorted(found.items())])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", type=Path)
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--work", type=Path)
    options = parser.parse_args()
    labels = json.loads(options.film.with_suffix(".json").read_text())
    modes = options.modes.split(",") if options.modes else []
    clean = options.film.with_suffix(".clean.mkv")
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        before = frames_of(options.film)
        variants = [Variant(options.film, None, before, labels)]
        for mode in modes:
            target = work / f"{options.film.stem}.{mode}.mkv"
            variants.append(Variant(repaired(options.film, mode, target, "bursts" in labels), mode, before, labels))
        print(f"{options.film.name}: {labels['frames']} frames, {len(labels['transitions'])} transitions, {sum(t['kind'] != 'cut' for t in labels['transitions'])} of them gradual.")
        table(["", "frames", "same times", "boundaries in place, others", "gradual", *(["TransNetV2: in place, others", "gradual"] if options.peer else [])],
              [v.row(labels, options.peer) for v in variants])
        for v in variants[1:]:
            if v.gradual: print(f"\nStill gradual after {v.mode}:", "; ".join(v.traced(g, labels) for g in v.gradual))
        if "bursts" in labels: print_sound(labels, before, variants)
        restored = next((v.film for v in variants if v.mode == "restore"), None)
        if clean.exists() and restored: print_errors(errors(labels, variants[0].found, options.film, restored, clean, size_of(options.film)))


if __name__ == "__main__":
    main()
