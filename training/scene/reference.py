"""What motion compensation alone makes of the shot to come: the reference that the scene model corrects.

The camera's move over the last frames of a shot, a zoom about the middle and a shift, is measured and goes on from its last frame.
The model generates the difference of the shot's latents from those of this reference, so that what goes on as it did stays as sharp
as it was, and what stands still stays for any number of shots.

Sources: Lucas and Kanade 1981 (registration by Gauss-Newton, coarse to fine), with Geman and McClure's weights against what moves by
itself; Yang, Srivastava and Mandt, Diffusion Probabilistic Modeling for Video Generation (a diffused residual of a predicted frame).
The same in Swift: Sources/Pixels/Motion/GlobalMotion.swift.
"""
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data"))
from clips import kind_of

LUMA = np.array([0.299, 0.587, 0.114])
SPAN = 3  # frames before the last over which a move is measured
LEVELS = 3
ITERATIONS = 8
SCALE = 6.0  # of the weights at the finest level, in levels of 255; twice as much at each coarser one
ALONE = (3, 5)  # steps at the coarsest level before which only the last frame but one counts, and only the last two
BEYOND = 0.15  # of a side: how far the camera may see beyond the frame before it comes to rest sooner, after one frame at the soonest
BEFORE = {"same": 1, "back": 2}  # how many shots before lies the one that goes on


def luma(frames):
    return frames.astype(np.float64) @ LUMA


def halved(image):
    """Means of 2 × 2 pixels; an odd last row or column is dropped."""
    h, w = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    image = image[:h, :w]
    return (image[0::2, 0::2] + image[1::2, 0::2] + image[0::2, 1::2] + image[1::2, 1::2]) / 4


def folded(x, last):
    """Places in a picture that is mirrored at its first and last pixel."""
    x = np.abs(x) % (2 * last)
    return np.minimum(x, 2 * last - x)


def sampled(image, x, y):
    """Bilinear values of image [H, W] or [H, W, C] at pixels (x, y), mirrored outside."""
    h, w = image.shape[:2]
    x, y = folded(x, w - 1), folded(y, h - 1)
    left, top = np.minimum(x.astype(np.int64), w - 2), np.minimum(y.astype(np.int64), h - 2)
    fx, fy = x - left, y - top
    if image.ndim == 3:
        fx, fy = fx[..., None], fy[..., None]
    upper = image[top, left] * (1 - fx) + image[top, left + 1] * fx
    lower = image[top + 1, left] * (1 - fx) + image[top + 1, left + 1] * fx
    return upper * (1 - fy) + lower * fy


def cubic(image, x, y):
    """Values of image [H, W, C] at pixels (x, y) by cubic convolution (Keys 1981, Catmull and Rom's spline), mirrored outside. Between
    pixels it is sharper than straight lines are, which matters where a shot goes on again and again."""
    h, w = image.shape[:2]
    left, top = np.floor(x), np.floor(y)

    def weights(d):
        """Of the four pixels around a place so far beyond the second of them."""
        return (((2 - d) * d - 1) * d / 2, ((3 * d - 5) * d * d + 2) / 2, ((4 - 3 * d) * d + 1) * d / 2, (d - 1) * d * d / 2)
    across = [(folded(left + i - 1, w - 1).astype(np.int64), v[..., None]) for i, v in enumerate(weights(x - left))]
    down = [(folded(top + i - 1, h - 1).astype(np.int64), v[..., None]) for i, v in enumerate(weights(y - top))]
    return sum(v * sum(u * image[row, column] for column, u in across) for row, v in down)


