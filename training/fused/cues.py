"""The cues that the rule decides on: one row a frame, computed from 48x27 thumbnails and TransNetV2's two outputs.

Row t describes the step from frame t-1 to frame t, so that a cut whose new shot begins at t stands in row t. A stream is
taken to have stood still before its first frame and after its last one; there are rows for PADDING frames of that. Everything is an exact integer sum over pixels, divided once,
so that another language gets the same numbers. `NAMES` says what each column is; SPEC in README.md defines it.
"""
import numpy as np

PIXELS = 27 * 48
SAMPLES = PIXELS * 3

GAPS = (1, 3, 5, 9, 17, 25, 33, 49)  # frames between the two that are compared, t-1-j and t+j
NEAR = range(2, 9)  # gaps at which a look may return
STRUCTURE = (1, 5, 17, 33)
HISTOGRAM = (1, 5, 17)
MIXTURE = (2, 4, 8, 16, 24)
DURATIONS = (3, 4, 5, 6, 8, 10, 12, 14, 17, 20, 24, 28, 32, 36, 40, 44)  # of a front's way across the picture, frames
SHIFT_X, SHIFT_Y = 4, 3

NAMES = (
    ["one_hot", "many_hot", "log_one_hot", "log_many_hot", "hue", "saturation", "value", "level", "contrast", "level_step", "level_trend"]
    + [f"difference_{g}" for g in GAPS]
    + ["returns_after", "returns_before"]
    + [f"structure_{g}" for g in STRUCTURE]
    + [f"histogram_{g}" for g in HISTOGRAM]
    + [name for j in MIXTURE for name in (f"mixture_share_{j}", f"mixture_rest_{j}")]
    + [name for d in ("right", "left", "down", "up") for name in (f"front_{d}", f"front_share_{d}")]
    + ["front_duration", "column_focus", "row_focus", "column_place", "row_place", "shift", "shift_rest"]
)
PADDING = 22  # rows before the first frame's and after the last one's: what model.py reaches
LOOK_AHEAD_THUMBNAILS = 26  # row t needs frames up to t + 26 …
LOOK_AHEAD_PROBABILITIES = 0  # … and probabilities up to frame t - 1


def log(x, floor):
    return np.log(np.asarray(x, np.float64) + floor)


