#!/usr/bin/env python3
"""Trains the scene model.

    train.py RUN --data DATA --autoencoder FILE [--config config.json] [--text-encoder FOLDER] [--threads 1] [--until STEP]

RUN is a folder: it holds config.json (copied there first; from then on that one counts, and is read again when a run resumes),
checkpoint.pt (model, EMA, optimiser, random numbers, step), log.jsonl. A run resumes if there is a checkpoint. SIGTERM, SIGINT or
a file RUN/stop end it after a checkpoint.

A step takes samples of three shots. With the probability `condition.probability` the last shot is generated and the others are
its conditions: nearly clean, modulated by timestep 0 (Mask²DiT's segment-level condition); else all shots are. Under the
segment-causal mask
- the last shot is there `condition.copies` times, each with other noise at another timestep, since the context's share of the
  work is then done once for all;
- with `condition.teacher`, when all shots are generated each sees those before it as conditions, as when it will be used, and not
  as noise: there are clean copies of them for this.
"""
import argparse
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data"))
from autoencoder import Lapped
from clips import FRAMES, KINDS, SHOTS
from cutouts import Cutouts
from film import Film
from masks import Mask, Segment
from model import forward, scheduler, transformer
from photos import Photos
from text import Texts


def line(points, step):
    """A value that changes evenly between [[step, value], …]."""
    return float(np.interp(step, [p[0] for p in points], [p[1] for p in points]))


class Batches:
    """Samples as latents: draws sources and kinds, encodes frames."""

    def __init__(self, config, data, autoencoder, split="train"):
        self.config, self.autoencoder = config, autoencoder
        self.sources = {"film": Film(data, split), "photo": Photos(data, split), "cutout": Cutouts(data, split)}

    def __call__(self, rng, count):
        """latents [B, SHOTS, FRAMES, C, H/8, W/8], captions [B][SHOTS], and the samples' kinds ("film same")."""
        samples = []
        for _ in range(count):
            source = rng.choice(list(self.config["mix"]), p=list(self.config["mix"].values()))
            kind = rng.choice(KINDS, p=[self.config["kinds"][k] for k in KINDS])
            samples.append(self.sources[source].sample(rng, kind))
        frames = torch.from_numpy(np.stack([s.frames for s in samples])).permute(0, 1, 4, 2, 3).float() / 127.5 - 1
        with torch.no_grad():
            latents = self.autoencoder.encode(frames.flatten(0, 1))
        latents = latents.view(count, SHOTS, FRAMES, *latents.shape[1:])
        return latents, [s.captions for s in samples], [f"{s.source} {s.kind}" for s in samples]


class Task:
    """What a step asks of the model: which segments there are, with which noise, and which of them count."""

    def __init__(self, config, alphas):
        self.config, self.alphas = config, alphas  # alphas [1000]: ᾱ
        c = config["condition"]
        self.is_causal = config["mask"]["name"] == "causal"
        self.copies = c["copies"] if self.is_causal else 1

    def add_noise(self, clean, noise, times):
        """times [B, S] of segments [B, S, F, C, H, W]."""
        alpha = self.alphas[times][..., None, None, None, None]
        return alpha.sqrt() * clean + (1 - alpha).sqrt() * noise

    def timesteps(self, rng, parts):
        """Timesteps 0…999 of numbers 0…1, evenly, but that few are below `times.low`, where sampling in few steps never asks."""
        low, share = self.config["times"]["low"], self.config["times"]["share"]
        times = np.where(rng.random(parts.shape) < share, parts * low, low + parts * (1000 - low))
        return np.minimum(999, times.astype(np.int64))

    def draw(self, rng, latents):
        """(segments, source shot of each, inputs, times given to the model, times of the noise, noise, which count)."""
        c, drop, count = self.config["condition"], self.config["drop"], len(latents)
        without = rng.random() < drop["context"]
        last = SHOTS - 1
        if without:
            # No context: the shot is the first of its video.
            segments = [Segment(0, i) for i in range(self.copies)]
            shots, targets = [last] * self.copies, list(range(self.copies))
        elif rng.random() < c["probability"]:
            segments = [Segment(i) for i in range(last)] + [Segment(last, i + 1 if self.is_causal else 0) for i in range(self.copies)]
            shots, targets = list(range(last)) + [last] * self.copies, list(range(last, last + self.copies))
        elif self.is_causal and c["teacher"]:
            segments = [Segment(i) for i in range(last)] + [Segment(i, 1) for i in range(SHOTS)]
            shots, targets = list(range(last)) + list(range(SHOTS)), list(range(last, last + SHOTS))
        else:
            segments, shots, targets = [Segment(i) for i in range(SHOTS)], list(range(SHOTS)), list(range(SHOTS))
        clean = latents[:, shots]
        noise = torch.from_numpy(rng.standard_normal(clean.shape, dtype=np.float32))
        # Timesteps are spread evenly over the targets of a sample, which then say more together.
        times = np.zeros((count, len(segments)), np.int64)
        if len(targets) == len(segments) and not without and not (self.is_causal and c["teacher"]):
            times[:] = self.timesteps(rng, rng.random((count, 1)))
        else:
            spread = (rng.permuted(np.tile(np.arange(len(targets)), (count, 1)), axis=1) + rng.random((count, len(targets)))) / len(targets)
            times[:, targets] = self.timesteps(rng, spread)
        noised = times.copy()
        conditions = [i for i in range(len(segments)) if i not in targets]
        if conditions:
            # Context that was generated is not clean: a little more noise than it will have, told to the model as none.
            some = rng.random((count, 1)) < c["noised"]
            noised[:, conditions] = np.where(some, rng.integers(0, c["noise"] + 1, (count, len(conditions))), 0)
        times, noised = torch.from_numpy(times), torch.from_numpy(noised)
        return segments, shots, self.add_noise(clean, noise, noised), times, noised, clean, noise, targets

    def prompts(self, rng, captions, shots, targets):
        """The segments' prompts, some of them empty."""
        drop = self.config["drop"]
        result = []
        for sample in captions:
            draw = rng.random()
            row = [sample[s] for s in shots]
            if draw < drop["texts"]:
                row = [""] * len(row)
            elif draw < drop["texts"] + drop["context_texts"]:
                row = [text if i in targets else "" for i, text in enumerate(row)]
            result.append(row)
        return result


