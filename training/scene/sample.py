#!/usr/bin/env python3
"""Generates next shots with the scene model, and sheets to look at.

    sample.py MODEL OUT.png --data DATA --autoencoder FILE [--split test] [--source film] [--count 12] [--steps 8] [--guidance 1]
    sample.py MODEL OUT.png … --chain 30            shot after shot, each from the two before it

MODEL: a run's folder (its EMA), or the folder that export.py wrote. A row of a sheet: two frames of each context shot, six of the
generated one, three of the real one; of a chain: the last frame of each context shot and of each shot generated.
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from diffusers import CogVideoXTransformer3DModel
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data"))
from autoencoder import Lapped
from clips import FRAMES, KINDS, SHOTS
from masks import Mask, Segment
from model import forward, scheduler, transformer
from text import Texts


def load(path, is_ema=True):
    """(transformer, config) of a run's folder or of an exported model."""
    path = Path(path)
    if (path / "checkpoint.pt").exists():
        state = torch.load(path / "checkpoint.pt", weights_only=False)
        config = json.loads((path / "config.json").read_text())
        model = transformer(config["transformer"])
        model.load_state_dict(state["model"])
        if is_ema:
            for name, parameter in model.named_parameters():
                parameter.data.copy_(state["ema"][name])
        print(f"{path.name}: step {state['step']}, {state['seconds'] / 3600:.2f} h", flush=True)
    else:
        model = CogVideoXTransformer3DModel.from_pretrained(path / "transformer", torch_dtype=torch.float32)
        name = json.loads((path / "scene.json").read_text())["mask"]
        config = {"mask": {"name": name, "layers": [0, 0], "first_frame": True}, "snr_shift_scale": 1.0}
    return model.eval().requires_grad_(False), config


class Generator:
    """
    mask: of masks.Mask; the one that the model was trained with by default.
    precision: torch.bfloat16 to compute as in training, torch.float32 else.
    """

    def __init__(self, model, config, autoencoder, texts, mask=None, steps=8, guidance=1.0, precision=torch.bfloat16):
        self.model, self.autoencoder, self.texts = model, autoencoder, texts
        m = config["mask"]
        self.mask = mask or Mask(m["name"], FRAMES, m["layers"], m["first_frame"])
        self.steps, self.guidance, self.precision = steps, guidance, precision
        self.scheduler = scheduler(config["snr_shift_scale"])

    def encode(self, frames):
        """[B, SHOTS, FRAMES, H, W, 3] of uint8 → latents [B, SHOTS, FRAMES, C, H/8, W/8]."""
        x = torch.from_numpy(np.ascontiguousarray(frames)).float() / 127.5 - 1
        latents = self.autoencoder.encode(x.flatten(0, 2).permute(0, 3, 1, 2))
        return latents.view(*x.shape[:3], *latents.shape[1:])

    def decode(self, latents):
        """[…, C, H/8, W/8] → […, H, W, 3] of uint8."""
        x = self.autoencoder.decode(latents.flatten(0, -4))
        x = ((x.clamp(-1, 1) + 1) * 127.5 + 0.5).byte().permute(0, 2, 3, 1)
        return x.view(*latents.shape[:-3], *x.shape[1:]).numpy()

    @torch.no_grad()
    def next_shot(self, context, prompts, seed=0, base=0):
        """One more shot.

        context: latents [B, S, FRAMES, C, h, w], perhaps of S = 0 shots (then a size is needed: pass a slice); prompts: [B][S + 1].
        Returns latents [B, FRAMES, C, h, w]. The conditions pass through the noise of timestep 0 once, as in Mask²DiT's code.
        """
        count, shots = context.shape[:2]
        generator = torch.Generator().manual_seed(seed)
        noise = lambda *shape: torch.randn(*shape, generator=generator)
        segments = [Segment(i) for i in range(shots + 1)]
        texts, text_mask = self.texts.batch(prompts)
        if self.guidance != 1:
            empty, empty_mask = self.texts.batch([[""] * (shots + 1)] * count)
        self.scheduler.set_timesteps(self.steps)
        alpha = self.scheduler.alphas_cumprod[0].float()
        condition = alpha.sqrt() * context + (1 - alpha).sqrt() * noise(*context.shape)
        x = noise(count, 1, *context.shape[2:])
        for t in self.scheduler.timesteps.tolist():
            times = torch.tensor([[0] * shots + [t]] * count)

            def predict(texts, mask):
                with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == torch.bfloat16):
                    return forward(self.model, torch.cat([condition, x], dim=1), texts, mask, times, segments, self.mask, base)[:, -1:].float()
            v = predict(texts, text_mask)
            if self.guidance != 1:
                without = predict(empty, empty_mask)
                v = without + self.guidance * (v - without)
            x = self.scheduler.step(v, t, x, return_dict=False)[0].float()
        return x[:, 0]

    def extend(self, context, prompts, next_prompts, seed=0):
        """Shot after shot with a window of the context's length. Returns latents [B, len(next_prompts), FRAMES, C, h, w]."""
        window, shots = context.shape[1], []
        prompts = [list(p) for p in prompts]
        for index, more in enumerate(next_prompts):
            shot = self.next_shot(context, [p + [n] for p, n in zip(prompts, more)], seed + index)
            shots.append(shot)
            context = torch.cat([context, shot[:, None]], dim=1)[:, -window:]
            prompts = [(p + [n])[-window:] for p, n in zip(prompts, more)]
        return torch.stack(shots, dim=1)


