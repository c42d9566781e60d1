#!/usr/bin/env python3
"""Asks the papers' questions of the scene model at its own scale: which mask, how often a condition, mask or tuning or both.

    . launch/env && training/evaluate/ablate.py MODEL OUT --data DATA --autoencoder FILE --i3d CHECKPOINT [--steps 60] [--count 24]

From MODEL's weights each variant is tuned for the same number of steps on the same samples (the configuration of ../scene, but
latents are generated as they are: with references all variants would be as good as those), then measured on the same held-out film.
OUT gets a run's folder and an evaluation for each, and ablations.tsv. What was done is not done again.

Questions: Qi et al., Mask²DiT, tables 2 and 4 (masks V1 to V5, the condition's probability p); Wu et al., CineTrans, table 3 (mask
without tuning, tuning without mask, both).
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCENE = HERE.parent / "scene"
MASKS = ("v1", "v2", "v3", "v4", "v5", "causal", "cinetrans")
PROBABILITIES = (0.1, 0.3, 0.7, 0.9)


def variants():
    """(name, mask, probability of a condition while it is tuned; None: it is not)"""
    for mask in ("v5", "v2", "causal"):
        yield f"mask {mask} without tuning", mask, None
    for mask in MASKS:
        yield f"mask {mask}", mask, 0.5
    for p in PROBABILITIES:
        yield f"p {p}", "v2", p


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--i3d", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="float32")
    a = parser.parse_args()
    base = json.loads((SCENE / "config.json").read_text())
    base.pop("reference")
    base["wear"], base["precision"] = 0, a.precision
    base["transformer"]["in_channels"] = base["transformer"]["out_channels"]
    base["optimiser"]["rate"], base["ema"] = [[0, 0], [10, 0.0005]], [[0, 0.9]]
    rows = []
    for name, mask, probability in variants():
        run = a.out / name.replace(" ", "-")
        run.mkdir(parents=True, exist_ok=True)
        config = json.loads(json.dumps(base))
        config["mask"]["name"], config["sampling"]["steps"] = mask, 8
        if probability is not None:
            config["condition"]["probability"] = probability
        (run / "config.json").write_text(json.dumps(config, indent=1))
        shared = ["--data", str(a.data), "--autoencoder", str(a.autoencoder)]
        if not (run / "results.json").exists():
            subprocess.run(
                [sys.executable, SCENE / "train.py", run, *shared, "--start", a.model, "--threads", str(a.threads), "--until", str(a.steps if probability else 0)],
                check=True)
            subprocess.run(
                [sys.executable, HERE / "evaluate.py", run, run, *shared, "--i3d", a.i3d, "--parts", "shots", "--sources", "film", "--rows", "", "--count", str(a.count)], check=True)
        film = json.loads((run / "results.json").read_text())["shots"]["film"]
        model = film["model"]
        held_out = [value for key, value in json.loads((run / "log.jsonl").read_text().splitlines()[-1]).items() if key.startswith("held out")]
        rows.append([name, sum(held_out) / len(held_out), film["bar"]["all"], model["FVD"], model["PSNR"], model["sharpness"], model.get("control"), model.get("false cuts")])
        with open(a.out / "ablations.tsv", "w") as file:
            file.write("variant\theld-out loss\tconsistency from other (0) to real (1)\tFVD\tPSNR\tsharpness\tcontrol\tfalse cuts\n")
            for row in rows:
                file.write("\t".join("" if v is None else v if isinstance(v, str) else f"{v:.3g}" if v < 1000 else f"{v:.0f}" for v in row) + "\n")


if __name__ == "__main__":
    main()
