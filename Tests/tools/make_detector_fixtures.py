#!/usr/bin/env python3
"""Makes Tests/ShotsTests/Fixtures/detectors.txt: frame scores and the cuts that PySceneDetect 0.7.2 finds in them.

  pip install scenedetect-headless==0.7.2
  make_detector_fixtures.py FILM OUT

The film (Big Buck Bunny, 720p) is measured by PySceneDetect's own detectors; the synthetic sequences are random, with
bursts, darks and calm. Scores are quantised, then its detectors are driven again with the quantised scores in place of
pictures: the cuts of the film must not change by that.

One case is three or four lines: `case NAME detector=… rate=N/D min=MILLISECONDS [key=value …] scale=S`, then
`scores a bxn …` (a / S; n times b / S; `-`: no score) or `scores-of NAME`, then `cuts f …`, frames from 0,
and `pending f` where the end of the stream loses a merged cut that quiet frames would have brought out.
"""
import random, sys
from fractions import Fraction

import numpy as np
from scenedetect import SceneManager, StatsManager, open_video
from scenedetect.common import FrameTimecode, Timecode
from scenedetect.detector import FlashFilter
from scenedetect.detectors import (AdaptiveDetector, ContentDetector, HashDetector, HistogramDetector,
                                   ThresholdDetector)
import cv2


def position(frame, rate):
    """As the OpenCV and PyAV backends give it: exact rational time, so that "0.6s" is compared as time."""
    return FrameTimecode(Timecode(pts=frame * rate.denominator, time_base=Fraction(1, rate.numerator)), fps=rate)


def drive(kind, scores, rate, milliseconds, threshold=None, **more):
    """The cuts of the real detector when its measurement is replaced by `scores` (None: no measurement)."""
    length = f"{milliseconds / 1000:.3f}s" if milliseconds else 0
    current = [None]
    if kind in ("content", "adaptive"):
        key = "threshold" if kind == "content" else "adaptive_threshold"
        arguments = {} if threshold is None else {key: threshold}
        if kind == "content":
            mode = FlashFilter.Mode[more.pop("filter", "merge").upper()]
            detector = ContentDetector(min_scene_len=length, filter_mode=mode, **arguments)
        else:
            detector = AdaptiveDetector(min_scene_len=length, window_width=more.pop("window", 2), **arguments)
        detector._calculate_frame_score = lambda timecode, image: 0.0 if current[0] is None else current[0]
        image = None
        feed = lambda: image
    elif kind == "threshold":
        detector = ThresholdDetector(min_scene_len=length, add_final_scene=True, fade_bias=more.pop("bias", 0.0),
                                     min_out_length=f"{more.pop('dark', 0) / 1000:.3f}s",
                                     threshold=12 if threshold is None else threshold)
        feed = lambda: np.array([current[0]])
    elif kind == "histogram":
        detector = HistogramDetector(min_scene_len=length, threshold=0.2 if threshold is None else threshold)
        compare = cv2.compareHist
        detector.calculate_histogram = lambda image, bins: image
        cv2.compareHist = lambda a, b, method: current[0]
        blank = np.zeros((1, 1, 3), np.uint8)
        feed = lambda: blank
    elif kind == "hash":
        detector = HashDetector(min_scene_len=length, threshold=0.35 if threshold is None else threshold)
        bits = [np.zeros((8, 8), bool), 0]

        def hash_frame(frame_img, hash_size, factor):
            n = 0 if current[0] is None else round(current[0] * 64)
            flipped = bits[0].flatten()
            flipped[:n] ^= True
            bits[0] = flipped.reshape(8, 8)
            return bits[0]

        detector.hash_frame = hash_frame
        detector._last_hash = bits[0]
        blank = np.zeros((1, 1, 3), np.uint8)
        feed = lambda: blank
    assert not more, more
    cuts = []
    for frame, score in enumerate(scores):
        current[0] = score
        cuts += detector.process_frame(position(frame, rate), feed())
    if kind == "histogram":
        cv2.compareHist = compare
    cuts += detector.post_process(position(len(scores) - 1, rate))
    pending = []
    if kind == "content":
        # What quiet frames would have brought out: the merge that is pending at the end.
        current[0] = 0.0
        for frame in range(len(scores), len(scores) + 120):
            pending += detector.process_frame(position(frame, rate), feed())
    return sorted({cut.frame_num for cut in cuts}), sorted({cut.frame_num for cut in pending})


UNITS = dict(content=0.1, adaptive=0.1, threshold=1.0, histogram=0.001, hash=1 / 64)


def quantise(scores, unit):
    """Towards minus infinity: a threshold at a multiple of the unit then divides alike."""
    return [None if s is None else int(np.floor(s / unit + 1e-9)) for s in scores]


def values(units, kind):
    """The same arithmetic as the test's, so that both compare the same doubles."""
    scale = {0.1: 10.0, 1.0: 1.0, 0.001: 1000.0, 1 / 64: 64.0}[UNITS[kind]]
    return [None if u is None else u / scale for u in units]


def packed(units):
    out, i = [], 0
    while i < len(units):
        j = i
        while j < len(units) and units[j] == units[i]:
            j += 1
        text = "-" if units[i] is None else str(units[i])
        out += [text] if j - i == 1 else [f"{text}x{j - i}"] if j - i > 2 or len(text) > 1 else [text] * (j - i)
        i = j
    return " ".join(out)