def hsv(x):
    """PySceneDetect's 8-bit HSV, but hue by exact rounding down: H 0-179, S 0-255, V 0-255; [.., 3] to three int32."""
    x = x.astype(np.int32)
    r, g, b = x[..., 0], x[..., 1], x[..., 2]
    v, low = x.max(-1), x.min(-1)
    span = v - low
    s = np.where(v > 0, 255 * span // np.maximum(v, 1), 0)
    d = np.maximum(span, 1)
    h = np.where(v == r, 30 * (g - b), np.where(v == g, 60 * d + 30 * (b - r), 120 * d + 30 * (r - g)))
    h = np.where(h < 0, h + 180 * d, h) // d
    return np.where(span > 0, h, 0), s, v


class Cues:
    """Tables over a whole sequence; `rows()` joins them."""

    def __init__(self, thumbnails, probabilities):
        self.x = np.ascontiguousarray(thumbnails)
        self.p = probabilities
        self.n = len(self.x)
        self.t = np.arange(self.n)

    def at(self, index):
        return np.clip(index, 0, self.n - 1)

    def blocks(self, size=512):
        for start in range(0, self.n, size):
            yield slice(start, min(self.n, start + size))

    def difference(self, a, b):
        """Mean absolute difference of frames a and b (index arrays), 0…1."""
        out = np.empty(len(a))
        flat = self.x.reshape(self.n, -1)
        for s in range(0, len(a), 512):
            i, j = flat[a[s:s + 512]].astype(np.int16), flat[b[s:s + 512]]
            out[s:s + 512] = np.abs(i - j).sum(1, dtype=np.int64)
        return out / (SAMPLES * 255)

    def rows(self):
        n, t, at = self.n, self.t, self.at
        columns = {}
        before = at(t - 1)
        p = self.p[before].astype(np.float64)
        p[0] = 0
        columns["one_hot"], columns["many_hot"] = p[:, 0], p[:, 1]
        columns["log_one_hot"], columns["log_many_hot"] = log(p[:, 0], 0.02), log(p[:, 1], 0.02)

        x = self.x.astype(np.int32)
        luma = (77 * x[..., 0] + 150 * x[..., 1] + 29 * x[..., 2]) >> 8  # [n, 27, 48]
        flat = luma.reshape(n, -1).astype(np.int64)
        total, squares = flat.sum(1), (flat * flat).sum(1)
        mean = total / PIXELS
        variance = np.maximum(squares / PIXELS - mean * mean, 0)
        h, s, v = hsv(self.x)
        for name, plane, whole in (("hue", h, 180), ("saturation", s, 255), ("value", v, 255)):
            d = np.abs(plane - plane[before])
            if name == "hue": d = np.minimum(d, 180 - d)
            columns[name] = log(d.reshape(n, -1).sum(1) / (PIXELS * whole), 0.002)
        columns["level"] = mean / 255
        columns["contrast"] = log(np.sqrt(variance) / 255, 0.004)
        columns["level_step"] = (mean - mean[before]) / 255
        columns["level_trend"] = (mean[at(t + 4)] - mean[at(t - 5)]) / 255

        gap = {}
        for g in GAPS:
            j = (g - 1) // 2
            gap[g] = self.difference(at(t - 1 - j), at(t + j))
            columns[f"difference_{g}"] = log(gap[g], 0.002)
        after = np.stack([self.difference(before, at(t - 1 + g)) for g in NEAR])
        earlier = np.stack([self.difference(at(t - g), t) for g in NEAR])
        columns["returns_after"] = log(after.min(0), 0.002)
        columns["returns_before"] = log(earlier.min(0), 0.002)

        for g in STRUCTURE:
            a, b = at(t - 1 - (g - 1) // 2), at(t + (g - 1) // 2)
            dot = np.concatenate([(flat[a[k]] * flat[b[k]]).sum(1) for k in self.blocks()])
            covariance = dot / PIXELS - mean[a] * mean[b]
            columns[f"structure_{g}"] = 1 - covariance / (np.sqrt(variance[a] * variance[b]) + 4)
        code = ((x[..., 0] >> 6) << 4 | (x[..., 1] >> 6) << 2 | x[..., 2] >> 6).reshape(n, -1)
        counts = np.zeros((n, 64), np.int64)
        np.add.at(counts, (np.repeat(t, PIXELS), code.ravel()), 1)
        for g in HISTOGRAM:
            a, b = at(t - 1 - (g - 1) // 2), at(t + (g - 1) // 2)
            columns[f"histogram_{g}"] = np.abs(counts[a] - counts[b]).sum(1) / (2 * PIXELS)

        samples = self.x.reshape(n, -1)
        for j in MIXTURE:
            share, rest = np.empty(n), np.empty(n)
            for k in self.blocks():
                a, b = samples[at(t[k] - 1 - j)].astype(np.int32), samples[at(t[k] + j)].astype(np.int32)
                m = samples[before[k]].astype(np.int32) + samples[t[k]]
                u, w = b - a, m - 2 * a
                uu, uw, ww = ((q * r).sum(1, dtype=np.int64).astype(np.float64) for q, r in ((u, u), (u, w), (w, w)))
                share[k] = np.clip((uw / 2 + 0.5 * SAMPLES) / (uu + SAMPLES), -0.5, 1.5)
                rest[k] = np.sqrt(np.maximum(ww / 4 - uw * uw / 4 / np.maximum(uu, 1), 0) / (uu + 4.0 * SAMPLES))
            columns[f"mixture_share_{j}"], columns[f"mixture_rest_{j}"] = share, np.minimum(rest, 2)

        step = np.abs(x - x[before]).sum(-1)  # [n, 27, 48]
        column, row = step.sum(1), step.sum(2)  # [n, 48] of at most 27·765, [n, 27] of at most 48·765
        best = []
        for name, profile, most in (("right", column, 27 * 765), ("left", column[:, ::-1], 27 * 765), ("down", row, 48 * 765), ("up", row[:, ::-1], 48 * 765)):
            score, share, duration = self.front(profile, most)
            columns[f"front_{name}"], columns[f"front_share_{name}"] = score, share
            best.append((share, duration))
        shares = np.stack([b[0] for b in best])
        columns["front_duration"] = np.take_along_axis(np.stack([b[1] for b in best]), shares.argmax(0)[None], 0)[0] / 44
        for name, profile, width in (("column", column / (27 * 765), 8), ("row", row / (48 * 765), 5)):
            every = profile.sum(1) + 0.05
            c = np.concatenate([np.zeros((n, 1)), profile.cumsum(1)], 1)
            columns[f"{name}_focus"] = (c[:, width:] - c[:, :-width]).max(1) / every
            place = (np.arange(profile.shape[1]) + 0.5) / profile.shape[1] - 0.5
            columns[f"{name}_place"] = (profile * place).sum(1) / every
        columns["shift"], columns["shift_rest"] = self.shift(luma)
        return np.stack([columns[name] for name in NAMES], 1).astype(np.float32)

    def front(self, profile, most):
        """The straight front that crosses the picture around t and along which `profile` [n, places] changes most.

        For each duration and place: `on`, the largest change within a frame of the moment at which the front passes,
        and `off`, the mean change 3 and 4 frames before and after it. A place is hit where on > 2·off + 0.02 (of
        `most`, the largest possible change). The duration with the largest gain·share wins: gain is the mean of
        max(on - off, 0), share that of the hits. Returns ln of gain·share, the share and the duration.
        """
        n, places = profile.shape
        moved = lambda k: profile[self.at(self.t + k)].astype(np.int64)
        on = np.maximum(np.maximum(moved(-1), moved(0)), moved(1))
        off = moved(-4) + moved(-3) + moved(3) + moved(4)
        gain, hit = np.maximum(4 * on - off, 0), (100 * on > 50 * off + 2 * most).astype(np.int64)
        score, share, duration = np.full(n, -1), np.zeros(n, np.int64), np.zeros(n)
        place = np.arange(places)
        for d in DURATIONS:
            # Half-way up from the place's share of the way: floor((2·place + 1 - places)·d / (2·places) + 1/2).
            delay = ((2 * place + 1 - places) * d + places) // (2 * places)
            index = self.at(self.t[:, None] + delay)
            g, s = gain[index, place].sum(1), hit[index, place].sum(1)
            better = g * s > score
            score, share, duration = np.where(better, g * s, score), np.where(better, s, share), np.where(better, d, duration)
        return log(score / (4.0 * most * places * places), 0.002), share / places, duration

    def shift(self, luma):
        """Best whole-pixel shift from t-1 to t: its length (pixels, /5) and ln of the rest over the unshifted difference."""
        n = self.n
        best, length = np.full(n, np.inf), np.zeros(n)
        zero = None
        order = sorted(((dx, dy) for dx in range(-SHIFT_X, SHIFT_X + 1) for dy in range(-SHIFT_Y, SHIFT_Y + 1)), key=lambda s: (s[0] ** 2 + s[1] ** 2, s))
        small = luma.astype(np.int16)
        previous = small[self.at(self.t - 1)]
        for dx, dy in order:
            a = previous[:, max(0, -dy):27 - max(0, dy), max(0, -dx):48 - max(0, dx)]
            b = small[:, max(0, dy):27 - max(0, -dy), max(0, dx):48 - max(0, -dx)]
            d = np.abs(a - b).sum((1, 2), dtype=np.int64) / ((27 - abs(dy)) * (48 - abs(dx)))
            if zero is None: zero = d
            better = d < best
            best, length = np.where(better, d, best), np.where(better, np.hypot(dx, dy), length)
        return length / 5, np.log((best + 0.5) / (zero + 0.5))


def rows(thumbnails, probabilities):
    """[n + 2·PADDING, len(NAMES)]: row PADDING + t is frame t's."""
    beyond = PADDING + LOOK_AHEAD_THUMBNAILS
    still = np.concatenate([np.repeat(thumbnails[:1], PADDING, 0), thumbnails, np.repeat(thumbnails[-1:], beyond, 0)])
    silent = np.pad(np.asarray(probabilities, np.float32), ((PADDING, beyond), (0, 0)))
    return Cues(still, silent).rows()[:len(thumbnails) + 2 * PADDING]
