"""Watches memory while hours of frames pass as fast as they can, through the network alone and through shotdetect."""
import json
import math
import re
import subprocess
import sys
import time

from bench_network import FRAME_BYTES, ROOT, TOOL, film_frames
from tables import table, verdict

HOUR = 25 * 3600
# By then all buffers have been used.
SETTLED = 1000
# Pages come and go with the C library's whims.
GROWTH_LIMIT = "≤ 1"


def network_alone(film, hours):
    """Yields hours and resident MB, at the start and after every hour."""
    with open(film, "rb") as source:
        process = subprocess.Popen([TOOL, "--hours", str(hours)], cwd=ROOT, stdin=source, stdout=subprocess.PIPE, text=True)
        for line in process.stdout:
            said = json.loads(line)
            yield said["hours"], said["rss_mb"]
    if process.wait(): raise subprocess.CalledProcessError(process.returncode, process.args)


def resident(pid):
    """In MB; None for a process that is about to end."""
    with open(f"/proc/{pid}/status") as status:
        return next((int(line.split()[1]) * 1024 / 1e6 for line in status if line.startswith("VmRSS:")), None)


def element(film, hours):
    """The same for a pipeline with shotdetect."""
    loops = math.ceil(hours * HOUR / (film.stat().st_size // FRAME_BYTES))
    pipeline = (f"multifilesrc location={film} loop=true num-buffers={loops} ! rawvideoparse width=48 height=27 format=rgb framerate=25/1 ! "
                "shotdetect detector=fused ! progressreport update-freq=1 do-query=false format=buffers ! fakesink sync=false")
    process = subprocess.Popen(["gst-launch-1.0", *pipeline.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    due, last = SETTLED, None
    for line in process.stdout:
        told = re.match(r"progressreport.*: (\d+) buffers", line)
        # At the end it counts something else.
        if not told or (last and int(told[1]) < last[0] * HOUR): continue
        last = int(told[1]) / HOUR, resident(process.pid)
        if not last[1]: continue
        if int(told[1]) >= due:
            due = (int(told[1]) // HOUR + 1) * HOUR
            yield last
            last = last[0], None
    if last and last[1]: yield last
    if process.wait(): raise subprocess.CalledProcessError(process.returncode, process.args, stderr=process.stderr.read())


def print_endurance(folder, hours):
    film = film_frames(folder)
    for name, source in (("the network alone", network_alone), ("`shotdetect detector=fused`, 48x27 RGB", element)):
        rows, begun = [], time.monotonic()
        for row in source(film, hours):
            rows.append(row)
            print(f"\rmemory of {name}: {row[0]:.2f} of {hours} hours ", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        rate = rows[-1][0] * HOUR / (time.monotonic() - begun)
        growth = max(memory for _, memory in rows) - rows[0][1]
        print(f"\nResident memory over {rows[-1][0]:.2f} hours of frames at 25 a second, {name}: growth {growth:.2f} MB "
              f"({verdict(growth, GROWTH_LIMIT, ' MB')}), at {rate:.0f} frames a second:")
        table(["hours", "MB"], [[f"{at:.2f}", f"{memory:.2f}"] for at, memory in rows])
