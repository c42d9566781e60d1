#!/usr/bin/env python3
"""Makes the list files of Tests/ShotListsTests/Fixtures with PySceneDetect 0.7.2's own writers.

  pip install scenedetect-headless==0.7.2
  make_list_fixtures.py FOLDER

The list is long enough for a drift to show.
"""
import sys
from fractions import Fraction
from pathlib import Path

from scenedetect import StatsManager
from scenedetect.common import FrameTimecode, Timecode
from scenedetect.output import write_scene_list
from scenedetect.scene_manager import get_scenes_from_cuts

CUTS = [37, 45, 285, 378, 1145, 1995, 35964, 54015, 86500, 99975, 100000]  # 15 + 30·n at 29.97 are halves of a millisecond
END = 100123
RATES = {"24": Fraction(24), "ntsc-film": Fraction(24000, 1001), "ntsc": Fraction(30000, 1001), "16": Fraction(16)}


def position(frame, rate):
    return FrameTimecode(Timecode(pts=frame * rate.denominator, time_base=Fraction(1, rate.numerator)), fps=rate)


folder = Path(sys.argv[1])
for name, rate in RATES.items():
    cuts = [position(f, rate) for f in CUTS]
    scenes = get_scenes_from_cuts(cuts, position(0, rate), position(END, rate))
    write_scene_list(folder / f"scenes-{name}.csv", scenes, cut_list=cuts)

stats = StatsManager()
rate = RATES["ntsc-film"]
columns = ["content_val", "delta_hue", "adaptive_ratio (w=2)"]
stats.register_metrics(columns)
for frame, row in [(1, [0.1, 1e-5]), (2, [27.0, 1 / 3, 255.0]), (3, [123456.789, 0.0, 2.5])]:
    stats.set_metrics(position(frame, rate), dict(zip(columns, row)))
stats.save_to_csv(str(folder / "statistics.csv"))
