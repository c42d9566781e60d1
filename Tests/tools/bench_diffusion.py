"""Measures the diffusion engine beside PyTorch and diffusers, and beside the rate of a large matrix product.

Both take turns, one process at a time, and ratios are medians of what each round says.
"""
import statistics
import subprocess
from pathlib import Path

from bench_network import PEERS, json_lines
from tables import table, verdict

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / ".build/release/diffusion"
# For each part what it is compared with, and how many times as fast it is to be.
PARTS = {
    "block": ("a block of 2B over 17,776 tokens", "bfloat16", "≥ 2"),
    "decode": ("9 frames of 120×176 decoded at CogVideoX's width", "float32", "≥ 3"),
    "step": ("a step of 12 layers of 384: 256 new tokens, 1,024 kept", "bfloat16", None),
}
TYPES = ("bfloat16", "float32")


def precisions(part):
    """Ours. The decoder has no layers of bytes."""
    return TYPES if part == "decode" else ("int8", *TYPES)


def ours(part, precision):
    line, = json_lines([TOOL, part, precision])
    return line


def theirs(python, part, precision):
    line, = json_lines([python, Path(__file__).with_name("peers_diffusion.py"), part, precision], stderr=subprocess.DEVNULL)
    return line


def print_diffusion(rounds, python):
    python = python or (PEERS if PEERS.exists() else None)
    if python and subprocess.run([python, "-c", "import diffusers"], stderr=subprocess.DEVNULL).returncode: python = None
    results, peers = {}, {}
    for _ in range(rounds):
        for part in PARTS:
            for precision in precisions(part):
                results.setdefault((part, precision), []).append(ours(part, precision))
                if python and precision in TYPES: peers.setdefault((part, precision), []).append(theirs(python, part, precision))
    version = f" PyTorch {next(iter(peers.values()))[0]['version']} with its fused attention." if python else " PyTorch: not measured, no Python that has diffusers."
    print(f"\nThe diffusion engine on two cores, seconds, median of {rounds} rounds.{version} The peak is a product of 4096 × 2048 × 2048.")
    rows = []
    for part, (name, rival, limit) in PARTS.items():
        for precision in precisions(part):
            lines = results[part, precision]
            median = lambda key: statistics.median(line[key] for line in lines)
            row = [f"{name}, {precision}", f"{median('seconds'):.3g}", f"{median('gflop'):.0f}", f"{median('gflops'):.0f}", f"{median('share'):.0%}"]
            for other in TYPES if python else ():
                ratios = [b["seconds"] / a["seconds"] for a, b in zip(lines, peers[part, other])]
                row.append(f"{statistics.median(b['seconds'] for b in peers[part, other]):.3g} (× {statistics.median(ratios):.2f})")
            if python:
                ratio = statistics.median(b["seconds"] / a["seconds"] for a, b in zip(lines, peers[part, rival]))
                row.append(verdict(ratio, limit, f" × {rival}") if limit and precision != "float32" else "")
            rows.append(row)
    header = ["", "seconds", "GFLOP", "GFLOP/s", "of the peak"]
    table(header + [f"PyTorch {other}" for other in TYPES] * bool(python) + ["limit"] * bool(python), rows)
