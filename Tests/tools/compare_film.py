"""Compares shotdetect's five detectors with PySceneDetect's on a film, frame for frame, and prints a Markdown table.

    launch/setup && . launch/env
    python3 -m venv .venv-peer && .venv-peer/bin/pip install scenedetect-headless==0.7.2
    .venv-peer/bin/python Tests/tools/compare_film.py FILM.mp4 [LABELS.tsv]

LABELS: tab-separated with columns start, end, type (a cut: start = end = first frame of the new shot). Then F1 over the
cuts is printed too, matched one to one in order of time, at most one frame apart.
"""
import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import scenedetect
from scenedetect import SceneManager, StatsManager, open_video

# Ours and theirs, with the setting that its command line has.
DETECTORS = {
    "content": lambda: scenedetect.ContentDetector(min_scene_len="0.6s"),
    "adaptive": lambda: scenedetect.AdaptiveDetector(min_scene_len="0.6s"),
    "threshold": lambda: scenedetect.ThresholdDetector(min_scene_len="0.6s", add_final_scene=True),
    "histogram": lambda: scenedetect.HistogramDetector(min_scene_len="0.6s"),
    "hash": lambda: scenedetect.HashDetector(min_scene_len="0.6s"),
}
MAIN_COLUMN = {"content": "content_val", "adaptive": "adaptive_ratio", "threshold": "average_rgb",
               "histogram": "hist_diff", "hash": "hash_dist"}


def ours(film, folder):
    """One decoding, all detectors beside each other."""
    branches = " ".join(
        f"t. ! queue max-size-buffers=4 ! shotdetect detector={name} ! shotlog location={folder}/{name}.csv "
        f"statistics-location={folder}/{name}.scores ! fakesink sync=false" for name in DETECTORS)
    subprocess.run(["gst-launch-1.0", "-q"] + f"filesrc location={film} ! decodebin ! tee name=t {branches}".split(), check=True)
    cuts = {}
    for name in DETECTORS:
        rows = [row for row in csv.reader(open(f"{folder}/{name}.csv")) if row[0].isdigit()]
        cuts[name] = [int(row[1]) - 1 for row in rows[1:]]
    return cuts


def theirs(film, folder, name):
    manager = SceneManager(StatsManager())
    manager.add_detector(DETECTORS[name]())
    manager.detect_scenes(open_video(str(film)))
    manager.stats_manager.save_to_csv(f"{folder}/{name}.their-scores")
    return [scene[0].frame_num for scene in manager.get_scene_list()[1:]]


def scores(path, column):
    head, *rows = csv.reader(open(path))
    index = next(i for i, title in enumerate(head) if title.startswith(column))
    return {row[0]: float(row[index]) for row in rows if row[index] not in ("", "None")}


def f1(found, labels):
    hits = i = j = 0
    while i < len(found) and j < len(labels):
        if abs(found[i] - labels[j]) <= 1:
            hits, i, j = hits + 1, i + 1, j + 1
        elif found[i] < labels[j]:
            i += 1
        else:
            j += 1
    return 2 * hits / max(1, len(found) + len(labels))


def main():
    film = Path(sys.argv[1]).resolve()
    labels = []
    if len(sys.argv) > 2:
        labels = [int(row["start"]) for row in csv.DictReader(open(sys.argv[2]), delimiter="\t") if row["type"] == "cut"]
    print("| detector | cuts | PySceneDetect's | only ours | only theirs | mean score difference |" + (" F1 | its F1 |" if labels else ""))
    print("| --- | ---: | ---: | --- | --- | ---: |" + (" ---: | ---: |" if labels else ""))
    with tempfile.TemporaryDirectory() as folder:
        found = ours(film, folder)
        for name in DETECTORS:
            their = theirs(film, folder, name)
            own = found[name]
            a, b = scores(f"{folder}/{name}.scores", MAIN_COLUMN[name]), scores(f"{folder}/{name}.their-scores", MAIN_COLUMN[name])
            difference = sum(abs(a[frame] - b[frame]) for frame in b if frame in a) / max(1, len(b))
            line = (f"| {name} | {len(own)} | {len(their)} | {sorted(set(own) - set(their)) or 'none'} | "
                    f"{sorted(set(their) - set(own)) or 'none'} | {difference:.5f} |")
            print(line + (f" {f1(own, labels):.4f} | {f1(their, labels):.4f} |" if labels else ""))


main()
