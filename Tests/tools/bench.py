"""Measures shotdetect beside identity and its peers; launch/bench runs it and says how.

Every measurement is a process that pushes frames of film through one element. A process with the element runs next to
one with `identity`, in turns, and the median of the differences counts: what reading frames costs, and a machine that
is busy for a while, cancel out. Each process of both kinds creates a shotdetect, used or not, so that the time it takes
to load the plugin cancels out too.
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench_diffusion import print_diffusion
from bench_endurance import print_endurance
from bench_extend import print_extend
from bench_live import print_live
from bench_network import print_network
from bench_repair import print_repair
from measuring import FILM, machine, seconds, usage
from tables import table

DETECTORS = ("content", "adaptive", "threshold", "histogram", "hash")


class Frames:
    """Consecutive frames of the film, one raw I420 file each, scaled to a size."""

    def __init__(self, folder, size, count):
        self.width, self.height = map(int, size.split("x"))
        self.pattern = str(folder / f"{size}-%03d.yuv")
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", FILM, "-an", "-vf",
             f"trim=start_frame=1000:end_frame={1000 + count},scale={self.width}:{self.height}",
             "-pix_fmt", "yuv420p", "-start_number", "0", "-f", "image2", "-c:v", "rawvideo", self.pattern], check=True)

    def gstreamer(self, element, frames, beside=""):
        """The command that pushes so many frames through an element, with an unused element beside it."""
        caps = f"video/x-raw,format=I420,width={self.width},height={self.height},framerate=25/1,colorimetry=bt709"
        return (["gst-launch-1.0", "-q", "multifilesrc", f"location={self.pattern}", "loop=true",
                 f"num-buffers={frames}", f"caps={caps}", "!"] + element.split() +
                ["!", "fakesink", "sync=false"] + beside.split())

    def ffmpeg(self, filters, frames):
        """The same through ffmpeg's filters."""
        return (["ffmpeg", "-v", "error", "-f", "image2", "-loop", "1", "-c:v", "rawvideo", "-pixel_format", "yuv420p",
                 "-video_size", f"{self.width}x{self.height}", "-i", self.pattern, "-frames:v", str(frames)] +
                filters.split() + ["-f", "null", "-"])


def peak_memory(command, rounds):
    """Peak resident memory of a command in MB, median of so many runs: one frame more or less in flight is 12 MB at 4K."""
    return statistics.median(usage(command).ru_maxrss / 1024 for _ in range(rounds))


