#!/usr/bin/env python3
"""Writes a run as a model's folder in diffusers' layout: what the engine loads.

    export.py RUN OUT --autoencoder FILE [--new-scenes] [--default]

OUT (models/scene-small): model_index.json, scene.json, transformer/ in bfloat16 (the run's EMA), scheduler/, vae/ in float32,
README.md (once; a card that is there stays), LICENSE, SHA256SUMS. --new-scenes says that the model draws scenes which no shot before
shows, --default that it has passed the bar of its evaluation.
"""
import argparse
import hashlib
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from autoencoder import BLOCK, KERNEL, Lapped
from clips import FRAMES, HEIGHT, KINDS, PREFIX, RATE, SHOTS, WIDTH
from model import scheduler
from sample import load
from train import trained

ROOT = Path(__file__).resolve().parents[2]


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--new-scenes", action="store_true")
    parser.add_argument("--default", action="store_true")
    a = parser.parse_args()
    model, config = load(a.run)
    state = torch.load(a.run / "checkpoint.pt", weights_only=False)
    reference = config.get("reference")
    if reference:
        reference = {"damping": reference["damping"], "scale": round(reference["scale"] / reference.get("share", 1), 3), "unrest": reference["unrest"]}
    autoencoder = Lapped.load(a.autoencoder)
    channels = autoencoder.encoder.out_channels
    a.out.mkdir(parents=True, exist_ok=True)

    write(a.out / "model_index.json", {
        "_class_name": "CogVideoXPipeline", "_diffusers_version": "0.42.1", "scheduler": ["diffusers", "CogVideoXDDIMScheduler"],
        "transformer": ["diffusers", "CogVideoXTransformer3DModel"], "vae": ["scene", "AutoencoderLapped"]})
    write(a.out / "scene.json", {
        "width": WIDTH, "height": HEIGHT, "frame_rate": [RATE, 1], "frames": FRAMES, "shots": SHOTS, "mask": config["mask"]["name"],
        "steps": config["sampling"]["steps"], "guidance": config["sampling"]["guidance"], "text_encoder": "all-MiniLM-L6-v2",
        **{f"prefix_{kind}": PREFIX[kind] for kind in KINDS},
        **({f"reference_{name}": value for name, value in reference.items()} if reference else {}),
        "trained": trained(state, config["batch"]),
        "new_scenes": a.new_scenes, "default": a.default})
    model.to(torch.bfloat16).save_pretrained(a.out / "transformer")
    # What diffusers writes holds a path of this machine, perhaps.
    fields = json.loads((a.out / "transformer" / "config.json").read_text())
    fields.pop("_name_or_path", None)
    write(a.out / "transformer" / "config.json", fields)
    scheduler(config["snr_shift_scale"]).save_pretrained(a.out / "scheduler")
    write(a.out / "vae" / "config.json", {
        "_class_name": "AutoencoderLapped", "in_channels": 3, "latent_channels": channels, "block_size": BLOCK, "kernel_size": KERNEL,
        "scaling_factor": 1.0, "temporal_compression_ratio": 1})
    save_file({k: v.detach().float().contiguous() for k, v in autoencoder.state_dict().items()}, a.out / "vae" / "diffusion_pytorch_model.safetensors")
    shutil.copy(ROOT / "LICENSE", a.out / "LICENSE")
    if not (a.out / "README.md").exists():
        (a.out / "README.md").write_text("# scene-small\n")
    for path in a.out.rglob("*.safetensors"):
        path.chmod(0o644)
    names = sorted(str(p.relative_to(a.out)) for p in a.out.rglob("*") if p.is_file() and p.name != "SHA256SUMS")
    (a.out / "SHA256SUMS").write_text("".join(f"{hashlib.sha256((a.out / n).read_bytes()).hexdigest()}  {n}\n" for n in names))
    print(sum((a.out / n).stat().st_size for n in names), "bytes")


if __name__ == "__main__":
    main()
