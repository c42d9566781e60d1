#!/usr/bin/env python3
"""Trains the scene model.

    train.py RUN --data DATA --autoencoder FILE [--start MODEL] [--config config.json] [--text-encoder FOLDER] [--threads 1] [--until STEP]

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
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import CogVideoXTransformer3DModel

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data"))
from autoencoder import Lapped
from clips import FRAMES, KINDS, SHOTS
from cutouts import Cutouts
from film import Film
from masks import Mask, Segment
from model import forward, scheduler, transformer
from photos import Photos
from reference import goes_on_from, reference
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
        """latents [B, SHOTS, FRAMES, C, H/8, W/8] as they are, and as they are given as conditions; captions [B][SHOTS]; the samples'
        kinds ("film same"); References."""
        samples = []
        for _ in range(count):
            source = rng.choice(list(self.config["mix"]), p=list(self.config["mix"].values()))
            kind = rng.choice(KINDS, p=[self.config["kinds"][k] for k in KINDS])
            samples.append(self.sources[source].sample(rng, kind))
        frames = np.stack([s.frames for s in samples]).reshape(count, SHOTS, FRAMES, *samples[0].frames.shape[1:])
        latents = self.encode(frames)
        given, given_latents = frames, latents
        worn = [i for i in range(count) if rng.random() < self.config.get("wear", 0)]
        if worn:
            given, given_latents = frames.copy(), latents.clone()
            for i in worn:
                given[i] = self.worn(rng, frames[i])
                given_latents[i] = self.encode(given[i])
        captions = [s.captions for s in samples]
        return latents, given_latents, captions, [f"{s.source} {s.kind}" for s in samples], self.references(given, captions, latents)

    @torch.no_grad()
    def encode(self, frames):
        """[…, H, W, 3] of uint8 → latents […, C, H/8, W/8]"""
        latents = self.autoencoder.encode(bytes_to_unit(frames.reshape(-1, *frames.shape[-3:])))
        return latents.view(*frames.shape[:-3], *latents.shape[1:])

    @torch.no_grad()
    def worn(self, rng, frames):
        """Frames [SHOTS, FRAMES, H, W, 3] as they are after some extensions: of other colours, with a model's errors."""
        x = bytes_to_unit(frames.reshape(-1, *frames.shape[2:]))
        grey = (x * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True)
        x = (grey + (x - grey) * rng.uniform(0.93, 1.1)) * rng.uniform(0.96, 1.06)
        latents = self.autoencoder.encode(x).unflatten(0, frames.shape[:2])
        noise = lambda *shape: torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))
        some, size = rng.uniform(0, 0.3, 2), latents.shape
        # Errors that stay over a shot, and such as change with each frame.
        latents = latents + float(some[0]) * noise(size[0], 1, *size[2:]) + float(some[1]) / 3 * noise(*size)
        x = self.autoencoder.decode(latents.flatten(0, 1))
        return ((x.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy().reshape(frames.shape)

    def references(self, frames, captions, latents):
        """What shots are differences from, by frames [B, SHOTS, FRAMES, H, W, 3]; None for a model that generates latents as they are."""
        c = self.config.get("reference")
        if c is None:
            return None
        result = References(torch.zeros_like(latents), torch.ones(latents.shape[:2]))
        for i, shots in enumerate(frames):
            for shot in range(1, SHOTS):
                before = goes_on_from(shot, captions[i][shot])
                if before is not None:
                    result.latents[i, shot] = self.encode(reference(shots[before], FRAMES, damping=c["damping"]))
                    result.scales[i, shot] = c["scale"]
        return result


def bytes_to_unit(frames):
    """[N, H, W, 3] of 0…255 → [N, 3, H, W] of −1…1."""
    return torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 127.5 - 1


@dataclass
class References:
    """latents [B, SHOTS, FRAMES, C, h, w], zero where a shot has no reference; scales [B, SHOTS] of the differences, 1 there."""
    latents: torch.Tensor
    scales: torch.Tensor

    def differences(self, latents, shots):
        """Of the shots of these numbers in [B, SHOTS, …], of which latents [B, S, …] are."""
        return (latents - self.latents[:, shots]) * self.scales[:, shots][..., None, None, None, None]

    def beside(self, inputs, shots, targets):
        """Inputs [B, S, F, C, h, w] → [B, S, F, 2C, h, w]: with the reference of each target, and zero beside conditions."""
        beside = torch.zeros_like(inputs)
        beside[:, targets] = self.latents[:, [shots[i] for i in targets]]
        return torch.cat([inputs, beside], dim=3)


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

    def draw(self, rng, latents, given, references):
        """(segments, source shot of each, inputs, times given to the model, times of the noise, noise, which count)."""
        c, drop, count = self.config["condition"], self.config["drop"], len(latents)
        without = rng.random() < drop["context"]
        last = SHOTS - 1
        if without:
            # No context: the shot is the first of its video.
            segments = [Segment(0, i) for i in range(self.copies)]
            shots, targets = [last] * self.copies, list(range(self.copies))
            references = None if references is None else References(torch.zeros_like(references.latents), torch.ones_like(references.scales))
        elif rng.random() < c["probability"]:
            segments = [Segment(i) for i in range(last)] + [Segment(last, i + 1 if self.is_causal else 0) for i in range(self.copies)]
            shots, targets = list(range(last)) + [last] * self.copies, list(range(last, last + self.copies))
        elif self.is_causal and c["teacher"]:
            segments = [Segment(i) for i in range(last)] + [Segment(i, 1) for i in range(SHOTS)]
            shots, targets = list(range(last)) + list(range(SHOTS)), list(range(last, last + SHOTS))
        else:
            segments, shots, targets = [Segment(i) for i in range(SHOTS)], list(range(SHOTS)), list(range(SHOTS))
        conditions = [i for i in range(len(segments)) if i not in targets]
        clean = latents[:, shots]
        clean[:, conditions] = given[:, [shots[i] for i in conditions]]
        if references is not None:
            clean[:, targets] = references.differences(clean[:, targets], [shots[i] for i in targets])
        noise = torch.from_numpy(rng.standard_normal(clean.shape, dtype=np.float32))
        # Timesteps are spread evenly over the targets of a sample, which then say more together.
        times = np.zeros((count, len(segments)), np.int64)
        if len(targets) == len(segments) and not without and not (self.is_causal and c["teacher"]):
            times[:] = self.timesteps(rng, rng.random((count, 1)))
        else:
            spread = (rng.permuted(np.tile(np.arange(len(targets)), (count, 1)), axis=1) + rng.random((count, len(targets)))) / len(targets)
            times[:, targets] = self.timesteps(rng, spread)
        noised = times.copy()
        if conditions:
            # Context that was generated is not clean: a little more noise than it will have, told to the model as none.
            some = rng.random((count, 1)) < c["noised"]
            noised[:, conditions] = np.where(some, rng.integers(0, c["noise"] + 1, (count, len(conditions))), 0)
        times, noised = torch.from_numpy(times), torch.from_numpy(noised)
        inputs = self.add_noise(clean, noise, noised)
        if references is not None:
            inputs = references.beside(inputs, shots, targets)
        return segments, shots, inputs, times, noised, clean, noise, targets

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
    latents, given, captions, _, references = batch
    segments, shots, inputs, times, noised, clean, noise, targets = task.draw(rng, latents, given, references)
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
        batches, rng = Batches(config | {"wear": 0}, data, autoencoder, "test"), np.random.default_rng(1234)
        self.latents, _, captions, _, self.references = batches(rng, count)
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
            alpha, clean, shots = self.alphas[t], self.latents[:, -1], list(range(SHOTS))
            if self.references is not None:
                clean = self.references.differences(clean[:, None], [SHOTS - 1])[:, 0]
            inputs = torch.cat([self.latents[:, :-1], (alpha.sqrt() * clean + (1 - alpha).sqrt() * noise)[:, None]], dim=1)
            if self.references is not None:
                inputs = self.references.beside(inputs, shots, [SHOTS - 1])
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


@torch.no_grad()
def start_from(model, folder):
    """Begins with the weights of an exported model, which may have been made without references, or with a run's averaged ones."""
    if (folder / "checkpoint.pt").exists():
        run = torch.load(folder / "checkpoint.pt", weights_only=False)
        model.load_state_dict(run["model"] | run["ema"])
        return trained(run, run["config"]["batch"])
    state = CogVideoXTransformer3DModel.from_pretrained(folder / "transformer", torch_dtype=torch.float32).state_dict()
    name = "patch_embed.proj.weight"
    if model.state_dict()[name].shape[1] == 2 * state[name].shape[1]:
        # To a reference beside the noise the model then looks as to a part of the picture.
        state[name] = torch.cat([state[name]] * 2, dim=1)
    model.load_state_dict(state)
    return json.loads((folder / "scene.json").read_text())["trained"]


def trained(state, batch):
    """Steps, samples and hours of a checkpoint, with those of the model that its run began with."""
    before = state.get("before") or {"steps": 0, "samples": 0, "hours": 0}
    return {"steps": before["steps"] + state["step"], "samples": before["samples"] + state["step"] * batch,
            "hours": round(before["hours"] + state["seconds"] / 3600, 2)}


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
    parser.add_argument("--start", type=Path, help="an exported model or a run whose weights a new run begins with")
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
    # Steps, samples and hours of the model that the run began with.
    before = start_from(model, a.start) if a.start else None
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
        step, seconds, before = state["step"], state["seconds"], state.get("before", before)
        rng.bit_generator.state = state["rng"]
        torch.set_rng_state(state["torch_rng"])
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, step {step}", flush=True)

    stopping = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.append(1))

    def store():
        save(checkpoint, {
            "model": model.state_dict(), "ema": ema, "optimiser": [o.state_dict() for o in optimiser], "step": step, "seconds": seconds, "before": before,
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
        for kind, row, at in zip(batch[3], errors.detach().tolist(), times.tolist()):
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
    log.write(json.dumps({"step": step, "seconds": round(seconds), "end": True, **validation(model, ema)}) + "\n")
    log.close()
    (a.run / "stop").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
