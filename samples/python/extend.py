#!/usr/bin/env python3
"""Plays a video that goes on for as long as the program lets it: inserts a shot at the video's first cut, lets generated
shots follow its end, and stops them when three have begun.

  . launch/env
  python3 samples/python/extend.py FILE

Needs Debian's python3-gi and gir1.2-gstreamer-1.0, and the Python that they are for.
"""
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst

SHOTS = 3


def main(path):
    Gst.init(None)
    try:
        pipeline = Gst.parse_launch_full(
            "filesrc name=file ! decodebin ! videoconvert ! shotdetect align=true ! "
            "sceneextend name=extend trigger=cut+eos shots=-1 shot-duration=2000000000 ! queue ! fakesink",
            None, Gst.ParseFlags.FATAL_ERRORS)
    except GLib.Error as error:
        print(error.message, file=sys.stderr)
        return 1
    pipeline.get_by_name("file").set_property("location", path)
    extend = pipeline.get_by_name("extend")

    bus = pipeline.get_bus()
    pipeline.set_state(Gst.State.PLAYING)
    # One shot more, by a prompt of its own. With trigger=cut it waits for the next boundary.
    extend.emit("extend", 1, "Next scene: A rabbit wakes up")
    wanted = Gst.MessageType.ELEMENT | Gst.MessageType.EOS | Gst.MessageType.ERROR
    shown = 0
    try:
        while True:
            message = bus.timed_pop_filtered(Gst.CLOCK_TIME_NONE, wanted)
            if message.type == Gst.MessageType.EOS:
                return 0
            if message.type == Gst.MessageType.ERROR:
                print(f"{message.src.get_name()}: {message.parse_error()[0].message}", file=sys.stderr)
                return 1
            # The source's boundaries are shotdetect's, the generated ones sceneextend's.
            if message.src == extend and message.has_name("shot-boundary"):
                field = message.get_structure().get_value
                print(f"frame {field('frame')}  by {field('generator')}  {field('prompt')}".rstrip(), flush=True)
                shown += 1
                if shown == 1 + SHOTS:
                    # The one that has just begun is shown to its end.
                    extend.emit("stop-extension")
    finally:
        pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FILE")
    sys.exit(main(sys.argv[1]))
