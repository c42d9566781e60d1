#!/usr/bin/env python3
"""Prints the shot boundaries of a video as they are found.

  . launch/env
  python3 samples/python/boundaries.py FILE

Needs Debian's python3-gi and gir1.2-gstreamer-1.0, and the Python that they are for.
"""
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst


def clock(nanoseconds):
    seconds = nanoseconds / Gst.SECOND
    return f"{int(seconds // 3600)}:{int(seconds // 60 % 60):02}:{seconds % 60:06.3f}"


def main(path):
    Gst.init(None)
    try:
        pipeline = Gst.parse_launch_full(
            "filesrc name=file ! decodebin ! videoconvert ! shotdetect ! fakesink sync=false",
            None, Gst.ParseFlags.FATAL_ERRORS)
    except GLib.Error as error:
        print(error.message, file=sys.stderr)
        return 1
    pipeline.get_by_name("file").set_property("location", path)

    bus = pipeline.get_bus()
    pipeline.set_state(Gst.State.PLAYING)
    wanted = Gst.MessageType.ELEMENT | Gst.MessageType.EOS | Gst.MessageType.ERROR
    try:
        while True:
            message = bus.timed_pop_filtered(Gst.CLOCK_TIME_NONE, wanted)
            if message.type == Gst.MessageType.EOS:
                return 0
            if message.type == Gst.MessageType.ERROR:
                print(f"{message.src.get_name()}: {message.parse_error()[0].message}", file=sys.stderr)
                return 1
            if message.has_name("shot-boundary"):
                field = message.get_structure().get_value
                print(f"frame {field('frame')}  {clock(field('stream-time'))}  {field('kind')}  {field('score'):.3f}", flush=True)
    finally:
        pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FILE")
    sys.exit(main(sys.argv[1]))
