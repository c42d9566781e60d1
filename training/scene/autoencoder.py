#!/usr/bin/env python3
"""A linear, lapped autoencoder of single frames: one convolution to latents, one transposed convolution back.

    autoencoder.py train OUT.safetensors --data DATA [--channels 32] [--seconds 240]
    autoencoder.py compare --data DATA --report training/report/autoencoder.tsv

A latent sees a window of 16 × 16 pixels at steps of 8, and is drawn over as many: where windows overlap by half, blocks leave no
edges, as with a lapped transform. Encoding a frame is one matrix product, and decoding it another.

Source: a lapped orthogonal transform (Malvar) that is fitted instead of derived; both maps are free.
"""
import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data"))

BLOCK, KERNEL = 8, 16
PAD = (KERNEL - BLOCK) // 2


class Lapped(torch.nn.Module):
    """Frames [N, 3, H, W] of −1…1 ↔ latents [N, C, H/8, W/8]."""

    def __init__(self, channels=32, kernel=KERNEL):
        super().__init__()
        padding = (kernel - BLOCK) // 2
        self.encoder = torch.nn.Conv2d(3, channels, kernel, BLOCK, padding)
        self.decoder = torch.nn.ConvTranspose2d(channels, 3, kernel, BLOCK, padding)

    def encode(self, frames):
        return self.encoder(frames)

    def decode(self, latents):
        return self.decoder(latents)

    @classmethod
    def load(cls, path):
        state = load_file(path)
        model = cls(state["encoder.weight"].shape[0], state["encoder.weight"].shape[-1])
        model.load_state_dict(state)
        return model.eval().requires_grad_(False)


def blocks(frames):
    """[N, 3, H, W] → [N · H/8 · W/8, 3 · 64]."""
    return F.unfold(frames, BLOCK, stride=BLOCK).transpose(1, 2).flatten(0, 1)