def grid(height, width):
    """Pixels' places relative to the middle: x [H, W], y [H, W]."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    return x - (width - 1) / 2, y - (height - 1) / 2


def move_of(frames):
    """(zoom, x, y) a frame: a point p of a frame, from its middle, was at zoom · p + (x, y) a frame earlier. log zoom is returned.

    frames [T, H, W, 3] of uint8 or of 0…255; a single one has no move.
    """
    pyramid = [[luma(f) for f in frames[-SPAN - 1:]]]
    while len(pyramid) < LEVELS and min(pyramid[-1][0].shape) >= 16:
        pyramid.append([halved(i) for i in pyramid[-1]])
    move = np.zeros(3)  # log zoom, x and y in pixels of the level
    for level, images in reversed(list(enumerate(pyramid))):
        last = images[-1]
        height, width = last.shape
        x, y = grid(height, width)
        slope_y, slope_x = np.gradient(last)
        if level < len(pyramid) - 1:
            move[1:] *= 2
        for iteration in range(ITERATIONS):
            normal, right = np.zeros((3, 3)), np.zeros(3)
            # A quick move is found between neighbours, which are not so far apart.
            known = 1 + sum(iteration >= a for a in ALONE) if level == len(pyramid) - 1 else SPAN
            for k in range(1, min(len(images), 1 + known)):
                # The earlier frame seen as the last one would be; the derivative is that of the last frame (inverse composition).
                zoom = np.exp(k * move[0])
                at_x, at_y = zoom * x + k * move[1], zoom * y + k * move[2]
                inner = (np.abs(at_x) <= (width - 1) / 2) & (np.abs(at_y) <= (height - 1) / 2)
                error = sampled(images[-1 - k], at_x + (width - 1) / 2, at_y + (height - 1) / 2) - last
                weight = inner / (1 + (error / (SCALE * 2**level)) ** 2) ** 2
                columns = np.stack([k * (slope_x * x + slope_y * y), k * slope_x, k * slope_y])  # [3, H, W]
                normal += np.einsum("ihw,jhw,hw->ij", columns, columns, weight)
                right -= np.einsum("ihw,hw,hw->i", columns, error, weight)
            normal += np.diag([1e-3 * width * width, 1e-3, 1e-3]) * last.size * 0.01
            move = move + np.linalg.solve(normal, right)
    # No camera is quicker: what is beyond comes of pictures without a common move.
    return np.clip(move, [-0.1, -width / 8, -width / 8], [0.1, width / 8, width / 8])


def path(move, count, damping, width, height):
    """[count, 3]: where the camera will be 1 … count frames later, as (log zoom, x, y) from now; it slows by the damping a frame."""
    def at(damping):
        return np.cumsum(np.array(move) * damping ** np.arange(count)[:, None], axis=0)

    def beyond(places):
        log_zoom, x, y = places[-1]
        return max((np.exp(log_zoom) - 1) / 2 + abs(x) / width, (np.exp(log_zoom) - 1) / 2 + abs(y) / height)
    if beyond(at(damping)) <= BEYOND:
        return at(damping)
    low, high = 0.0, damping
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(at(middle)) <= BEYOND else (low, middle)
    return at(low)


def reference(frames, count, move=None, damping=1.0):
    """[count, H, W, 3] of 0…255: the last frame of frames [T, H, W, 3], from where the camera will be 1 … count frames later."""
    last = frames[-1].astype(np.float64)
    height, width = last.shape[:2]
    x, y = grid(height, width)
    places = path(move_of(frames) if move is None else move, count, damping, width, height)
    return np.clip(np.stack([
        cubic(last, np.exp(zoom) * x + right + (width - 1) / 2, np.exp(zoom) * y + down + (height - 1) / 2) for zoom, right, down in places]), 0, 255)


def steadied(frames, ahead, limits):
    """Frames [..., H, W, 3] of 0…255 without a small model's unrest: where they differ little from the reference they are that.

    limits: of the largest difference of the three colours, averaged over 3 × 3 pixels twice. Up to the first nothing is changed, from
    the second on all is.
    """
    if limits[1] <= limits[0]:
        return frames
    change = np.abs(frames - ahead).max(-1)
    for _ in range(2):
        padded = np.pad(change, [(0, 0)] * (change.ndim - 2) + [(1, 1), (1, 1)], mode="edge")
        rows = padded[..., :-2, :] + padded[..., 1:-1, :] + padded[..., 2:, :]
        change = (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9
    share = np.clip((change - limits[0]) / (limits[1] - limits[0]), 0, 1)
    share = share * share * (3 - 2 * share)
    return ahead + share[..., None] * (frames - ahead)


def goes_on_from(shot, caption):
    """Which earlier shot goes on in the shot of this number and caption; None if none does."""
    before = BEFORE.get(kind_of(caption))
    return None if before is None or before > shot else shot - before
