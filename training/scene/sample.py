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
from dataclasses import dataclass
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
from reference import goes_on_from, reference, steadied
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
        scene = json.loads((path / "scene.json").read_text())
        config = {"mask": {"name": scene["mask"], "layers": [0, 0], "first_frame": True}, "snr_shift_scale": 1.0, "sampling": {"steps": scene["steps"], "guidance": scene["guidance"]}}
        if "reference_scale" in scene:
            config["reference"] = {name: scene.get("reference_" + name, default) for name, default in (("damping", 1), ("scale", None), ("unrest", [0, 0]))}
    return model.eval().requires_grad_(False), config


@dataclass
class Shots:
    """Some shots of some videos: latents [B, S, FRAMES, C, h, w] and frames [B, S, FRAMES, H, W, 3] of uint8."""
    latents: torch.Tensor
    frames: np.ndarray

    def followed(self, more):
        return Shots(torch.cat([self.latents, more.latents], dim=1), np.concatenate([self.frames, more.frames], axis=1))

    def __getitem__(self, shots):
        """A slice of the shots."""
        return Shots(self.latents[:, shots], self.frames[:, shots])

    def __len__(self):
        return self.latents.shape[1]


class Generator:
    """
    mask: of masks.Mask; the one that the model was trained with by default.
    precision: torch.bfloat16 computes as in training, where that is quicker.
    """

    def __init__(self, model, config, autoencoder, texts, mask=None, steps=8, guidance=1.0, precision=torch.float32):
        self.model, self.autoencoder, self.texts = model, autoencoder, texts
        m = config["mask"]
        self.mask = mask or Mask(m["name"], FRAMES, m["layers"], m["first_frame"])
        self.steps, self.guidance, self.precision = steps, guidance, precision
        self.scheduler = scheduler(config["snr_shift_scale"])
        self.reference = config.get("reference")

    def encode(self, frames):
        """[…, H, W, 3] of 0…255 → latents […, C, H/8, W/8]."""
        x = torch.from_numpy(np.ascontiguousarray(frames)).float() / 127.5 - 1
        latents = self.autoencoder.encode(x.flatten(0, -4).permute(0, 3, 1, 2))
        return latents.view(*x.shape[:-3], *latents.shape[1:])

    def context(self, frames):
        """Shots of frames [B, S, FRAMES, H, W, 3] of uint8."""
        return Shots(self.encode(frames), frames)

    def references(self, context, leads):
        """What the next shot is a difference from, by its captions: frames [B, FRAMES, H, W, 3], grey where it is from nothing, their
        latents [B, FRAMES, C, h, w], scales [B, 1, 1, 1, 1], and whether it is from something [B, 1, 1, 1, 1, 1]."""
        count, shots = context.latents.shape[:2]
        latents, scales = torch.zeros(count, *context.latents.shape[2:]), torch.ones(count, 1, 1, 1, 1)
        frames, goes_on = self.decode(latents), torch.zeros(count, 1, 1, 1, 1, 1, dtype=torch.bool)
        for i, caption in enumerate(leads):
            before = goes_on_from(shots, caption) if self.reference else None
            if before is not None:
                frames[i] = reference(context.frames[i, before], FRAMES, damping=self.reference["damping"])
                goes_on[i], latents[i], scales[i] = True, self.encode(frames[i]), self.reference["scale"] / self.reference.get("share", 1)
        return frames, latents, scales, goes_on

    def decode(self, latents):
        """[…, C, H/8, W/8] → […, H, W, 3] of about 0…255."""
        x = (self.autoencoder.decode(latents.flatten(0, -4)).permute(0, 2, 3, 1) + 1) * 127.5
        return x.view(*latents.shape[:-3], *x.shape[1:]).numpy()

    @torch.no_grad()
    def next_shot(self, context, prompts, seed=0, base=0, leads=None):
        """One more shot.

        context: Shots, perhaps none (then a size is needed: pass a slice); prompts: [B][S + 1]; leads: captions that say which shot
        goes on, the last prompts by default. Returns Shots, one each. The conditions pass through the noise of timestep 0 once, as
        in Mask²DiT's code.
        """
        count, shots = context.latents.shape[:2]
        ahead, beside, scales, goes_on = self.references(context, leads or [p[-1] for p in prompts])
        inputs = lambda x, more: torch.cat([x, more], dim=3) if self.reference else x
        generator = torch.Generator().manual_seed(seed)
        noise = lambda *shape: torch.randn(*shape, generator=generator)
        segments = [Segment(i) for i in range(shots + 1)]
        texts, text_mask = self.texts.batch(prompts)
        if self.guidance != 1:
            empty, empty_mask = self.texts.batch([[""] * (shots + 1)] * count)
        self.scheduler.set_timesteps(self.steps)
        alpha = self.scheduler.alphas_cumprod[0].float()
        condition = alpha.sqrt() * context.latents + (1 - alpha).sqrt() * noise(*context.latents.shape)
        condition = inputs(condition, torch.zeros_like(condition))
        x = noise(count, 1, *context.latents.shape[2:])
        for t in self.scheduler.timesteps.tolist():
            times = torch.tensor([[0] * shots + [t]] * count)

            def predict(texts, mask):
                with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == torch.bfloat16):
                    return forward(self.model, torch.cat([condition, inputs(x, beside[:, None])], dim=1), texts, mask, times, segments, self.mask, base)[:, -1:].float()
            v = predict(texts, text_mask)
            if self.guidance != 1:
                without = predict(empty, empty_mask)
                v = without + self.guidance * (v - without)
            x = self.scheduler.step(v, t, x, return_dict=False)[0].float()
        latents = x / scales[:, None] + beside[:, None]
        # The difference is added to the reference itself, not to what is left of that in latents: what stands still loses nothing,
        # for any number of shots. (From frame to latents and back again and again would blow up what the latents exaggerate.)
        frames = self.decode(latents) + (ahead - self.decode(beside))[:, None]
        if self.reference:
            frames = np.where(goes_on.numpy(), steadied(frames, ahead[:, None], self.reference["unrest"]), frames)
        frames = np.clip(frames, 0, 255)
        return Shots(torch.where(goes_on, self.encode(frames), latents), (frames + 0.5).astype(np.uint8))

    def extend(self, context, prompts, next_prompts, seed=0):
        """Shot after shot with a window of the context's length: frames [B, len(next_prompts), FRAMES, H, W, 3]."""
        window, made = len(context), context[:0]
        prompts = [list(p) for p in prompts]
        for index, more in enumerate(next_prompts):
            shot = self.next_shot(context, [p + [n] for p, n in zip(prompts, more)], seed + index)
            made = made.followed(shot)
            context = context.followed(shot)[-window:]
            prompts = [(p + [n])[-window:] for p, n in zip(prompts, more)]
        return made.frames


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
        context = generator.context(real[:, :-1])
        if a.chain:
            more = [[s.captions[-1] for s in some]] * a.chain
            made = generator.extend(context, [s.captions[:-1] for s in some], more, a.seed)
            for i in range(len(some)):
                rows.append(np.concatenate([real[i, 0, -1], real[i, 1, -1], *[shot[-1] for shot in made[i]]], axis=1))
            continue
        made = generator.next_shot(context, [s.captions for s in some], a.seed).frames[:, 0]
        for i, sample in enumerate(some):
            print(len(rows), sample.kind, " | ".join(sample.captions))
            gap = np.full((*real.shape[3:4], 4, 3), 255, np.uint8)
            rows.append(np.concatenate(
                [real[i, 0, 0], real[i, 0, -1], gap, real[i, 1, 0], real[i, 1, -1], gap, *[made[i, k] for k in (0, 1, 3, 5, 7)], gap, *[real[i, 2, k] for k in (0, 3, 7)]], axis=1))
    a.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(a.out)


if __name__ == "__main__":
    main()
