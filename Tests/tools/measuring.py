"""What a process costs, and where."""
import os
import platform
import re
import subprocess
from pathlib import Path

FILM = Path(__file__).resolve().parents[2] / "samples/media/big-buck-bunny-excerpt.mp4"


# Freed frames stay with the process: otherwise most of the time goes into getting zeroed pages from the kernel.
KEEP_MEMORY = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}


def machine():
    """What figures depend on: release, GStreamer, the library that networks compute with, processor."""
    release = platform.freedesktop_os_release()["PRETTY_NAME"]
    gstreamer = subprocess.run(["gst-launch-1.0", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[1]
    log = subprocess.run(
        ["gst-launch-1.0", "-q"] + "videotestsrc num-buffers=1 ! shotdetect detector=transnet ! fakesink".split(), check=True,
        capture_output=True, text=True, env={**os.environ, "GST_DEBUG": "shotdetect:4", "GST_DEBUG_NO_COLOR": "1"}).stderr
    library, taken = re.search(r"(\S+ \S+) computes in (.*)", log).groups()
    processor = dict(re.findall(r"^([a-z ]+?)\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE))
    name = f"{processor.get('model name', platform.machine())} (family {processor.get('cpu family')}, model {processor.get('model')})"
    return f"{release}, {gstreamer}, {library} ({taken}), {os.cpu_count()} × {name}"


def usage(command, environment=None):
    """Runs a command and returns the resources that it used."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return used


def seconds(command):
    """Processor time of a command: unlike the clock on the wall it hardly depends on what else the machine does."""
    used = usage(command, KEEP_MEMORY)
    return used.ru_utime + used.ru_stime
