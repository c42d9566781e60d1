#!/usr/bin/env python3
"""Plays a file or a playlist whole, by GStreamer and by ffmpeg, and checks that they agree on it.

  check_plays.py FILE SECONDS

Both decode every frame; the picture lasts SECONDS, to a frame; where there is sound, it ends with the picture, to a frame
and an AAC packet; and what each says of the duration is the same. Needs Debian's python3-gi, gir1.2-gstreamer-1.0, ffmpeg.
"""
import json, subprocess, sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst

PACKET = 1024 / 44100


class Track:
    """What came out of one decoded stream; seconds of running time."""

    def __init__(self, segment):
        self.segment = segment
        self.buffers, self.first, self.end = 0, None, 0.0

    def see(self, pad, info):
        event = info.get_event() if info.type & Gst.PadProbeType.EVENT_DOWNSTREAM else None
        if event:
            if event.type == Gst.EventType.SEGMENT:
                self.segment = event.parse_segment().copy()
            return Gst.PadProbeReturn.OK
        buffer = info.get_buffer()
        start = self.segment.to_running_time(Gst.Format.TIME, buffer.pts) / Gst.SECOND
        self.buffers += 1
        self.first = start if self.first is None else self.first
        self.end = max(self.end, start + buffer.duration / Gst.SECOND)
        return Gst.PadProbeReturn.OK


def play(path):
    """The tracks by kind, and the duration that the pipeline answers."""
    pipeline = Gst.Pipeline()
    source = Gst.ElementFactory.make("uridecodebin")
    pipeline.add(source)
    source.set_property("uri", Path(path).resolve().as_uri())
    tracks = {}

    def add(_, pad):
        kind = (pad.get_current_caps() or pad.query_caps()).get_structure(0).get_name().split("/")[0]
        sink = Gst.ElementFactory.make("fakesink")
        sink.set_property("sync", False)
        pipeline.add(sink)
        sink.sync_state_with_parent()
        track = tracks[kind] = Track(None)
        sink.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.EVENT_DOWNSTREAM, track.see)
        pad.link(sink.get_static_pad("sink"))

    source.connect("pad-added", add)
    bus = pipeline.get_bus()
    pipeline.set_state(Gst.State.PLAYING)
    duration = None
    while True:
        message = bus.timed_pop_filtered(120 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR | Gst.MessageType.ASYNC_DONE)
        assert message, "GStreamer hangs"
        assert message.type != Gst.MessageType.ERROR, message.parse_error()[0].message
        known, answer = pipeline.query_duration(Gst.Format.TIME)
        if known and answer > 0:
            duration = answer / Gst.SECOND
        if message.type == Gst.MessageType.EOS:
            break
    pipeline.set_state(Gst.State.NULL)
    return tracks, duration


def probe(path):
    """ffprobe's duration, and of each kind of stream how many frames it decodes."""
    fields = "format=duration:stream=codec_type,nb_read_frames"
    found = json.loads(subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-show_entries", fields, "-of", "json", path],
        check=True, capture_output=True).stdout)
    return float(found["format"]["duration"]), {s["codec_type"]: int(s["nb_read_frames"]) for s in found["streams"]}


def near(what, a, b, tolerance):
    assert abs(a - b) <= tolerance, f"{what}: {a:.3f} s and {b:.3f} s"


def main(path, seconds):
    Gst.init(None)
    tracks, told = play(path)
    duration, frames = probe(path)
    video, audio = tracks["video"], tracks.get("audio")
    length = video.end - video.first
    frame = length / video.buffers
    print(f"{path}: GStreamer {video.buffers} frames, {length:.3f} s, says {told}; ffprobe {frames}, {duration:.3f} s")
    assert frames["video"] == video.buffers, "other numbers of frames"
    assert ("audio" in frames) == (audio is not None), "one of them sees no sound"
    near("the picture lasts", length, seconds, 1.01 * frame)
    # A packet is a frame's length at most here, and encoders put one in front and fill the last up.
    slack = 1.01 * frame + (3 * PACKET if audio else 0)
    near("the picture and ffprobe's duration", length, duration, slack)
    if told is not None:
        near("what each says", told, duration, slack)
    if audio:
        near("sound and picture end", audio.end, video.end, slack)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} FILE SECONDS")
    main(sys.argv[1], float(sys.argv[2]))