@torch.no_grad()
def principal(frames, channels, kernel):
    """The model of the blocks' principal components; with a larger kernel its outer part is zero, where fitting begins."""
    rows = blocks(frames).double()
    mean = rows.mean(0)
    _, vectors = torch.linalg.eigh((rows - mean).T @ (rows - mean) / len(rows))
    basis = vectors.flip(1)[:, :channels].T.float()  # [C, 192]
    model = Lapped(channels, kernel)
    inner = slice((kernel - BLOCK) // 2, (kernel - BLOCK) // 2 + BLOCK)
    for convolution in (model.encoder, model.decoder):
        convolution.weight.zero_()
        convolution.weight[:, :, inner, inner] = basis.view(channels, 3, BLOCK, BLOCK)
    model.encoder.bias.copy_(-(basis @ mean.float()))
    # The mean has a value a pixel of the block; a bias has one a colour, and the rest is left to the fit.
    model.decoder.bias.copy_(mean.float().view(3, -1).mean(1))
    return model


def fit(model, batches, seconds, log=print):
    """Least squares by Adam, with a rate that falls to zero over the time given."""
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    began, step, total = time.time(), 0, 0.0
    while (part := (time.time() - began) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * min(1, step / 50) * (1 - part)
        frames = batches()
        loss = F.mse_loss(model.decode(model.encode(frames)), frames)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        step, total = step + 1, total + loss.item()
        if step % 500 == 0:
            log(f"{step} {10 * np.log10(4 * 500 / total):.2f} dB {time.time() - began:.0f} s")
            total = 0.0
    return model


@torch.no_grad()
def scaled(model, frames, whitening=0.5):
    """The same autoencoder with other latents: principal components, their deviations drawn together, mean variance 1.

    A channel of standard deviation s becomes one of s^(1 − whitening), times one factor for all; both are folded in the weights.
    """
    latents = model.encode(frames).permute(0, 2, 3, 1).flatten(0, 2).double()
    mean = latents.mean(0)
    values, vectors = torch.linalg.eigh((latents - mean).T @ (latents - mean) / len(latents))
    values, vectors = values.flip(0), vectors.flip(1)  # [C], [C, C]
    # What the decoder makes of a direction counts, not how long the encoder happens to make it.
    factors = values.clamp(min=1e-8) ** (-whitening / 2)
    factors = factors / (values * factors**2).mean().sqrt()
    forth = factors[:, None] * vectors.T  # new = forth · (old − mean)
    back = vectors / factors
    result = Lapped(model.encoder.out_channels, model.encoder.kernel_size[0])
    weight, bias = model.encoder.weight.double(), model.encoder.bias.double()
    result.encoder.weight.copy_(torch.einsum("ij,jcyx->icyx", forth, weight))
    result.encoder.bias.copy_(forth @ (bias - mean))
    # The mean goes back through the decoder: the same in every block, which a bias a colour cannot hold. So it stays in the latents.
    result.encoder.bias.add_((forth @ mean).float())
    result.decoder.weight.copy_(torch.einsum("ji,jcyx->icyx", back, model.decoder.weight.double()))
    result.decoder.bias.copy_(model.decoder.bias)
    return result


def orthonormal_scale(model, frames):
    """Gives the latents the length of what the decoder makes of them, so that their deviations mean pixels."""
    with torch.no_grad():
        gram = model.decoder.weight.flatten(1).double()
        values, vectors = torch.linalg.eigh(gram @ gram.T)
        root = vectors @ torch.diag(values.clamp(min=1e-12).sqrt()) @ vectors.T
        inverse = torch.linalg.inv(root)
        result = Lapped(model.encoder.out_channels, model.encoder.kernel_size[0])
        result.encoder.weight.copy_(torch.einsum("ij,jcyx->icyx", root, model.encoder.weight.double()))
        result.encoder.bias.copy_(root @ model.encoder.bias.double())
        result.decoder.weight.copy_(torch.einsum("ji,jcyx->icyx", inverse, model.decoder.weight.double()))
        result.decoder.bias.copy_(model.decoder.bias)
        return result


class Frames:
    """Frames of all sources, for fitting and for measuring."""

    def __init__(self, data, split, seed=0):
        from cutouts import Cutouts
        from film import Film
        from photos import Photos
        self.sources = [Film(data, split), Photos(data, split), Cutouts(data, split)]
        self.rng = np.random.default_rng(seed)

    def batch(self, samples, every=4, weights=(0.6, 0.25, 0.15)):
        """[samples · 24 / every, 3, H, W] of −1…1."""
        from clips import KINDS
        parts = []
        for _ in range(samples):
            source = self.sources[self.rng.choice(3, p=weights)]
            frames = source.sample(self.rng, str(self.rng.choice(KINDS))).frames[self.rng.integers(every)::every]
            parts.append(torch.from_numpy(np.ascontiguousarray(frames)))
        return torch.cat(parts).permute(0, 3, 1, 2).float() / 127.5 - 1


def ssim(a, b):
    """Mean structural similarity of luma [N, H, W] of 0…255 with Gaussian windows of σ 1.5 (Wang et al.)."""
    x = torch.arange(11.0) - 5
    g = torch.exp(-x**2 / 4.5)
    g = (g / g.sum())[None]
    window = (g.T @ g)[None, None]
    a, b = a[:, None], b[:, None]
    blur = lambda v: F.conv2d(v, window)
    ma, mb = blur(a), blur(b)
    va, vb, vab = blur(a * a) - ma**2, blur(b * b) - mb**2, blur(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return (((2 * ma * mb + c1) * (2 * vab + c2)) / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean().item()


@torch.no_grad()
def measure(model, frames):
    """PSNR in dB over all pixels, and SSIM of luma."""
    back = model.decode(model.encode(frames)).clamp(-1, 1)
    luma = lambda v: (torch.tensor([0.299, 0.587, 0.114])[:, None, None] * (v + 1) * 127.5).sum(1)
    return 10 * np.log10(4 / F.mse_loss(back, frames).item()), ssim(luma(back), luma(frames))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["train", "compare"])
    parser.add_argument("out", nargs="?", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--report", type=Path)
    a = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    train = Frames(a.data, "train")
    pool = [train.batch(8) for _ in range(60)]  # 60 × 48 frames, of which each batch is a mixture
    every = torch.cat(pool)

    def batches():
        return every[torch.randint(len(every), (24,))]

    if a.what == "train":
        model = fit(principal(every, a.channels, KERNEL), batches, a.seconds)
        model = scaled(orthonormal_scale(model, every), every)
        save_file({k: v.detach().contiguous() for k, v in model.state_dict().items()}, a.out)
        latents = model.encode(every)
        print("deviations", [round(v, 2) for v in latents.std((0, 2, 3)).tolist()], "mean", round(latents.mean().item(), 3))
        models = {f"lapped, {a.channels}": model}
    else:
        models = {}
        for channels in (16, 32, 48):
            block = principal(every, channels, BLOCK)
            models[f"blocks, {channels}"] = fit_bias(block, every)
            models[f"lapped, {channels}"] = fit(principal(every, channels, KERNEL), batches, a.seconds)
    rows = ["latents\tfilm PSNR\tfilm SSIM\tphotos PSNR\tphotos SSIM"]
    test = Frames(a.data, "test", seed=1)
    film, photos = test.batch(40, 6, (1, 0, 0)), test.batch(40, 6, (0, 1, 0))
    for name, model in models.items():
        rows.append(name + "".join(f"\t{p:.2f}\t{s:.3f}" for p, s in (measure(model, film), measure(model, photos))))
    print("\n".join(rows))
    if a.report:
        a.report.parent.mkdir(parents=True, exist_ok=True)
        a.report.write_text("\n".join(rows) + "\n")


@torch.no_grad()
def fit_bias(model, frames):
    """Block PCA keeps the whole mean by encoding without taking it away."""
    model.encoder.bias.zero_()
    model.decoder.bias.zero_()
    return model


if __name__ == "__main__":
    main()
