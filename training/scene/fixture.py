#!/usr/bin/env python3
"""Stores what PyTorch generates with models/scene-small, for Tests/DiffusionTests/SceneSmallTests.swift.

    fixture.py --data DATA [--model models/scene-small]

Writes Tests/DiffusionTests/Fixtures/scene-small/values.safetensors: two context shots of held-out film as bytes, the texts'
embeddings, the noise of conditions and shot in float16, and in float32 arithmetic from these the conditions' latents, the shot's
latents and its frames as bytes; the camera's motion in the three shots, and the first one's reference, which the shot goes on from.
To be run again whenever the model's weights change.
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from diffusers import CogVideoXTransformer3DModel
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data"))
from autoencoder import Lapped
from clips import FRAMES
from film import Film
from masks import Mask, Segment
from model import forward, scheduler
from reference import move_of, reference, steadied
from sample import load
from text import Texts
from train import bytes_to_unit

ROOT = Path(__file__).resolve().parents[2]


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "scene-small")
    a = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    scene = json.loads((a.model / "scene.json").read_text())
    model = CogVideoXTransformer3DModel.from_pretrained(a.model / "transformer", torch_dtype=torch.float32).eval()
    autoencoder = Lapped.load(a.model / "vae" / "diffusion_pytorch_model.safetensors")
    texts = Texts(maximum=model.config.max_text_seq_length)
    settings = load(a.model)[1]["reference"]
    sample = Film(a.data, "test").sample(np.random.default_rng(3), "back")
    context = torch.from_numpy(np.ascontiguousarray(sample.frames[:2 * FRAMES])).view(2, FRAMES, *sample.frames.shape[1:])  # [2, F, H, W, 3]
    latents = autoencoder.encode((context.flatten(0, 1).permute(0, 3, 1, 2).float() / 127.5 - 1)).unflatten(0, (2, FRAMES))
    noise = torch.randn(3, *latents.shape[1:]).half()
    steps = scheduler()
    steps.set_timesteps(scene["steps"])
    alpha = steps.alphas_cumprod[0].float()
    conditions = (alpha.sqrt() * latents + (1 - alpha).sqrt() * noise[:2].float())[None]
    # The first shot goes on; the second's motion is stored, too.
    shots = sample.frames.reshape(3, FRAMES, *sample.frames.shape[1:])
    ahead = torch.from_numpy(reference(shots[0], FRAMES, damping=settings["damping"]))
    beside = autoencoder.encode(bytes_to_unit(ahead.numpy()))[None, None]
    embeddings, present = texts.batch([sample.captions])
    x = noise[2:].float()[None]
    for t in steps.timesteps.tolist():
        segments = torch.cat([torch.cat([conditions, torch.zeros_like(conditions)], 3), torch.cat([x, beside], 3)], 1)
        v = forward(
            model, segments, embeddings, present, torch.tensor([[0, 0, t]]), [Segment(i) for i in range(3)],
            Mask(scene["mask"], FRAMES))[:, -1:]
        x = steps.step(v, t, x, return_dict=False)[0]
    x = x / settings["scale"] + beside
    rest = bytes_to_unit(ahead.numpy()) - autoencoder.decode(beside[0, 0])
    frames = ((autoencoder.decode(x[0, 0]) + rest + 1) * 127.5).permute(0, 2, 3, 1).numpy()
    frames = torch.from_numpy(steadied(frames, ahead.numpy(), settings["unrest"])).clamp(0, 255).round().byte()
    out = ROOT / "Tests" / "DiffusionTests" / "Fixtures" / "scene-small"
    out.mkdir(parents=True, exist_ok=True)
    tensors = {"context": context, "noise": noise, "latents": latents, "shot": x[0, 0], "frames": frames,
               "motions": torch.from_numpy(np.stack([move_of(shot) for shot in shots])).float(), "ahead": ahead.permute(3, 0, 1, 2).float()}
    for i in range(3):
        tensors[f"text{i}"] = embeddings[0, i][present[0, i]]
    save_file({k: v.contiguous() for k, v in tensors.items()}, out / "values.safetensors")
    print(sample.captions, sum(p.stat().st_size for p in out.iterdir()), "bytes")


if __name__ == "__main__":
    main()