def heap_allocations(command):
    """How often a command allocated on the heap, as valgrind counts it."""
    log = subprocess.run(["valgrind", "--leak-check=no", "--undef-value-errors=no"] + command, check=True,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
    return int(re.search(r"total heap usage: ([\d,]+) allocs", log).group(1).replace(",", ""))


def candidates(source):
    """Names of what is measured, each with functions from a number of frames to its command and to the one without it."""
    for detector in DETECTORS:
        element = f"shotdetect detector={detector}"
        yield (f"shotdetect {detector}",
               lambda n, element=element: source.gstreamer(element, n),
               lambda n, element=element: source.gstreamer("identity", n, beside=element))
    yield ("GStreamer scenechange",
           lambda n: source.gstreamer("scenechange", n, beside="shotdetect"),
           lambda n: source.gstreamer("identity", n, beside="shotdetect"))
    yield ("FFmpeg scdet",
           lambda n: source.ffmpeg("-vf scdet", n),
           lambda n: source.ffmpeg("", n))


def measure_time(source, frames, rounds):
    """Median ms a frame that each candidate adds, and its median time as a multiple of identity's."""
    pairs = {}
    for turn in range(rounds + 1):
        for name, with_it, without_it in candidates(source):
            commands = [with_it(frames), without_it(frames)]
            if turn % 2:
                without, with_ = seconds(commands[1]), seconds(commands[0])
            else:
                with_, without = seconds(commands[0]), seconds(commands[1])
            if turn:  # the first round only warms the caches
                pairs.setdefault(name, []).append((with_, without))
        print(f"\r{source.width}x{source.height}: round {turn} of {rounds} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {name: (statistics.median(w - i for w, i in p) / frames * 1e3, statistics.median(w / i for w, i in p))
            for name, p in pairs.items()}


def print_elements(folder, sizes, rounds, allocations):
    """Measures and prints what each element adds to a pipeline that runs as fast as it can."""
    times, memory = {}, {}
    for size in sizes:
        pixels = int(size.split("x")[0]) * int(size.split("x")[1])
        source = Frames(folder, size, max(16, min(60, int(2.5e8 / pixels / 1.5))))
        frames = max(100, int(4e9 / pixels))
        times[size] = measure_time(source, frames, rounds)
        baseline = peak_memory(source.gstreamer("identity", 200), rounds)
        memory[size] = {f"shotdetect {d}": peak_memory(source.gstreamer(f"shotdetect detector={d}", 200), rounds) - baseline
                        for d in DETECTORS}
        memory[size]["GStreamer scenechange"] = peak_memory(source.gstreamer("scenechange", 200), rounds) - baseline

    print(f"\nProcessor time a frame more than without the element, I420, median of {rounds} pairs:")
    table(["", *(column for s in sizes for column in (f"{s}, ms", "ratio"))],
          [[name, *(cell for s in sizes for cell in (f"{times[s][name][0]:.3f}", f"{times[s][name][1]:.2f}"))]
           for name in times[sizes[0]]])
    print(f"\nPeak resident memory more than with `identity`, medians of {rounds} runs:")
    table(["", *(f"{s}, MB" for s in sizes)],
          [[name, *(f"{memory[s][name]:.1f}" for s in sizes)] for name in memory[sizes[0]]])

    if allocations:
        source, short, long = Frames(folder, "640x360", 60), 60, 160
        rates = {}
        for name in ["identity", *(f"shotdetect detector={d}" for d in DETECTORS)]:
            a, b = (heap_allocations(source.gstreamer(name, n)) for n in (short, long))
            rates[name] = (b - a) / (long - short)
        print(f"\nHeap allocations a frame more than with `identity`, frames {short} to {long}:")
        table(["", "a frame"], [[n, f"{r - rates['identity']:.2f}"] for n, r in rates.items() if n != "identity"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--elements", action="store_true")
    parser.add_argument("--network", action="store_true")
    parser.add_argument("--live", action="store_true")
    parser.add_argument("--repair", action="store_true")
    parser.add_argument("--diffusion", action="store_true")
    parser.add_argument("--extend", action="store_true")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", default="1920x1080,3840x2160")
    parser.add_argument("--allocations", action="store_true")
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--hours", type=float)
    options = parser.parse_args()
    if options.seconds < 3: parser.error("--seconds: at least 3, or the first cut comes too late to be found")
    every = not (options.elements or options.network or options.live or options.repair or options.diffusion or options.extend)

    print(f"Measured in {machine()}")
    shm = Path("/dev/shm")
    roomy = shm.is_dir() and os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > 800e6

    def folder(): return tempfile.TemporaryDirectory(dir=shm if roomy else None, prefix="gst-shots-bench-")

    if every or options.elements:
        with folder() as path: print_elements(Path(path), options.sizes.split(","), options.rounds, options.allocations)
    if every or options.network:
        with folder() as path: print_network(Path(path), options.rounds, options.peers)
    if every or options.live:
        with folder() as path: print_live(Path(path), options.rounds, options.seconds)
    if every or options.repair:
        with folder() as path: print_repair(Path(path), options.rounds)
    if every or options.extend:
        print_extend(options.rounds, options.minutes)
    if every or options.diffusion:
        print_diffusion(options.rounds, options.peers)
    if options.hours:
        with folder() as path: print_endurance(Path(path), options.hours)


if __name__ == "__main__":
    main()