def samples(data, split, source, count, seed=0, kinds=KINDS):
    """Samples without augmentation, their kinds taking turns."""
    from cutouts import Cutouts
    from film import Film
    from photos import Photos
    of = {"film": Film, "photo": Photos, "cutout": Cutouts}[source](data, split)
    rng = np.random.default_rng(seed)
    return [of.sample(rng, kinds[i % len(kinds)], augment=False) for i in range(count)]


def stacked(items):
    """[B, SHOTS, FRAMES, H, W, 3]"""
    return np.stack([s.frames.reshape(SHOTS, FRAMES, *s.frames.shape[1:]) for s in items])


def options(description, *folders):
    """A parser of these folders and of what every tool that generates needs: data, autoencoder, text encoder."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for folder in folders:
        parser.add_argument(folder, type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--text-encoder", type=Path)
    return parser


def main():
    parser = options(__doc__, "model", "out")
    parser.add_argument("--split", default="test")
    parser.add_argument("--source", default="film")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--guidance", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--chain", type=int, default=0)
    parser.add_argument("--raw", action="store_true", help="the weights as they are, not their EMA")
    a = parser.parse_args()
    torch.set_num_threads(1)
    model, config = load(a.model, not a.raw)
    generator = Generator(model, config, Lapped.load(a.autoencoder), Texts(*([a.text_encoder] if a.text_encoder else [])), steps=a.steps, guidance=a.guidance)
    rows = []
    items = samples(a.data, a.split, a.source, a.count, a.seed, ("same",) if a.chain else KINDS)
    frames = stacked(items)
    for first in range(0, len(items), 6):
        some, real = items[first:first + 6], frames[first:first + 6]
        context = generator.encode(real[:, :-1])
        if a.chain:
            more = [[s.captions[-1] for s in some]] * a.chain
            made = generator.decode(generator.extend(context, [s.captions[:-1] for s in some], more, a.seed))
            for i in range(len(some)):
                rows.append(np.concatenate([real[i, 0, -1], real[i, 1, -1], *[shot[-1] for shot in made[i]]], axis=1))
            continue
        made = generator.decode(generator.next_shot(context, [s.captions for s in some], a.seed))
        for i, sample in enumerate(some):
            print(len(rows), sample.kind, " | ".join(sample.captions))
            gap = np.full((*real.shape[3:4], 4, 3), 255, np.uint8)
            rows.append(np.concatenate(
                [real[i, 0, 0], real[i, 0, -1], gap, real[i, 1, 0], real[i, 1, -1], gap, *[made[i, k] for k in (0, 1, 3, 5, 7)], gap, *[real[i, 2, k] for k in (0, 3, 7)]], axis=1))
    a.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(a.out)


if __name__ == "__main__":
    main()
