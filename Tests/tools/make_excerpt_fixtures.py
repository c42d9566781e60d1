#!/usr/bin/env python3
"""Makes Tests/PluginTests/Fixtures/excerpt.txt: what PySceneDetect 0.7.2 finds in the film that comes along.

  pip install scenedetect-headless==0.7.2
  make_excerpt_fixtures.py ../../samples/media/big-buck-bunny-excerpt.mp4 ../PluginTests/Fixtures/excerpt.txt

One line `cuts DETECTOR f …` for each detector with its defaults (min_scene_len 0.6 s, threshold with add_final_scene),
frames from 0, and one line `content_val v …`: the score of every frame from the second on, two decimals.
"""
import sys

from scenedetect import SceneManager, StatsManager, open_video
from scenedetect.detectors import (AdaptiveDetector, ContentDetector, HashDetector, HistogramDetector,
                                   ThresholdDetector)

LENGTH = "0.6s"
DETECTORS = {
    "content": lambda: ContentDetector(min_scene_len=LENGTH),
    "adaptive": lambda: AdaptiveDetector(min_scene_len=LENGTH),
    "threshold": lambda: ThresholdDetector(min_scene_len=LENGTH, add_final_scene=True),
    "histogram": lambda: HistogramDetector(min_scene_len=LENGTH),
    "hash": lambda: HashDetector(min_scene_len=LENGTH),
}


def main(film, out):
    with open(out, "w") as file:
        for name, make in DETECTORS.items():
            video = open_video(film)
            statistics = StatsManager()
            manager = SceneManager(statistics)
            manager.add_detector(make())
            frames = manager.detect_scenes(video)
            cuts = [start.frame_num for start, _ in manager.get_scene_list()[1:]]
            print("cuts", name, *cuts, file=file)
            if name == "content":
                values = [statistics.get_metrics(i, ["content_val"])[0] for i in range(1, frames)]
        print("content_val", *(f"{value:.2f}" for value in values), file=file)


main(*sys.argv[1:])
