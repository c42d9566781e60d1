"""What a process costs."""
import os
import subprocess
from pathlib import Path

FILM = Path(__file__).resolve().parents[2] / "samples/media/big-buck-bunny-excerpt.mp4"


# Freed frames stay with the process: otherwise most of the time goes into getting zeroed pages from the kernel.
KEEP_MEMORY = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}


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
