"""Plays a live feed through an element and says what that cost: live_feed.py FRAMES WIDTHxHEIGHT SECONDS ELEMENT…

FRAMES holds raw I420 frames, which come again and again, 25 a second by the clock; its middle is a cut. Prints JSON:
`cpu`      processor time of this process as a share of one core, from the third second on
`peak_mb`  peak resident memory of this process
`load_ms`  how long the element takes from READY to PAUSED
`ahead`    frames that the element looks ahead, as the latency that it reports with align=true
`late_ms`  how long after it could be known the first cut was posted: since the first buffer, less the frames up to the cut
           and those that are looked ahead; null if it was not found
Needs PyGObject and GStreamer's introspection; bench_live.py runs it.
"""
import json
import sys
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

RATE = 25
WARM_UP = 2
FRAME = Gst.SECOND // RATE
TELLING = Gst.MessageType.ELEMENT | Gst.MessageType.ERROR


def read_frames(path, size):
    width, height = map(int, size.split("x"))
    frames = []
    with open(path, "rb") as file:
        while data := file.read(width * height * 3 // 2): frames.append(GLib.Bytes.new(data))
    return frames


def make_pipeline(size, element):
    """The pipeline with its feed and the element."""
    width, height = size.split("x")
    pipeline = Gst.parse_launch(
        f"appsrc name=feed is-live=true format=time caps=video/x-raw,format=I420,width={width},height={height},framerate={RATE}/1,"
        f"colorimetry=bt709 ! {element} name=tested ! fakesink sync=true")
    return pipeline, pipeline.get_by_name("feed"), pipeline.get_by_name("tested")


def check(message):
    if message.type == Gst.MessageType.ERROR: raise SystemExit(message.parse_error()[0].message)


def push(feed, frames, number):
    buffer = Gst.Buffer.new_wrapped_bytes(frames[number % len(frames)])
    buffer.pts, buffer.duration = number * FRAME, FRAME
    feed.emit("push-buffer", buffer)


def play(frames, size, seconds, element):
    """Load time, processor share, and when the first cut was posted, in seconds since the first buffer."""
    pipeline, feed, tested = make_pipeline(size, element)
    bus = pipeline.get_bus()
    pipeline.set_state(Gst.State.READY)
    begun = time.perf_counter()
    tested.set_state(Gst.State.PAUSED)
    loaded = time.perf_counter() - begun
    pipeline.set_state(Gst.State.PLAYING)
    cut, found, used = len(frames) // 2, None, None
    first = time.perf_counter()
    for number in range((WARM_UP + seconds) * RATE):
        due = first + number / RATE
        while (rest := due - time.perf_counter()) > 0:
            message = bus.timed_pop_filtered(int(rest * Gst.SECOND), TELLING)
            if not message: break
            check(message)
            told = message.get_structure()
            if found is None and told.get_name() == "shot-boundary" and abs(told.get_value("frame") - cut) <= 1:
                found = time.perf_counter() - first
        if number == WARM_UP * RATE: used = time.process_time(), time.perf_counter()
        push(feed, frames, number)
    share = (time.process_time() - used[0]) / (time.perf_counter() - used[1])
    return pipeline, loaded, share, found


def peak_memory():
    """In MB. Not getrusage's, which begins with what the parent had."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024


def look_ahead(frames, size, element):
    """Frames that the element looks ahead; 0 if it cannot hold frames back."""
    pipeline, feed, tested = make_pipeline(size, element)
    if not tested.find_property("align"): return 0
    tested.set_property("align", True)
    pipeline.set_state(Gst.State.PLAYING)
    push(feed, frames, 0)
    latency, deadline = 0, time.monotonic() + 3
    while latency <= 0 and time.monotonic() < deadline:
        time.sleep(0.02)
        total, before = Gst.Query.new_latency(), Gst.Query.new_latency()
        if tested.get_static_pad("src").query(total) and feed.get_static_pad("src").query(before):
            latency = total.parse_latency()[1] - before.parse_latency()[1]
    pipeline.set_state(Gst.State.NULL)
    return round(latency / FRAME)


def main():
    path, size, seconds, *element = sys.argv[1:]
    Gst.init(None)
    frames, element = read_frames(path, size), " ".join(element)
    pipeline, loaded, share, found = play(frames, size, int(seconds), element)
    peak = peak_memory()
    pipeline.set_state(Gst.State.NULL)
    ahead = look_ahead(frames, size, element)
    late = None if found is None else found - (len(frames) // 2 + ahead) / RATE
    print(json.dumps({"cpu": share, "peak_mb": peak, "load_ms": loaded * 1e3, "ahead": ahead, "late_ms": late and late * 1e3}))


if __name__ == "__main__":
    main()
