"""Measures sceneextend: what passing through costs beside `identity`, how fast the virtual camera is, whether a live stream
goes on in real time, and its memory over many shots.
"""
import re
import statistics
import subprocess
import time
from pathlib import Path

from bench_repair import launch, on_one_core, pairs
from measuring import seconds, usage
from tables import table, verdict

PASSING_LIMIT, CAMERA_LIMIT, UNDERRUN_LIMIT, MEMORY_LIMIT = "≤ 0.02", "≥ 25", "≤ 0", "≤ 5"
FRAMES = 20_000
ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models/scene-small"
# Frames a second, and for what the element looks at them: the model at 8 a second, the camera at each.
PASSING = {
    "with pictures for the virtual camera": (25, "generator=rephotograph"),
    "with pictures for the model": (25, "generator=diffusion underrun=hold"),
    "with hardly any": (600, "generator=diffusion underrun=hold"),
}
LOOKED_AT = 8


def frames(element, rate, count=FRAMES):
    """Frames whose memory nobody fills, so that nothing but the element takes time; an unused one loads the plugin."""
    size = 1920 * 1080 * 3 // 2
    return launch(f"fakesrc num-buffers={count} filltype=nothing sizetype=fixed sizemax={size} format=time datarate={size * rate} ! "
                  f"video/x-raw,format=I420,width=1920,height=1080,framerate={rate}/1 ! {element} ! fakesink sync=false shotdetect")


def passing(rate, settings, rounds, name):
    element = f"sceneextend shots=0 {settings}"
    measured = pairs(frames(element, rate), frames("identity", rate), rounds, seconds, f"sceneextend, {name}")
    # Starting takes as long with one frame.
    start = statistics.median(a - b for a, b in pairs(frames(element, rate, 1), frames("identity", rate, 1), rounds, seconds, "starting"))
    return (statistics.median(a - b for a, b in measured) - start) / FRAMES * 1e3


def print_passing(rounds):
    costs = {name: passing(rate, settings, rounds, name) for name, (rate, settings) in PASSING.items() if MODEL.is_dir() or "diffusion" not in settings}
    rows = [[name, f"{cost:.4f}"] for name, cost in costs.items()]
    if MODEL.is_dir():
        # A frame costs what passing does, and a part of them what a picture does.
        few, many = LOOKED_AT / 600, LOOKED_AT / 25
        alone = (costs["with hardly any"] * many - costs["with pictures for the model"] * few) / (many - few)
        rows.append(["passing alone, from the two before", f"{alone:.4f} ({verdict(alone, PASSING_LIMIT)})"])
    print(f"\nPassing through, processor time a 1080p I420 frame beyond `identity`, medians of {rounds} pairs:")
    table(["`sceneextend`", "ms"], rows)


def print_camera(rounds):
    rows = []
    for size, format in (("1920x1080", "I420"), ("1920x1080", "BGRx"), ("1280x720", "I420")):
        width, height = size.split("x")

        def through(shots):
            return launch(f"videotestsrc num-buffers=50 pattern=zone-plate kx2=10 ky2=10 kt=2 ! video/x-raw,format={format},width={width},height={height},framerate=25/1 ! "
                          f"sceneextend generator=rephotograph shots={shots} shot-duration=2000000000 ! fakesink sync=false")

        measured = [seconds(on_one_core(through(12))) - seconds(on_one_core(through(2))) for _ in range(rounds)]
        rate = 500 / statistics.median(measured)
        rows.append([f"{size}, {format}", f"{rate:.0f} ({verdict(rate, CAMERA_LIMIT)})"])
    print(f"\n`generator=rephotograph` on one core, median of {rounds}:")
    table(["", "generated frames a second"], rows)


def live(generator, duration):
    """A live 720p feed that ends after 5 s and goes on; what its messages say, and how long it took."""
    shots = max(1, duration if generator == "diffusion" else duration // 4)
    command = launch("videotestsrc is-live=true num-buffers=125 pattern=ball ! video/x-raw,format=I420,width=1280,height=720,framerate=25/1 ! "
                     f"sceneextend generator={generator} shots={shots} ! videoconvert ! x264enc speed-preset=ultrafast tune=zerolatency ! fakesink sync=true")
    command[1] = "-m"
    begun = time.monotonic()
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    took = time.monotonic() - begun
    underruns = [int(n) for n in re.findall(r"scene-extension.*?underruns=\(guint64\)(\d+)", output)]
    factors = [float(f) for f in re.findall(r"state=\(string\)generated.*?real-time-factor=\(double\)([0-9.]+)", output)]
    planned = 5 + (shots if generator == "diffusion" else 4 * shots)
    return max(underruns, default=0), factors, took, planned


def print_live(minutes):
    rows = []
    for generator in ("rephotograph", "diffusion"):
        if generator == "diffusion" and not MODEL.is_dir(): continue
        underruns, factors, took, planned = live(generator, int(minutes * 60))
        rows.append([generator, f"{planned}", f"{took:.1f}", f"{statistics.median(factors):.1f}, {min(factors):.1f}", f"{underruns} ({verdict(underruns, UNDERRUN_LIMIT)})"])
    print("\nA live 720p25 feed that ends, into `x264enc speed-preset=ultrafast`:")
    table(["generator", "planned, s", "took, s", "real-time factor, median and least", "underruns"], rows)


def print_memory():
    rows = []
    for generator, duration in (("rephotograph", 200_000_000), ("diffusion", 0)):
        if generator == "diffusion" and not MODEL.is_dir(): continue

        def peak(shots):
            return usage(launch("videotestsrc num-buffers=50 pattern=ball ! video/x-raw,width=640,height=360,framerate=25/1 ! "
                                f"sceneextend generator={generator} shots={shots} shot-duration={duration} ! fakesink sync=false")).ru_maxrss / 1024

        few, many = peak(20), peak(200)
        more = 100 * (many / few - 1)
        rows.append([generator, f"{few:.0f}", f"{many:.0f}", f"{more:.1f} ({verdict(more, MEMORY_LIMIT)})"])
    print("\nPeak memory:")
    table(["generator", "20 shots, MB", "200 shots, MB", "more, %"], rows)


def print_extend(rounds, minutes):
    print("\n## Extension")
    print_passing(rounds)
    print_camera(rounds)
    print_memory()
    print_live(minutes)
