"""Measures every detector of shotdetect, and its peers, on composed films and on Big Buck Bunny; see launch/evaluate."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import compose_film
import score as scoring

TOOLS = Path(__file__).resolve().parent
LABELS = TOOLS / "labels/big-buck-bunny.tsv"
OURS = ("content", "adaptive", "histogram", "hash", "transnet", "fused")
PEERS = ("ContentDetector", "AdaptiveDetector", "HistogramDetector", "HashDetector", "TransNetV2")
KINDS = ("cut", "dissolve", "fade", "wipe")


def offered():
    """The values of shotdetect's property `detector`."""
    text = subprocess.run(["gst-inspect-1.0", "shotdetect"], capture_output=True, text=True).stdout
    return [name for name in OURS if f": {name} " in text.split("detector", 1)[-1]]


def frame_rate(film):
    text = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "stream=r_frame_rate", "-of", "csv=p=0", str(film)],
                          capture_output=True, text=True, check=True).stdout
    over, _, under = text.strip().partition("/")
    return float(over) / float(under or 1)


def found_by(detector, film):
    """[(start, end, kind)] of one detector, through the plugin."""
    rate = frame_rate(film)
    with tempfile.TemporaryDirectory() as folder:
        log = f"{folder}/shots.jsonl"
        pipeline = f"filesrc location={film} ! decodebin ! videoconvert ! queue ! shotdetect detector={detector} ! shotlog format=jsonl location={log} ! fakesink sync=false"
        subprocess.run(["gst-launch-1.0", "-q", *pipeline.split()], check=True)
        boundaries = [json.loads(line) for line in open(log)]
    out = []
    for b in boundaries:
        frame, stream = b["frame"], b.get("stream-time")
        # Frames are counted from the boundary's own, so that a stream that does not start at 0 is right too.
        index = lambda time: frame + round((time - stream) * rate / 1e9)
        known = stream is not None and b.get("transition-start") is not None and b.get("transition-end") is not None
        if known and b["kind"] != "cut": out.append((index(b["transition-start"]), index(b["transition-end"]), b["kind"]))
        else: out.append((frame - 1, frame, b["kind"]))
    return out


def find_peers(given):
    for python in (given, TOOLS.parents[1] / ".build/peers/bin/python"):
        if python and Path(python).exists(): return str(python)
    return None


def peers_found(python, film, cache):
    """{peer: [(start, end, None)]}; kept in the cache, for they take long."""
    prefix = cache / f"{film.stem}.peer"
    if not all(Path(f"{prefix}.{name}").exists() for name in PEERS):
        subprocess.run([python, str(TOOLS / "peers.py"), str(film), str(prefix)], check=True)
    return {name: scoring.read_detections(f"{prefix}.{name}") for name in PEERS}


def composed(cache, media, pool, seed, shots):
    """(film, labels): composed unless the cache has it."""
    film = cache / f"{pool}-{seed}-{shots}.mkv"
    if not film.with_suffix(".json").exists():
        print(f"composing {film.name}", file=sys.stderr, flush=True)
        given = {}
        if pool != "film": given["clips"] = [media / "shots"]
        if pool != "shots": given.update(film=media / "film.mp4", labels=LABELS)
        part = film.with_name(f"part-{os.getpid()}.mkv")
        compose_film.compose(part, seed=seed, shots=shots, **given)
        part.rename(film)
        part.with_suffix(".json").rename(film.with_suffix(".json"))
    return film, film.with_suffix(".json")


def film_f1(found):
    """F1 on the cuts of Big Buck Bunny, at most one frame off; what touches a gradual transition there does not count."""
    truth, _ = scoring.read_labels(LABELS)
    cuts = [t for t in truth if t[2] == "cut"]
    gradual = [t for t in truth if t[2] != "cut"]
    counted = [f for f in found if not any(f[0] <= e + 4 and f[1] >= s - 4 for s, e, _ in gradual) or any(abs(f[1] - c[1]) <= 1 for c in cuts)]
    return scoring.score(cuts, [], counted, tolerance=1)


def shown(value, digits=3):
    return "–" if value is None else f"{value:.{digits}f}"


def table(results, pools):
    print("| detector | " + " | ".join(f"F1 {p}" for p in pools) + " | F1 | " + " | ".join(f"{k} recall" for k in KINDS)
          + " | interval IoU | kind right | distractors hit | F1 film |")
    print("| --- |" + " ---: |" * (len(pools) + len(KINDS) + 5))
    for name, (by_pool, film) in results.items():
        total = sum(by_pool.values(), scoring.Score())
        cells = [shown(by_pool[p].f1) for p in pools] + [shown(sum(s.f1 for s in by_pool.values()) / len(by_pool))]
        cells += [shown(total.recall_of(k), 2) for k in KINDS] + [shown(total.overlap)]
        cells += [shown(total.named[0] / total.named[1], 2) if total.named[1] else "–", f"{total.traps_hit} of {total.traps}", shown(film and film.f1)]
        print(f"| {name} | " + " | ".join(cells) + " |")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seeds", default="1,2,3"), ap.add_argument("--shots", type=int, default=40), ap.add_argument("--quick", action="store_true")
    ap.add_argument("--pools", default="shots,film,both"), ap.add_argument("--cache", type=Path), ap.add_argument("--peers"), ap.add_argument("--detectors")
    a = ap.parse_args()
    cache = (a.cache or TOOLS.parents[1] / ".build/evaluate").resolve()
    cache.mkdir(parents=True, exist_ok=True)
    media, pools, seeds = cache / "media", a.pools.split(","), [int(s) for s in a.seeds.split(",")]
    if a.quick: pools, seeds = pools[:1], seeds[:1]
    subprocess.run([str(TOOLS / "fetch_media"), str(media)], check=True)
    python = find_peers(a.peers)
    if not python: print("The peers are not here; see launch/evaluate --help.", file=sys.stderr)
    detectors = [d for d in (a.detectors.split(",") if a.detectors else OURS) if d in offered()]

    results = {}
    def add(name, pool, s):
        by_pool = results.setdefault(name, ({}, None))[0]
        by_pool[pool] = by_pool.get(pool, scoring.Score()) + s

    for pool in pools:
        for seed in seeds:
            film, labels = composed(cache, media, pool, seed, a.shots)
            truth, traps = scoring.read_labels(labels)
            for name in detectors: add(name, pool, scoring.score(truth, traps, found_by(name, film)))
            for name, found in (peers_found(python, film, cache) if python else {}).items(): add(f"*{name}*", pool, scoring.score(truth, traps, found))
    if not a.quick:
        film = media / "film.mp4"
        for name in detectors: results[name] = (results[name][0], film_f1(found_by(name, film)))
        for name, found in (peers_found(python, film, cache) if python else {}).items(): results[f"*{name}*"] = (results[f"*{name}*"][0], film_f1(found))
    print(f"Seeds {', '.join(map(str, seeds))}; {a.shots} shots a film; tolerance 2 frames. F1 film: the cuts of Big Buck Bunny, tolerance 1.\n")
    table(results, pools)


if __name__ == "__main__":
    main()
