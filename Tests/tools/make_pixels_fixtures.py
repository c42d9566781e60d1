"""Writes Tests/PixelsTests/Fixtures.swift: what OpenCV, FFmpeg and PySceneDetect make of generated pictures.

Needs: opencv-python-headless, numpy, scenedetect (0.7.2) and the ffmpeg program. Run from the repository's root:

    python3 Tests/tools/make_pixels_fixtures.py > Tests/PixelsTests/Fixtures.swift

The pictures are formulas of whole numbers, written here and in Tests/PixelsTests/Patterns.swift alike.
"""

import subprocess

import cv2
import numpy as np
from scenedetect.detectors import ContentDetector, HashDetector, HistogramDetector


def pattern(width, height, plane, seed, low, high):
    """Slopes, blocks and a little noise, low ... high."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    block = ((x >> 4) ^ (y >> 4)) * (37 + 6 * plane) + (x * 3 + y * 5) // 8 + seed * 41 + plane * 85
    noise = ((x * 73 + y * 151 + plane * 29 + seed * 17) * 40503 >> 9) % 9
    return (low + (block + noise) % (high - low + 1)).astype(np.uint8)


def bgr(width, height, seed):
    return np.dstack([pattern(width, height, p, seed, 0, 255) for p in range(3)])


def small(image):
    height, width = image.shape[:2]
    longer = max(width, height)
    factor = 1 if longer < 256 else longer / 256.0
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)


def positions(width, height, count=96):
    return [(i * 7919 % width, i * 104729 % height) for i in range(count)]


def hexed(data):
    return bytes(bytearray(int(v) for v in data)).hex()


def i420(width, height, seed):
    chroma = ((width + 1) // 2, (height + 1) // 2)
    # Inside the colour cube: clipping before or after the reduction is not the same.
    return [pattern(width, height, 0, seed, 70, 170)] + [pattern(*chroma, p, seed, 108, 148) for p in (1, 2)]


def swscale(planes, width, height, matrix, full):
    """FFmpeg's unscaled conversion, what cv2.VideoCapture gives PySceneDetect."""
    command = [
        "ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuvj420p" if full else "yuv420p",
        "-s", f"{width}x{height}", "-i", "-",
        "-vf", f"scale=in_color_matrix={matrix}:in_range={'full' if full else 'limited'}:flags=bicubic",
        "-pix_fmt", "bgr24", "-f", "rawvideo", "-",
    ]
    data = subprocess.run(command, input=b"".join(p.tobytes() for p in planes), capture_output=True, check=True)
    return np.frombuffer(data.stdout, np.uint8).reshape(height, width, 3)


