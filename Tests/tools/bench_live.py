"""Measures shotdetect on a live feed of 1080p at 25 frames a second, beside `identity` on the same feed.

Each measurement is a process that plays the feed (live_feed.py); what the feed itself costs is in both and cancels out.
"""
import json
import statistics
import subprocess
import sys
from pathlib import Path

from bystanders import Bystanders
from tables import table, verdict

FILM = Path(__file__).resolve().parents[2] / "samples/media/big-buck-bunny-excerpt.mp4"
SIZE = "1920x1080"
DETECTORS = ("content", "transnet", "fused")
# Two seconds of the feed: a second of each of two shots.
FIRST_FRAMES = (300, 1000)
CPU_LIMIT, MEMORY_LIMIT, LOAD_LIMIT, LATE_LIMIT = "≤ 10", "≤ 150", "≤ 200", "≤ 300"


def film_feed(folder):
    """A file of raw frames with a cut in its middle."""
    target = folder / "feed.yuv"
    chosen = "+".join(f"between(n,{first},{first + 24})" for first in FIRST_FRAMES)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-i", FILM, "-an", "-vf", f"select='{chosen}',scale={SIZE.replace('x', ':')}", "-fps_mode", "passthrough",
         "-pix_fmt", "yuv420p", "-f", "rawvideo", target], check=True)
    return target


def python_with_gstreamer():
    """A Python that has PyGObject: the system's, if not the one that runs this."""
    for python in (sys.executable, "/usr/bin/python3"):
        if not subprocess.run([python, "-c", "import gi"], stderr=subprocess.DEVNULL).returncode: return python
    raise SystemExit("No Python here has PyGObject (Debian's python3-gi).")


def print_live(folder, rounds, seconds):
    """Measures and prints processor time, memory, load time and lateness."""
    feed, python = film_feed(folder), python_with_gstreamer()
    elements = {"identity": "identity", **{d: f"shotdetect detector={d}" for d in DETECTORS}}
    said, others = {name: [] for name in elements}, Bystanders()
    for number in range(rounds):
        for name in reversed(elements) if number % 2 else elements:
            command = [python, Path(__file__).with_name("live_feed.py"), feed, SIZE, str(seconds), elements[name]]
            said[name].append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))
        print(f"\rlive feed: round {number + 1} of {rounds} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)

    def beyond(name, field):
        return statistics.median(a[field] - b[field] for a, b in zip(said[name], said["identity"]))

    def shown(value, digits, limit, asked):
        return f"{value:.{digits}f}" + (f" ({verdict(value, limit)})" if asked else "")

    rows = []
    for name in DETECTORS:
        network = name != "content"
        late = [one["late_ms"] for one in said[name]]
        rows.append([
            f"`detector={name}`",
            shown(100 * beyond(name, "cpu"), 1, CPU_LIMIT, name == "transnet"),
            shown(beyond(name, "peak_mb"), 1, MEMORY_LIMIT, network),
            shown(statistics.median(one["load_ms"] for one in said[name]), 0, LOAD_LIMIT, network),
            f"{said[name][0]['ahead']}",
            "cut not found" if None in late else shown(statistics.median(late), 0, LATE_LIMIT, network)])
    print(f"\nA live feed, 1080p I420 at 25 frames a second, {seconds} s of it; processor time and peak resident memory beyond `identity`, "
          f"medians of {rounds} rounds. {others.note()}")
    table(["", "processor, % of one core", "memory, MB", "loading, ms", "look-ahead, frames", "first result beyond the look-ahead, ms"], rows)
