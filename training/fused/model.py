"""The combiner: a small temporal convolution over the rows of cues.py, and the decision on what it says."""
import json

import numpy as np

import cues

KINDS = ("cut", "fade", "dissolve", "wipe")
DILATIONS = (1, 2, 4, 7, 8)
REACH = sum(DILATIONS)  # frames on each side
assert REACH == cues.PADDING
PEAK = 2  # a boundary is the largest within so many frames
THRESHOLD = 0.6
APART = 4  # frames from the end of a boundary in which there is no other
SURE = 0.5  # TransNetV2's own threshold
EDGE = REACH // 2  # frames from an end of the stream within which TransNetV2's own cuts stand
LONGEST = 48  # frames that an interval reaches to each side
WIDTH = 32
OUTPUTS = 2 + len(KINDS) + 2  # boundary, inside, kinds, ln(1 + frames since the start), ln(1 + frames to the end)


def network(n_in=len(cues.NAMES), width=WIDTH):
    import torch
    from torch import nn

    class Combiner(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mean", torch.zeros(n_in))
            self.register_buffer("scale", torch.ones(n_in))
            self.enter = nn.Conv1d(n_in, width, 1)
            self.layers = nn.ModuleList(nn.Conv1d(width, width, 3, dilation=d) for d in DILATIONS)
            self.leave = nn.Conv1d(width, OUTPUTS, 1)

        def forward(self, rows, noise=0.0):
            """[B, T + 2·REACH, cues] to [B, T, OUTPUTS]."""
            x = ((rows - self.mean) * self.scale).clamp(-6, 6)
            if noise: x = x + noise * torch.randn_like(x)
            x = torch.relu(self.enter(x.transpose(1, 2)))
            for layer, d in zip(self.layers, DILATIONS):
                x = x[:, :, d:-d] + torch.relu(layer(x))
            return self.leave(x).transpose(1, 2)

    return Combiner()


def save(net, path):
    """safetensors, float32."""
    head, body = {"__metadata__": {"cues": ",".join(cues.NAMES)}}, b""
    for name, tensor in net.state_dict().items():
        data = np.ascontiguousarray(tensor.numpy(), "<f4").tobytes()
        head[name] = dict(dtype="F32", shape=list(tensor.shape), data_offsets=[len(body), len(body) + len(data)])
        body += data
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out: out.write(len(text).to_bytes(8, "little") + text + body)


def load(path):
    import torch
    raw = open(path, "rb").read()
    size = int.from_bytes(raw[:8], "little")
    head = json.loads(raw[8:8 + size])
    net = network()
    net.load_state_dict({name: torch.from_numpy(np.frombuffer(raw, "<f4", (t["data_offsets"][1] - t["data_offsets"][0]) // 4, 8 + size + t["data_offsets"][0]).reshape(t["shape"]).copy())
                         for name, t in head.items() if name != "__metadata__"})
    return net.eval()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def outputs(net, rows):
    """[T, OUTPUTS] of a whole sequence from its rows, which reach beyond its ends as cues.py makes them."""
    import torch
    with torch.no_grad():
        return net(torch.from_numpy(rows)[None])[0].numpy()


def needed(threshold, kind, seconded):
    """What the combiner must say: little where TransNetV2 says the same, much for a wipe that only the combiner sees."""
    if seconded: return 0.3 * threshold
    return (1 + threshold) / 2 if kind == "wipe" else threshold


def standing(rows, out, one_hot):
    """{frame: finding} of TransNetV2's cuts near the ends of a sequence, where the combiner has seen too little."""
    n, found = len(out), {}
    column = {name: rows[REACH:, i] for i, name in enumerate(cues.NAMES)}
    for start, end, kind, t, score in decide_network(out, one_hot, SURE):
        if t > EDGE and n - t > EDGE: continue
        step = column["difference_1"][t]
        # The old look is there again soon, or the new one was there before: a flash.
        if min(column["returns_after"][t], column["returns_before"][t]) < step - np.log(2): continue
        # The step is about all that the picture changes around it.
        if step > column["difference_9"][t] - np.log(2) / 2: found[t] = (t - 1, t, "cut", t, score)
    return found


def decide(out, one_hot, threshold=THRESHOLD, rows=None):
    """[(start, end, kind, frame, score)] from the outputs of a sequence, TransNetV2's one_hot and the rows of cues.

    Frames count as near to each other. Without rows TransNetV2's cuts near the ends do not stand by themselves.
    """
    stands = standing(rows, out, one_hot) if rows is not None else {}
    out = out.astype(np.float64)
    before = np.concatenate([[0], one_hot[:-1]])  # as in the rows
    n = len(out)
    p = sigmoid(out[:, 0])
    found = []
    for t in range(1, n):
        lo, hi = max(0, t - PEAK), min(n, t + PEAK + 1)
        if any(u in stands for u in range(lo, hi)):
            if t in stands and not (found and t < found[-1][1] + APART): found.append(stands[t])
            continue
        # Of equal ones the first.
        if p[t] < p[lo:hi].max() or (p[lo:t] == p[t]).any(): continue
        kind = KINDS[int(out[t, 2:6].argmax())]
        if p[t] < needed(threshold, kind, before[lo:hi].max() > SURE): continue
        start, end = t - 1, t
        if kind != "cut":
            near = [u for u in range(lo, hi) if 2 * p[u] >= p[t]]
            start, end = extent(t, sum(u - np.expm1(out[u, 6]) for u in near) / len(near), sum(u + np.expm1(out[u, 7]) for u in near) / len(near), n)
        if found and t < found[-1][1] + APART: continue
        if found: start = max(start, found[-1][1])
        found.append((start, end, kind, t, float(p[t])))
    return found


def extent(t, start, end, n):
    """Whole frames, and no further from t than a stream remembers and has seen."""
    start, end = int(np.floor(start + 0.5)), int(np.floor(end + 0.5))
    return max(0, t - LONGEST, min(t - 1, start)), min(n - 1, t + LONGEST, max(t, end))


def decide_network(out, one_hot, threshold=0.5):
    """As `decide`, but a boundary is where predictions_to_scenes finds one: a run of one_hot over the threshold.

    Kind and interval are the combiner's at the row of the run where it is surest of a boundary.
    """
    out = out.astype(np.float64)
    found, first = [], None
    for t in range(1, len(one_hot)):
        over, before = one_hot[t] > threshold, one_hot[t - 1] > threshold
        if over and not before: first = t
        if over or not before or first is None: continue
        rows = range(first + 1, t + 1)
        best = max(rows, key=lambda r: (out[r, 0], -r))
        kind = KINDS[int(out[best, 2:6].argmax())]
        start, end = first, t
        if kind != "cut":
            start, end = extent(best, best - np.expm1(out[best, 6]), best + np.expm1(out[best, 7]), len(out))
            start, end = min(start, first), max(end, t)
        first = None
        if found and t < found[-1][1] + APART: continue
        if found: start = max(start, found[-1][1])
        found.append((start, end, kind, t, float(one_hot[best - 1])))
    return found