def film(path):
    """Every frame's score by every detector, and the cuts on the unquantised ones."""
    columns = {}
    stats = StatsManager()
    manager = SceneManager(stats)
    detectors = dict(content=ContentDetector(min_scene_len="0.6s"), histogram=HistogramDetector(min_scene_len="0.6s"),
                     hash=HashDetector(min_scene_len="0.6s"),
                     threshold=ThresholdDetector(min_scene_len="0.6s", add_final_scene=True))
    adaptive = AdaptiveDetector(min_scene_len="0.6s")
    cuts = {}
    for kind, detector in [*detectors.items(), ("adaptive", adaptive)]:
        cuts[kind] = []
        def process(timecode, image, detector=detector, process=detector.process_frame, kind=kind):
            found = process(timecode, image)
            cuts[kind] += [c.frame_num for c in found]
            return found
        def post(timecode, post=detector.post_process, kind=kind):
            found = post(timecode)
            cuts[kind] += [c.frame_num for c in found]
            return found
        detector.process_frame, detector.post_process = process, post
        manager.add_detector(detector)
    video = open_video(path)
    rate = video.frame_rate
    manager.detect_scenes(video)
    rows = [stats._frame_metrics[key] for key in sorted(stats._frame_metrics)]
    assert len(rows) == video.frame_number
    key = dict(content="content_val", threshold="average_rgb", histogram="hist_diff [bins=128]",
               hash="hash_dist [size=8 lowpass=2]")
    for kind, name in key.items():
        columns[kind] = [row.get(name) for row in rows]
    columns["adaptive"] = columns["content"]
    return columns, cuts, rate


RATES = [Fraction(24), Fraction(25), Fraction(30), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(50),
         Fraction(60000, 1001), Fraction(15), Fraction(5, 2)]


def synthetic(rng, kind):
    n = rng.randint(80, 260)
    quiet, loud = dict(content=(30, 400), adaptive=(30, 500), histogram=(995, 400), hash=(3, 40),
                       threshold=(90, 4))[kind]
    units, burst = [], 0
    rate_of_bursts = rng.choice([0.01, 0.03, 0.08])
    density = rng.choice([0.2, 0.5, 0.9])
    for i in range(n):
        if burst == 0 and rng.random() < rate_of_bursts:
            burst = rng.choice([1, 1, 1, 3, 8, 20, 45])
        if burst and (kind == "threshold" or rng.random() < density):
            v = loud + rng.choice([-1, 0, 0, 0, 1])
        else:
            v = quiet + rng.choice([0, 0, 0, 0, 0, 1, 2])
        if kind in ("content", "adaptive") and rng.random() < 0.02:
            v = rng.choice([0, 149, 150, 151, 269, 270, 271])
        if kind == "histogram" and rng.random() < 0.02:
            v = rng.choice([799, 800, 801, -200])
        if kind == "hash" and rng.random() < 0.02:
            v = rng.choice([22, 23])
        if kind == "threshold" and rng.random() < 0.02:
            v = rng.choice([11, 12, 13, 0])
        burst = max(0, burst - 1)
        units.append(v)
    if kind == "adaptive" and rng.random() < 0.5:
        a = rng.randrange(n)
        units[a:a + 30] = [0] * len(units[a:a + 30])
        if a + 5 < n:
            units[a + 5] = 300
    if kind != "threshold":
        units[0] = None
    return units


def cases(path):
    columns, cuts, rate = film(path)
    for kind in columns:
        units = quantise(columns[kind], UNITS[kind])
        found, pending = drive(kind, values(units, kind), rate, 600)
        assert found == sorted(set(cuts[kind])), (kind, sorted(set(found) ^ set(cuts[kind])))
        yield f"film-{kind}", kind, units, rate, 600, {}, found, pending
    rng = random.Random(20)
    for kind in columns:
        for i in range(72 if kind == "content" else 24):
            rate = rng.choice(RATES)
            milliseconds = rng.choice([600, 600, 600, 0, 1000, 200, 40])
            more = {}
            if kind == "content":
                more["filter"] = rng.choice(["merge", "merge", "suppress"])
            if kind == "adaptive":
                more["window"] = rng.choice([1, 2, 2, 3])
            if kind == "threshold":
                more["bias"] = rng.choice([0.0, 0.0, -1.0, 1.0, 0.5, -0.25])
                more["dark"] = rng.choice([0, 0, 100])
            units = synthetic(rng, kind)
            found, pending = drive(kind, values(units, kind), rate, milliseconds, **more)
            yield f"{kind}-{i}", kind, units, rate, milliseconds, more, found, pending


def main(path, out):
    shared = {}
    with open(out, "w") as file:
        for name, kind, units, rate, milliseconds, more, found, pending in cases(path):
            extra = "".join(f" {k}={v}" for k, v in more.items())
            scale = round(1 / UNITS[kind])
            file.write(f"case {name} detector={kind} rate={rate.numerator}/{rate.denominator} min={milliseconds}{extra} scale={scale}\n")
            text = packed(units)
            if text in shared:
                file.write(f"scores-of {shared[text]}\n")
            else:
                shared[text] = name
                file.write(f"scores {text}\n")
            file.write(" ".join(map(str, ["cuts", *found])) + "\n")
            if pending:
                file.write(" ".join(map(str, ["pending", *pending])) + "\n")
            print(name, len(units), len(found))


main(*sys.argv[1:])