def losses(model, task, batch, texts, mask, rng, config):
    """[B, targets] mean squared errors of v, their weights, their timesteps."""
    latents, captions, _ = batch
    segments, shots, inputs, times, noised, clean, noise, targets = task.draw(rng, latents)
    embeddings, text_mask = texts.batch(task.prompts(rng, captions, shots, targets))
    base = int(rng.integers(0, 33)) * FRAMES if rng.random() < config["drop"]["base"] else 0
    with torch.autocast("cpu", torch.bfloat16, enabled=config["precision"] == "bfloat16"):
        predicted = forward(model, inputs, embeddings, text_mask, times, segments, mask, base)
    alpha = task.alphas[times[:, targets]]
    scale = alpha[..., None, None, None, None]
    wanted = scale.sqrt() * noise[:, targets] - (1 - scale).sqrt() * clean[:, targets]
    errors = (predicted[:, targets].float() - wanted).square().mean((2, 3, 4, 5))
    weights = torch.ones_like(errors)
    if config["loss"]["gamma"] is not None:
        # Hang et al., Min-SNR, for v: min(SNR, γ) / (SNR + 1).
        snr = alpha / (1 - alpha)
        weights = snr.clamp(max=config["loss"]["gamma"]) / (snr + 1)
    return errors, weights, times[:, targets]


class Validation:
    """The loss on samples that are never trained on, always the same ones with the same noise, at four timesteps."""

    TIMES = (124, 374, 624, 874)

    def __init__(self, config, data, autoencoder, texts, alphas, mask, count=12):
        batches, rng = Batches(config, data, autoencoder, "test"), np.random.default_rng(1234)
        self.latents, captions, _ = batches(rng, count)
        self.embeddings, self.text_mask = texts.batch(captions)
        self.noise = torch.from_numpy(rng.standard_normal((len(self.TIMES), *self.latents[:, -1].shape), dtype=np.float32))
        self.alphas, self.mask, self.config = alphas, mask, config

    @torch.no_grad()
    def __call__(self, model, ema):
        """The mean of each timestep with the averaged weights."""
        kept = [p.data for p in model.parameters()]
        for p, averaged in zip(model.parameters(), ema.values()):
            p.data = averaged
        segments, result = [Segment(i) for i in range(SHOTS)], {}
        for noise, t in zip(self.noise, self.TIMES):
            alpha, clean = self.alphas[t], self.latents[:, -1]
            inputs = torch.cat([self.latents[:, :-1], (alpha.sqrt() * clean + (1 - alpha).sqrt() * noise)[:, None]], dim=1)
            times = torch.tensor([[0] * (SHOTS - 1) + [t]] * len(clean))
            with torch.autocast("cpu", torch.bfloat16, enabled=self.config["precision"] == "bfloat16"):
                v = forward(model, inputs, self.embeddings, self.text_mask, times, segments, self.mask)[:, -1].float()
            result[f"held out t{t}"] = round((v - (alpha.sqrt() * noise - (1 - alpha).sqrt() * clean)).square().mean().item(), 4)
        for p, data in zip(model.parameters(), kept):
            p.data = data
        return result


