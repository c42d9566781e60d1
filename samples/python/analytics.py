#!/usr/bin/env python3
"""Prints the shot boundaries of a video as any reader of GStreamer's analytics metadata finds them on buffers.

  . launch/env
  python3 samples/python/analytics.py FILE

Needs GStreamer 1.24 or newer, Debian's python3-gi and gir1.2-gst-plugins-bad-1.0, and the Python that they are for.
"""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstAnalytics", "1.0")
from gi.repository import GLib, Gst, GstAnalytics


def main(path):
    Gst.init(None)
    try:
        pipeline = Gst.parse_launch_full(
            "filesrc name=file ! decodebin ! videoconvert ! shotdetect align=true analytics-meta=true ! fakesink name=sink sync=false",
            None, Gst.ParseFlags.FATAL_ERRORS)
    except GLib.Error as error:
        print(error.message, file=sys.stderr)
        return 1
    pipeline.get_by_name("file").set_property("location", path)

    frames = 0

    def look(pad, info):
        nonlocal frames
        buffer = info.get_buffer()
        found = GstAnalytics.buffer_get_analytics_relation_meta(buffer)
        for number in range(GstAnalytics.relation_get_length(found) if found else 0):
            is_class, entry = found.get_cls_mtd(number)
            label = GLib.quark_to_string(entry.get_quark(0)) if is_class else ""
            if label.startswith("shot-boundary/"):
                print(f"frame {frames}  {label}  {entry.get_level(0):.3f}", flush=True)
        frames += 1
        return Gst.PadProbeReturn.OK

    pipeline.get_by_name("sink").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, look)
    pipeline.set_state(Gst.State.PLAYING)
    try:
        message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
        if message.type == Gst.MessageType.ERROR:
            print(f"{message.src.get_name()}: {message.parse_error()[0].message}", file=sys.stderr)
            return 1
        return 0
    finally:
        pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FILE")
    sys.exit(main(sys.argv[1]))
