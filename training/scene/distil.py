#!/usr/bin/env python3
"""Distils a run to half its steps, with guidance folded in: progressive distillation of v.

    distil.py RUN OUT --data DATA --autoencoder FILE [--steps 4] [--guidance 1.5] [--rate 0.0003] [--until 2000]

The student takes one step where the teacher (RUN's EMA, with guidance) takes two. All of the student's timesteps are asked of the
same context at once, as copies of the last shot under the segment-causal mask. OUT is a run's folder, which sample.py, export.py
and evaluate.py take, and from which a further halving can begin.

Source: Salimans and Ho, Progressive distillation; Meng et al., On distillation of guided diffusion models.
"""
import copy
import json
import time
from pathlib import Path

import numpy as np
import torch

from autoencoder import Lapped
from clips import FRAMES, SHOTS
from masks import Mask, Segment
from model import forward, scheduler
from sample import load, options
from text import Texts
from train import Batches, optimisers, save, trained


def main():
    parser = options(__doc__, "run", "out")
    parser.add_argument("--steps", type=int, default=4, help="of the student")
    parser.add_argument("--guidance", type=float, default=1.5)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--until", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=1)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    teacher, config = load(a.run)
    before = trained(torch.load(a.run / "checkpoint.pt", weights_only=False), config["batch"])
    config["sampling"] = {"steps": a.steps, "guidance": 1.0}
    config["optimiser"]["name"] = "adamw"
    student = copy.deepcopy(teacher).requires_grad_(True)
    ema = {n: p.detach().clone() for n, p in student.named_parameters()}
    texts = Texts(*([a.text_encoder] if a.text_encoder else []), maximum=config["transformer"]["max_text_seq_length"])
    batches = Batches(config, a.data, Lapped.load(a.autoencoder))
    mask = Mask("causal", FRAMES)
    optimiser = optimisers(student, config)[0]
    rng = np.random.default_rng(7)
    torch.manual_seed(7)

    schedule = scheduler(config["snr_shift_scale"])
    schedule.set_timesteps(2 * a.steps)
    grid = schedule.timesteps  # the teacher's, of which the student has every other
    alphas = torch.cat([schedule.alphas_cumprod.float(), torch.ones(1)])
    start, middle = grid[0::2], grid[1::2]
    end = torch.cat([grid[2::2], torch.tensor([1000])])  # 1000: clean
    a_start, a_middle, a_end = (alphas[t].view(1, -1, 1, 1, 1, 1) for t in (start, middle, end))
    last = SHOTS - 1
    segments = [Segment(i) for i in range(last)] + [Segment(last, i + 1) for i in range(a.steps)]
    shots, targets = list(range(last)) + [last] * a.steps, list(range(last, last + a.steps))

    def predict(model, condition, x, references, times, embeddings, text_mask):
        """v of the copies [B, steps, F, C, h, w]."""
        every = torch.cat([torch.zeros(len(x), last, dtype=torch.long), times.expand(len(x), -1)], dim=1)
        inputs = torch.cat([condition, x], dim=1)
        if references is not None:
            inputs = references.beside(inputs, shots, targets)
        with torch.autocast("cpu", torch.bfloat16, enabled=config["precision"] == "bfloat16"):
            return forward(model, inputs, embeddings, text_mask, every, segments, mask)[:, last:].float()

    def jump(x, v, here, there):
        """A DDIM step between levels ᾱ."""
        clean = here.sqrt() * x - (1 - here).sqrt() * v
        noise = (1 - here).sqrt() * x + here.sqrt() * v
        return there.sqrt() * clean + (1 - there).sqrt() * noise

    a.out.mkdir(parents=True, exist_ok=True)
    (a.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    log, began, saved, losses = open(a.out / "log.jsonl", "a"), time.monotonic(), time.monotonic(), []

    def store(step):
        save(a.out / "checkpoint.pt", {"model": student.state_dict(), "ema": ema, "step": step, "seconds": time.monotonic() - began, "before": before, "config": config})

    for step in range(1, a.until + 1):
        latents, given, captions, _, references = batches(rng, config["batch"])
        clean = latents[:, [last] * a.steps]
        if references is not None:
            clean = references.differences(clean, [last] * a.steps)
        noise = torch.from_numpy(rng.standard_normal(clean.shape, dtype=np.float32))
        x = a_start.sqrt() * clean + (1 - a_start).sqrt() * noise
        level = alphas[torch.from_numpy(rng.integers(0, config["condition"]["noise"] + 1, (len(latents), last)))][..., None, None, None, None]
        condition = level.sqrt() * given[:, :last] + (1 - level).sqrt() * torch.from_numpy(rng.standard_normal(given[:, :last].shape, dtype=np.float32))
        words = [c[:last] + [c[last]] * a.steps for c in captions]
        embeddings, text_mask = texts.batch(words)
        empty, empty_mask = texts.batch([[""] * len(segments) for _ in words])
        with torch.no_grad():
            def guided(x, times):
                v = predict(teacher, condition, x, references, times, embeddings, text_mask)
                if a.guidance == 1:
                    return v
                without = predict(teacher, condition, x, references, times, empty, empty_mask)
                return without + a.guidance * (v - without)
            between = jump(x, guided(x, start), a_start, a_middle)
            ends = jump(between, guided(between, middle), a_middle, a_end)
            # The clean picture from which one step leads there.
            ratio = ((1 - a_end) / (1 - a_start)).sqrt()
            target = (ends - ratio * x) / (a_end.sqrt() - ratio * a_start.sqrt())
            wanted = (a_start.sqrt() * x - target) / (1 - a_start).sqrt()
        loss = (predict(student, condition, x, references, start, embeddings, text_mask) - wanted).square().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), config["optimiser"]["clip"])
        for group in optimiser.param_groups:
            group["lr"] = a.rate * min(1, step / 50) * (1 - 0.9 * step / a.until)
        optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.values()), [p.data for p in student.parameters()], 1 - min(0.995, step / (10 + step)))
        losses.append(loss.item())
        if step % 50 == 0:
            log.write(json.dumps({"step": step, "seconds": round(time.monotonic() - began), "loss": round(float(np.mean(losses)), 4)}) + "\n")
            log.flush()
            losses = []
        if time.monotonic() - saved > config["checkpoint_seconds"]:
            store(step)
            saved = time.monotonic()
    store(a.until)


if __name__ == "__main__":
    main()
