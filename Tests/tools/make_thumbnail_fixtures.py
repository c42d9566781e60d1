"""Writes Tests/PixelsTests/ThumbnailFixtures.swift: the 48 × 27 frames that FFmpeg's program makes of generated pictures.

Needs: numpy and the ffmpeg program (made with 5.1; later versions place chroma elsewhere). Run from the repository's root:

    python3 Tests/tools/make_thumbnail_fixtures.py > Tests/PixelsTests/ThumbnailFixtures.swift

The pictures are formulas of whole numbers, written here and in Tests/PixelsTests/Patterns.swift (`Scene.vivid`) alike, laid out
as GuardedPicture.swift lays them out. Each command is TransNetV2's published extraction, with the picture's colorimetry said.
"""

import subprocess

import numpy as np

SEED = 5
NAMES = dict(
    i420="yuv420p", nv12="nv12", nv21="nv21", y42b="yuv422p", y444="yuv444p", yuy2="yuyv422", uyvy="uyvy422", gray8="gray",
    rgb="rgb24", bgr="bgr24", bgrx="bgr0", xrgb="0rgb", i42010le="yuv420p10le", p01010le="p010le")
# At 3840 x 2160 swscale goes through a picture in between, and forgets the matrix: only BT.601 can be compared.
CASES = [
    ("i420", 1920, 1080, "bt709", "limited"), ("i420", 1280, 720, "bt709", "limited"), ("i420", 640, 360, "bt709", "limited"),
    ("i420", 720, 576, "bt601", "limited"), ("i420", 1366, 768, "bt709", "full"), ("i420", 3840, 2160, "bt601", "limited"),
    ("i420", 480, 854, "bt601", "full"), ("i420", 131, 77, "bt709", "limited"), ("i420", 48, 27, "bt709", "limited"),
    ("i420", 47, 26, "bt709", "limited"), ("i420", 33, 70, "bt709", "limited"), ("i420", 20, 12, "bt709", "limited"),
    ("i420", 3, 600, "bt709", "limited"), ("i420", 1000, 40, "bt709", "limited"), ("i420", 1, 1, "bt709", "limited"),
    ("nv12", 1920, 1080, "bt709", "limited"), ("nv12", 641, 359, "bt601", "limited"), ("nv21", 131, 77, "bt709", "limited"),
    ("y42b", 1920, 1080, "bt709", "limited"), ("y42b", 641, 359, "bt709", "limited"), ("y444", 641, 359, "bt709", "limited"),
    ("y444", 720, 576, "bt601", "full"), ("yuy2", 640, 360, "bt709", "limited"), ("uyvy", 134, 77, "bt601", "limited"),
    ("gray8", 641, 359, "bt709", "full"), ("gray8", 320, 240, "bt709", "limited"), ("rgb", 640, 360, "bt709", "limited"),
    ("rgb", 31, 90, "bt709", "limited"), ("bgr", 96, 54, "bt709", "limited"), ("bgrx", 1280, 720, "bt709", "limited"),
    ("xrgb", 320, 240, "bt709", "limited"), ("i42010le", 641, 359, "bt709", "limited"), ("i42010le", 47, 26, "bt709", "full"),
    ("p01010le", 1920, 1080, "bt709", "limited"), ("p01010le", 640, 360, "bt601", "limited"),
]


def pattern(width, height, plane, seed, low, high):
    """Slopes, blocks and a little noise, low ... high, as in make_pixels_fixtures.py."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    block = ((x >> 4) ^ (y >> 4)) * (37 + 6 * plane) + (x * 3 + y * 5) // 8 + seed * 41 + plane * 85
    noise = ((x * 73 + y * 151 + plane * 29 + seed * 17) * 40503 >> 9) % 9
    return (low + (block + noise) % (high - low + 1)).astype(np.uint8)


def planes(name, width, height):
    """A picture's bytes, rows without padding."""
    half = ((width + 1) // 2, (height + 1) // 2)
    luma = pattern(width, height, 0, SEED, 16, 235)
    u, v = (pattern(*half, p, SEED, 40, 216) for p in (1, 2))

    def doubled(plane, across):
        down = np.repeat(plane, 2, axis=0)[:height]
        return np.repeat(down, 2, axis=1)[:, :width] if across else down

    def pairs(first, second):
        return np.dstack([first, second]).reshape(first.shape[0], -1)

    if name == "gray8":
        return [luma]
    if name in ("rgb", "bgr", "bgrx", "xrgb"):
        red, green, blue = (pattern(width, height, p, SEED, 0, 255) for p in (2, 1, 0))
        padding = np.zeros_like(red)
        order = dict(rgb=(red, green, blue), bgr=(blue, green, red), bgrx=(blue, green, red, padding), xrgb=(padding, red, green, blue))
        return [np.dstack(order[name])]
    if name in ("nv12", "nv21"):
        return [luma, pairs(u, v) if name == "nv12" else pairs(v, u)]
    if name == "y42b":
        return [luma, doubled(u, False), doubled(v, False)]
    if name == "y444":
        return [luma, doubled(u, True), doubled(v, True)]
    if name in ("yuy2", "uyvy"):
        chroma = pairs(doubled(u, False), doubled(v, False))
        return [pairs(luma, chroma) if name == "yuy2" else pairs(chroma, luma)]
    if name == "i42010le":
        return [luma.astype("<u2") << 2 | 3, u.astype("<u2") << 2 | 1, v.astype("<u2") << 2 | 1]
    if name == "p01010le":
        return [luma.astype("<u2") << 8 | 0xC0, pairs(u.astype("<u2") << 8 | 0x40, v.astype("<u2") << 8)]
    return [luma, u, v]


def thumbnail(name, width, height, matrix, span):
    colors = "" if name in ("rgb", "bgr", "bgrx", "xrgb") else f":in_color_matrix={matrix}:in_range={span}"
    command = [
        "ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", NAMES[name], "-s", f"{width}x{height}", "-i", "-",
        "-vf", f"scale=48:27:flags=bicubic{colors}", "-pix_fmt", "rgb24", "-f", "rawvideo", "-",
    ]
    data = b"".join(np.ascontiguousarray(p).tobytes() for p in planes(name, width, height))
    found = subprocess.run(command, input=data, capture_output=True, check=True).stdout
    return np.frombuffer(found, np.uint8).reshape(27, 48, 3)


def main():
    print("import Pixels\n\n// Made by Tests/tools/make_thumbnail_fixtures.py: do not edit.\n")
    print("/// R, G, B at `Patterns.positions` of ffmpeg's thumbnails of `Scene.vivid`, in hexadecimal.")
    print("enum ThumbnailFixtures {")
    print("  static let all: [(format: PixelFormat, width: Int, height: Int, matrix: ColorMatrix, range: ColorRange, samples: String)] = [")
    for name, width, height, matrix, span in CASES:
        picture = thumbnail(name, width, height, matrix, span)
        samples = b"".join(picture[i * 104729 % 27, i * 7919 % 48].tobytes() for i in range(96))
        print(f'    (.{name}, {width}, {height}, .{matrix}, .{span}, "{samples.hex()}"),')
    print("  ]\n}")


main()
