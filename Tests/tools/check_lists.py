#!/usr/bin/env python3
"""Reads cut lists back with other people's readers and checks every cut.

  pip install opentimelineio==0.18.1 otio-cmx3600-adapter==1.0.0 otio-fcpx-xml-adapter==1.0.0
  GST_SHOTS_LISTS=FOLDER swift test --filter ListsForOtherTools
  check_lists.py FOLDER

The lists have a cut every 131 frames up to frame 130,000.
"""
import csv, json, sys
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import opentimelineio as otio

RATES = {"24": Fraction(24), "film": Fraction(24000, 1001), "ntsc": Fraction(30000, 1001)}
STARTS = list(range(0, 130_000, 131))
ENDS = STARTS[1:] + [130_000]
TITLE = 'Tom & "Jerry" <é>\x01\n\\ 😀'


def clips(timeline):
    return [c for c in timeline.find_clips()]


def check_otio(path, rate):
    timeline = otio.adapters.read_from_file(str(path), adapter_name="otio_json")
    assert timeline.name == TITLE, timeline.name
    found = clips(timeline)
    ranges = [c.source_range for c in found]
    assert [r.start_time.value for r in ranges] == STARTS
    assert [r.end_time_exclusive().value for r in ranges] == ENDS
    assert all(abs(r.start_time.rate - float(rate)) < 1e-12 for r in ranges)
    assert [c.range_in_parent().start_time.value for c in found] == STARTS
    assert found[0].media_reference.target_url == "file:///film%20%C3%A9.mp4"
    assert "gst-shots" not in found[0].metadata
    assert [c.metadata["gst-shots"]["frame"] for c in found[1:]] == STARTS[1:]


def check_edl(path, rate):
    # The adapter knows SMPTE rates by their rounded names.
    timeline = otio.adapters.read_from_file(str(path), adapter_name="cmx_3600", rate=float(rate))
    found = clips(timeline)
    ranges = [c.source_range for c in found]
    assert [round(r.start_time.value) for r in ranges] == STARTS
    assert [round(r.end_time_exclusive().value) for r in ranges] == ENDS


def check_fcpxml(path, rate):
    def frames(text):
        frame = Fraction(text.removesuffix("s")) * rate
        assert frame.denominator == 1, text
        return int(frame)

    root = ElementTree.parse(path).getroot()
    assert root.tag == "fcpxml"
    found = root.findall("./library/event/project/sequence/spine/asset-clip")
    assert [frames(c.get("offset")) for c in found] == STARTS
    assert [frames(c.get("start")) + frames(c.get("duration")) for c in found] == ENDS
    assert frames(root.find(".//sequence").get("duration")) == ENDS[-1]
    assert frames(root.find(".//asset").get("duration")) == ENDS[-1]
    assert root.find(".//asset").get("name") == TITLE.replace("\x01", "\ufffd")
    try:
        timeline = otio.adapters.read_from_file(str(path), adapter_name="fcpx_xml")
    except Exception as error:
        return f"the otio adapter fails: {error!r}"
    container = timeline[0] if isinstance(timeline, otio.schema.SerializableCollection) else timeline
    assert len(list(container.find_clips())) == len(STARTS)


def check_csv(path, rate):
    rows = list(csv.reader(open(path, encoding="utf-8", newline="")))
    assert rows[0][0] == "Timecode List:" and len(rows[0]) == len(STARTS)
    assert [int(r[1]) - 1 for r in rows[2:]] == STARTS and [int(r[4]) for r in rows[2:]] == ENDS
    assert all(abs(float(r[3]) - float(s / rate)) <= 0.000501 for r, s in zip(rows[2:], STARTS))


def check_jsonl(path, rate):
    rows = [json.loads(line) for line in open(path, encoding="utf-8")]
    assert [r["frame"] for r in rows] == STARTS[1:]
    assert all(abs(r["stream-time"] - r["frame"] / rate * 10**9) <= 1 for r in rows)


def check_webvtt(path, rate):
    cues = open(path, encoding="utf-8").read().split("\n\n")
    assert cues[0].startswith("WEBVTT") and len([c for c in cues if "-->" in c]) == len(STARTS)


def check_qp(path, rate):
    assert open(path).read() == "".join(f"{s} I -1\n" for s in STARTS)


folder = Path(sys.argv[1])
failed = 0
for name, rate in RATES.items():
    for kind in ("otio", "edl", "fcpxml", "csv", "jsonl", "webvtt", "qp"):
        try:
            note = globals()[f"check_{kind}"](folder / f"{name}.{kind}", rate)
            print(f"{name}.{kind}: ok" + (f", but {note}" if note else ""))
        except Exception as error:
            failed += 1
            print(f"{name}.{kind}: {error!r}")
sys.exit(failed > 0)