def optimisers(model, config):
    """Muon for the blocks' matrices and AdamW for the rest, or AdamW for all."""
    c = config["optimiser"]
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and n.startswith("transformer_blocks") and ".norm" not in n]
    if c["name"] != "muon":
        matrices = []
    ids = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in ids]
    result = [torch.optim.AdamW([
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": c["weight_decay"]}, {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
    ], lr=0.0, betas=tuple(c["betas"]))]
    if matrices:
        result.append(torch.optim.Muon(matrices, lr=0.0, weight_decay=c["weight_decay"], momentum=0.95, adjust_lr_fn="match_rms_adamw"))
    return result


def save(path, value):
    """Never half a file: written beside, then renamed."""
    torch.save(value, path.with_suffix(".part"))
    os.replace(path.with_suffix(".part"), path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("config.json"))
    parser.add_argument("--text-encoder", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--until", type=int, default=10**9, help="stop at this step")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    a.run.mkdir(parents=True, exist_ok=True)
    if not (a.run / "config.json").exists():
        shutil.copy(a.config, a.run / "config.json")
    config = json.loads((a.run / "config.json").read_text())
    torch.manual_seed(config["seed"])
    rng = np.random.default_rng(config["seed"])

    autoencoder = Lapped.load(a.autoencoder)
    batches = Batches(config, a.data, autoencoder)
    texts = Texts(*([a.text_encoder] if a.text_encoder else []), maximum=config["transformer"]["max_text_seq_length"])
    model = transformer(config["transformer"])
    ema = {n: p.detach().clone() for n, p in model.named_parameters()}
    alphas = scheduler(config["snr_shift_scale"]).alphas_cumprod.float()
    task = Task(config, alphas)
    mask = Mask(config["mask"]["name"], FRAMES, config["mask"]["layers"], config["mask"]["first_frame"])
    optimiser = optimisers(model, config)
    validation = Validation(config, a.data, autoencoder, texts, alphas, mask)
    step, seconds = 0, 0.0
    checkpoint = a.run / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=False)
        model.load_state_dict(state["model"])
        ema = state["ema"]
        for o, s in zip(optimiser, state["optimiser"]):
            o.load_state_dict(s)
        step, seconds = state["step"], state["seconds"]
        rng.bit_generator.state = state["rng"]
        torch.set_rng_state(state["torch_rng"])
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, step {step}", flush=True)

    stopping = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.append(1))

    def store():
        save(checkpoint, {
            "model": model.state_dict(), "ema": ema, "optimiser": [o.state_dict() for o in optimiser], "step": step, "seconds": seconds,
            "rng": rng.bit_generator.state, "torch_rng": torch.get_rng_state(), "config": config})

    c = config["optimiser"]
    log = open(a.run / "log.jsonl", "a")
    sums, saved, last = {}, time.monotonic(), time.monotonic()
    while step < a.until and not stopping and not (a.run / "stop").exists():
        began = time.monotonic()
        rate = line(c["rate"], step)
        for o in optimiser:
            for group in o.param_groups:
                group["lr"] = rate
        batch = batches(rng, config["batch"])
        prepared = time.monotonic() - began
        errors, weights, times = losses(model, task, batch, texts, mask, rng, config)
        for o in optimiser:
            o.zero_grad(set_to_none=True)
        (errors * weights).mean().backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), c["clip"])
        if torch.isfinite(norm):
            for o in optimiser:
                o.step()
        step += 1
        decay = min(line(config["ema"], step), (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.values()), [p.data for p in model.parameters()], 1 - decay)
        seconds += time.monotonic() - began

        def count(name, value):
            entry = sums.setdefault(name, [0.0, 0])
            entry[0] += value
            entry[1] += 1
        count("loss", errors.mean().item())
        count("norm", norm.item())
        count("prepare", prepared)
        for kind, row, at in zip(batch[2], errors.detach().tolist(), times.tolist()):
            for error, t in zip(row, at):
                count(kind, error)
                count(f"t{t // 250 * 250}", error)
        if step % 50 == 0:
            means = {k: round(v[0] / v[1], 4) for k, v in sorted(sums.items())}
            if step % 200 == 0:
                means |= validation(model, ema)
            log.write(json.dumps({"step": step, "seconds": round(seconds), "pace": round((time.monotonic() - last) / 50, 3), "rate": rate, **means}) + "\n")
            log.flush()
            sums, last = {}, time.monotonic()
        if time.monotonic() - saved > config["checkpoint_seconds"]:
            store()
            saved = time.monotonic()
    store()
    (a.run / "stop").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
