#!/usr/bin/env python3
"""Shows what defade makes of the transitions of a film: a contact sheet with frames before, and after each mode.

  Tests/tools/transition_sheet.py OUT.jpg [FILM]     default: the sample film

Each transition that is not a cut is a block; its columns are moments of the film, from the last frame before the
transition to the first after it, and with mode=cut as much earlier as was taken out before. Needs numpy and ffmpeg.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

from check_defade import MODES, frames_of, repaired
from evaluate import found_by, frame_rate

SAMPLE = Path(__file__).resolve().parents[2] / "samples/media/big-buck-bunny-excerpt.mp4"
COLUMNS, WIDTH, MARGIN, GAP = 9, 132, 76, 4
GROUND = "0x181818"
WIDER = 2  # defade's margin


def draw(*inputs, filters, target):
    sources = [word for source in inputs for word in ("-i", str(source))]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *sources, "-filter_complex", filters, "-frames:v", "1", "-q:v", "8", target], check=True)
    return target


def text(words, x, y, color="white"):
    return f"drawtext=font=DejaVu Sans:fontsize=14:fontcolor={color}:x={x}:y={y}:expansion=none:text='{words}'"


def heading(kind, times, target):
    labels = [text(kind, 8, 10)] + [text(f"{time:.2f} s", MARGIN + GAP + i * (WIDTH + GAP), 10, "0xb0b0b0") for i, time in enumerate(times)]
    canvas = f"color={GROUND}:s={MARGIN + COLUMNS * (WIDTH + GAP) + GAP}x30"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", canvas, "-vf", ",".join(labels), "-frames:v", "1", target], check=True)
    return target


def strip(film, frames, label, target):
    chosen = "+".join(f"eq(n,{frame})" for frame in frames)
    return draw(film, filters=f"select='{chosen}',scale={WIDTH}:-2,tile={COLUMNS}x1:padding={GAP}:margin={GAP}:color={GROUND},"
                f"pad=iw+{MARGIN}:ih:{MARGIN}:0:{GROUND}," + text(label, 8, "(h-th)/2"), target=target)


def main():
    if not 2 <= len(sys.argv) <= 3: raise SystemExit(__doc__)
    out, film = sys.argv[1], Path(sys.argv[2]) if len(sys.argv) == 3 else SAMPLE
    rate = frame_rate(film)
    with tempfile.TemporaryDirectory() as scratch:
        films = {mode: repaired(film, mode, Path(scratch) / f"{mode}.mkv", with_sound=False) for mode in MODES}
        removed, strips = 0, []
        for start, end, kind in found_by("fused", film):
            if kind == "cut": continue
            start, end = start - WIDER, end + WIDER
            frames = [round(start + i * (end - start) / (COLUMNS - 1)) for i in range(COLUMNS)]
            name = f"{scratch}/{start}"
            strips.append(heading(kind, [frame / rate for frame in frames], f"{name}.png"))
            strips.append(strip(film, frames, "before", f"{name}-before.png"))
            for mode, changed in films.items():
                earlier = removed if mode == "cut" else 0
                strips.append(strip(changed, [frame - earlier for frame in frames], mode, f"{name}-{mode}.png"))
            removed += end - start - 1
        if not strips: raise SystemExit(f"Nothing but cuts is found in {film}.")
        assert removed == len(frames_of(film)) - len(frames_of(films["cut"]))
        draw(*strips, filters=f"vstack=inputs={len(strips)}", target=out)


if __name__ == "__main__":
    main()