def main():
    print("// Made by Tests/tools/make_pixels_fixtures.py: do not edit.\n")
    print("/// Bytes in hexadecimal.\nenum Fixtures {")

    print("  /// B, G, R at `Patterns.positions` of the small picture: swscale's conversion, then cv2.resize.")
    print("  static let reducedI420: [(width: Int, height: Int, bt709: Bool, full: Bool, samples: String)] = [")
    for width, height, matrix, full in [
        (64, 48, "bt709", False), (320, 240, "bt601", False), (644, 362, "bt709", False),
        (1280, 720, "bt709", False), (1920, 1080, "bt709", False), (1920, 1080, "bt601", False),
        (480, 854, "bt709", False), (720, 576, "bt601", True), (1366, 768, "bt709", True), (3840, 2160, "bt709", False),
    ]:
        picture = small(swscale(i420(width, height, 1), width, height, matrix, full))
        samples = [c for x, y in positions(picture.shape[1], picture.shape[0]) for c in picture[y, x]]
        print(f"    ({width}, {height}, {str(matrix == 'bt709').lower()}, {str(full).lower()}, \"{hexed(samples)}\"),")
    print("  ]\n")

    print("  /// B, G, R at `Patterns.positions` of the small picture: cv2.resize.")
    print("  static let reducedBGR: [(width: Int, height: Int, samples: String)] = [")
    for width, height in [(1, 1), (3, 5), (255, 257), (300, 200), (512, 512), (641, 359), (1920, 1080), (2000, 3), (3, 2000)]:
        picture = small(bgr(width, height, 2))
        samples = [c for x, y in positions(picture.shape[1], picture.shape[0]) for c in picture[y, x]]
        print(f'    ({width}, {height}, "{hexed(samples)}"),')
    print("  ]\n")

    print("  /// H, S, V of `Patterns.colors`: cv2.cvtColor, as a 64-bit FNV-1a of the bytes in turn, and the first 32 colours'.")
    levels = [0, 1, 2, 3, 7, 16, 33, 64, 65, 90, 127, 128, 129, 170, 200, 254, 255]
    colors = np.array([[[b, g, r] for b in levels for g in levels for r in levels]], np.uint8)
    hsv = cv2.cvtColor(colors, cv2.COLOR_BGR2HSV).reshape(-1)
    value = 0xCBF29CE484222325
    for byte in hsv.tolist():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    print(f"  static let hsvHash: UInt64 = {value:#x}")
    print(f'  static let hsvStart = "{hexed(hsv[:96])}"\n')

    print("  /// cv2.Canny and cv2.dilate of the value channel, a bit a pixel, rows padded to bytes, first pixel highest.")
    print("  /// `step` is added to the right half: the median then lies between the halves' levels.")
    print("  static let edges: [(width: Int, height: Int, seed: Int, low: Int, high: Int, step: Int, bits: String)] = [")
    for width, height, seed, low, high, step in [
        (96, 64, 3, 0, 255, 0), (61, 47, 4, 40, 90, 0), (33, 70, 5, 0, 30, 0), (2, 2, 6, 0, 255, 0), (1, 9, 7, 0, 255, 0),
        (100, 40, 8, 0, 3, 0), (40, 24, 9, 0, 50, 150),
    ]:
        picture = pattern(width, height, 0, seed, low, high)
        picture[:, (width + 1) // 2:] += step
        edges = ContentDetector()._detect_edges(picture)
        bits = hexed(np.packbits(edges > 0, axis=1).reshape(-1))
        print(f'    ({width}, {height}, {seed}, {low}, {high}, {step}, "{bits}"),')
    print("  ]\n")

    print("  /// PySceneDetect's measures of BGR pattern pairs: seeds a and b; both are reduced first.")
    print("  static let pairs: [(width: Int, height: Int, first: Int, second: Int,")
    print("    hue: Double, saturation: Double, value: Double, edges: Double,")
    print("    correlation: Double, hash: Double, mean: Double)] = [")
    detector = ContentDetector()
    for width, height, first, second in [
        (640, 360, 1, 2), (640, 360, 3, 5), (200, 120, 4, 9), (255, 257, 6, 7), (1920, 1080, 8, 8), (1000, 40, 2, 6),
    ]:
        a, b = (small(bgr(width, height, seed)) for seed in (first, second))
        parts = [cv2.split(cv2.cvtColor(image, cv2.COLOR_BGR2HSV)) for image in (a, b)]
        maps = [(*p, detector._detect_edges(p[2])) for p in parts]
        components = [np.abs(p.astype(int) - q.astype(int)).mean() for p, q in zip(*maps)]
        histograms = [HistogramDetector.calculate_histogram(image, bins=128) for image in (a, b)]
        correlation = cv2.compareHist(*histograms, cv2.HISTCMP_CORREL)
        hashes = [HashDetector.hash_frame(image, 8, 2) for image in (a, b)]
        distance = np.count_nonzero(hashes[0] != hashes[1]) / 64
        numbers = ", ".join(repr(float(n)) for n in [*components, correlation, distance, np.mean(b)])
        print(f"    ({width}, {height}, {first}, {second}, {numbers}),")
    print("  ]\n}")


main()
