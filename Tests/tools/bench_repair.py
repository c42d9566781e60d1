"""Measures defade beside `identity`, and shotclip beside its encoder and muxer alone.

Pairs of processes in turns, as in bench.py. What counts is processor time, on one core where real time is the question:
a machine that does other things at the time hardly changes it.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import FILM, seconds
from tables import table, verdict

PASSING_LIMIT, CLIP_LIMIT = "≤ 0.01", "≤ 5"
PASSING_FRAMES = 100_000
# One shot fades out, the next one in, and a cut leads back: 24 of 52 frames are dimmed.
LOOP, DIMMED = 52, 24
FADES = ("split[a][b];[a]trim=start_frame=304:end_frame=330,setpts=PTS-STARTPTS,fade=out:14:12[out];"
         "[b]trim=start_frame=1000:end_frame=1026,setpts=PTS-STARTPTS,fade=in:0:12[in];[out][in]concat")
# By then all memory has been in use that is held; what comes after counts.
WARM_UP = 10
# Loops that count, and the frames a second that a mode is to reach.
SPEED_LIMITS = {"3840x2160": (10, {"hold": "≥ 60", "cut": "≥ 60"}), "1920x1080": (20, {"restore": "≥ 60"})}
ENCODER = "x264enc speed-preset=veryfast"


def launch(pipeline):
    return ["gst-launch-1.0", "-q", *pipeline.split()]


def on_one_core(command):
    return ["taskset", "-c", str(min(os.sched_getaffinity(0))), *command]


def pairs(with_it, without_it, rounds, measure, name):
    """What `measure` says of both in each round, whose order alternates."""
    out = []
    for turn in range(rounds + 1):
        second = measure(without_it) if turn % 2 else None
        first = measure(with_it)
        if turn: out.append((first, second or measure(without_it)))  # the first round only warms the caches
        print(f"\r{name}: round {turn} of {rounds} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return out


def passing(element):
    """Frames whose memory nobody fills, so that nothing but the element takes time; an unused one loads the plugin."""
    size = 1920 * 1080 * 3 // 2
    return launch(f"fakesrc num-buffers={PASSING_FRAMES} filltype=nothing sizetype=fixed sizemax={size} format=time datarate={size * 60} ! "
                  f"video/x-raw,format=I420,width=1920,height=1080,framerate=60/1 ! {element} ! fakesink sync=false shotdetect")


class Fades:
    """A loop of film with a fade, as raw frames of a size."""

    def __init__(self, folder, size):
        self.size, self.pattern = size, str(folder / f"fades-{size}-%03d.yuv")
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", FILM, "-an", "-vf", f"{FADES},scale={size.replace('x', ':')}", "-fps_mode", "passthrough",
             "-pix_fmt", "yuv420p", "-start_number", "0", "-f", "image2", "-c:v", "rawvideo", self.pattern], check=True)

    def through(self, element, loops):
        width, height = self.size.split("x")
        return launch(f"multifilesrc location={self.pattern} loop=true num-buffers={LOOP * loops} ! rawvideoparse format=i420 width={width} height={height} framerate=60/1 ! "
                      f"shotdetect detector=fused align=true ! {element} ! fakesink sync=false")

    def cost(self, element, loops):
        """Processor time of so many loops after the first ones, on one core."""
        return seconds(on_one_core(self.through(element, WARM_UP + loops))) - seconds(on_one_core(self.through(element, WARM_UP)))

    def marked(self):
        """How many fades of the first loops are found, for a fade that is not marked costs nothing."""
        command = self.through("identity", WARM_UP)
        command[1] = "-m"
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.count("shot-boundary, kind=(string)fade")


def clips(*elements):
    """The sample film with a key frame at every cut, into what writes it."""
    return launch(f"filesrc location={FILM} ! decodebin ! videoconvert ! queue ! shotdetect align=true force-key-units=true !") + list(elements)


def timed(command):
    begun = time.monotonic()
    used = seconds(command)
    return used, time.monotonic() - begun


def print_passing(rounds):
    rows = []
    for mode in ("hold", "cut", "restore"):
        measured = pairs(passing(f"defade mode={mode}"), passing("identity"), rounds, seconds, f"defade mode={mode} outside transitions")
        extra = statistics.median(a - b for a, b in measured) / PASSING_FRAMES * 1e3
        rows.append([f"`defade mode={mode}`", f"{extra:.4f} ({verdict(extra, PASSING_LIMIT)})"])
    print(f"\nOutside of transitions, processor time a 1080p frame beyond `identity`, median of {rounds} pairs:")
    table(["", "ms"], rows)


def print_fades(folder, rounds):
    rows = []
    for size, (loops, limits) in SPEED_LIMITS.items():
        with tempfile.TemporaryDirectory(dir=folder) as own:
            source, frames = Fades(Path(own), size), LOOP * loops
            marked = source.marked()
            for mode, limit in limits.items():
                measured = pairs(f"defade mode={mode}", "identity", rounds, lambda element: source.cost(element, loops), f"defade mode={mode}, {size}")
                rate = statistics.median(frames / a for a, _ in measured)
                extra = statistics.median(a - b for a, b in measured) / (DIMMED * loops) * 1e3
                rows.append([f"`defade mode={mode}`, {size}", f"{marked} of {WARM_UP}", f"{statistics.median(frames / b for _, b in measured):.0f}",
                             f"{rate:.0f} ({verdict(rate, limit)})", f"{statistics.median(b / a for a, b in measured):.2f}", f"{extra:.2f}"])
    print(f"\nReading, `shotdetect detector=fused` and `defade` on one core, I420, {DIMMED} of {LOOP} frames in fades, medians of {rounds} pairs:")
    table(["", "fades marked", "frames a second with `identity`", "with `defade`", "ratio", "ms more a dimmed frame"], rows)


def print_clips(folder, rounds):
    measured = pairs(clips("shotclip", "mode=shots", "overwrite=true", f"location={folder}/%05d.mp4", f"encoder={ENCODER}"),
                     clips(*ENCODER.split(), *"! h264parse ! mp4mux ! filesink".split(), f"location={folder}/whole.mp4"), rounds, timed, "shotclip mode=shots")
    rows = []
    for i, name in enumerate(("processor time", "time on the wall")):
        more = 100 * (statistics.median(a[i] / b[i] for a, b in measured) - 1)
        rows.append([name, f"{statistics.median(b[i] for _, b in measured):.2f}", f"{statistics.median(a[i] for a, _ in measured):.2f}", f"{more:.1f} ({verdict(more, CLIP_LIMIT)})"])
    print(f"\n`shotclip mode=shots` and the same encoder (`{ENCODER}`) and muxer alone, the sample film, medians of {rounds} pairs:")
    table(["", "alone, s", "shotclip, s", "more, %"], rows)


def print_repair(folder, rounds):
    print_passing(rounds)
    print_fades(folder, rounds)
    print_clips(folder, rounds)
