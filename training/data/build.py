#!/usr/bin/env python3
"""Builds the data set of the scene model: one command, nothing but openly licensed packages.

    python3 -m venv .venv && .venv/bin/pip install numpy pillow
    Tests/tools/fetch_media MEDIA                                   # the film
    .venv/bin/python training/data/build.py OUT --film MEDIA/film.mp4 [--packages FOLDER]

Needs ffmpeg, apt-get and dpkg. Writes to OUT (about 650 MB):
  film.u8              frames [n, 80, 144, 3] of uint8, 24 a second
  photos.u8, .json     RGB pictures one after the other; name, caption, offset, width, height, source of each
  cutouts.u8, .json    the same of RGBA cut-outs
"""
import argparse
import io
import json
import re
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from film import STORED

PHOTO_PACKAGES = ["gcompris-qt-data", "mate-backgrounds", "plasma-workspace-wallpapers", "lomiri-wallpapers", "ukui-wallpapers"]
CUTOUT_PACKAGES = ["tuxpaint-stamps-default", "openclipart-png"]
PHOTO_WIDTH = 320
CUTOUT_SIDE = 96

# Photos of gcompris-qt-data: part of the path, and what to say before the file's name.
GCOMPRIS = {
    "explore_monuments/": "", "explore_world_animals/": "a ", "explore_farm_animals/": "a ", "explore_world_music/": "musicians of ", "erase/": "",
    "images/renewable/": "", "images/monuments/": "", "images/fishes/": "", "images/others/igloo": "an ", "sea": "the ", "_background": "",
}
# Wallpapers that show a place or thing, and what it is.
WALLPAPERS = {
    "nature/Garden": "a green garden", "nature/Dune": "a sand dune", "nature/Wood": "a wooden wall", "nature/Aqua": "drops of blue water",
    "nature/TwoWings": "a feather", "nature/Storm": "a stormy sky", "nature/GreenMeadow": "a green meadow", "nature/RainDrops": "rain drops",
    "nature/FreshFlower": "a fresh flower", "nature/LadyBird": "a ladybird", "nature/YellowFlower": "a yellow flower",
    "abstract/Elephants.jpg": "elephants", "Altai/": "mountains of Altai", "Autumn/": "autumn trees", "BytheWater/": "a house by the water",
    "Canopee/": "a forest canopy", "Cascade/": "a cascade", "ColdRipple/": "cold ripples", "ColorfulCups/": "colourful cups", "DarkestHour/": "a dark landscape",
    "Elarun/": "a green valley", "EveningGlow/": "an evening sky", "FallenLeaf/": "a fallen leaf", "FlyingKonqui/": "a flying dragon", "Grey/": "grey waves",
    "Honeywave/": "waves of honey", "IceCold/": "a cold mountain", "Kite/": "a kite", "Kokkini/": "red shapes", "MilkyWay/": "the milky way",
    "OneStandsOut/": "pencils", "PastelHills/": "pastel hills", "Path/": "a path in the forest", "SafeLanding/": "a landing spaceship", "Shell/": "a shell",
    "summer_1am/": "a summer night", "Volna/": "waves", "calla": "a calla flower", "city": "a city", "goldfish": "a goldfish", "desert": "a desert",
    "warty-final": "an orange pattern",
}
STAMPS = ["animals", "food", "plants", "vehicles", "people/cartoon", "household", "hobbies", "seasonal/christmas", "seasonal/easter", "seasonal/halloween",
          "space", "sports", "town/cartoon", "town/houses", "clothes"]
CLIPARTS = ["animals/mammals", "animals/birds", "animals/fish", "animals/dinosaurs", "transportation/vehicles", "food/fruit", "plants/trees"]
# Names of clip art are file names, with authors in them: only those are used of which a word is one of these.
KNOWN = set("""cat dog cow horse pig sheep goat lion tiger bear elephant giraffe zebra monkey mouse rat rabbit fox wolf deer moose camel kangaroo whale dolphin seal
hamster squirrel hedgehog bat buffalo bull donkey duck eagle owl parrot penguin chicken rooster hen turkey swan goose pelican ostrich stork crow pigeon dove fish shark
goldfish clownfish dinosaur stegosaurus triceratops car truck bus train tractor bicycle motorcycle scooter van taxi ambulance locomotive apple banana cherry cherries
grapes lemon orange pear pineapple strawberry watermelon kiwi peach plum tree palm pine oak""".split())


def unpack(package, folder):
    """Fetches a Debian package and unpacks it, once."""
    target = folder / package
    if not target.exists():
        if not list(folder.glob(f"{package}_*.deb")):
            subprocess.run(["apt-get", "download", "-q", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["dpkg", "-x", str(next(folder.glob(f"{package}_*.deb"))), str(target)], check=True)
    return target


def resources(path):
    """(name, bytes) of a Qt resource file, https://doc.qt.io/qt-5/resources.html; such as are zstd-packed are left out."""
    data = path.read_bytes()
    version, tree, bodies, names = struct.unpack(">4I", data[4:20])
    size = 22 if version >= 2 else 14

    def walk(index, prefix):
        at = tree + size * index
        name, flags = struct.unpack(">IH", data[at:at + 6])
        length = struct.unpack(">H", data[names + name:names + name + 2])[0]
        full = prefix + "/" + data[names + name + 6:names + name + 6 + 2 * length].decode("utf-16-be") if index else ""
        if flags & 2:
            count, first = struct.unpack(">II", data[at + 6:at + 14])
            for child in range(first, first + count):
                yield from walk(child, full)
        elif not flags & 4:
            offset = bodies + struct.unpack(">I", data[at + 10:at + 14])[0]
            body = data[offset + 4:offset + 4 + struct.unpack(">I", data[offset:offset + 4])[0]]
            yield full, zlib.decompress(body[4:]) if flags & 1 else body

    yield from walk(0, "")


def humanised(name):
    """georgeWashingtonBirthplace → george washington birthplace; dam3 → dam."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.replace("_", " ").replace("-", " "))
    return re.sub(r"\s+", " ", re.sub(r"\d+|\bc\b", " ", name)).strip().lower()


def photos(folder):
    """(name, caption, picture) of all photos."""
    for file in sorted(unpack("gcompris-qt-data", folder).rglob("*.rcc")):
        for name, body in sorted(resources(file)):
            rule = next((r for r in GCOMPRIS if r in name), None)
            if rule is None or not name.endswith((".webp", ".jpg")) or "/tools/" in name:
                continue
            picture = Image.open(io.BytesIO(body))
            if picture.width < 300 or picture.height < 200 or picture.mode != "RGB":
                continue
            words = humanised(Path(name).stem.replace("_background", ""))
            caption = {"images/renewable/": words.replace("solar", "solar panels").replace("geothermal", "a geothermal plant")}.get(rule, GCOMPRIS[rule] + words)
            yield "gcompris" + name.split("activities")[-1], caption, picture
    for package in PHOTO_PACKAGES[1:]:
        seen = set()
        for file in sorted(unpack(package, folder).rglob("*"), key=lambda f: (f.name not in ("1920x1080.jpg", "1920x1080.png"), str(f))):
            rule = next((r for r in WALLPAPERS if r in str(file.relative_to(folder))), None)
            if rule and rule not in seen and file.suffix in (".jpg", ".png", ".webp") and "screenshot" not in file.name:
                seen.add(rule)
                yield f"{package}/{rule}", WALLPAPERS[rule], Image.open(file).convert("RGB")


def cutouts(folder):
    """(name, caption, RGBA picture) of all cut-outs."""
    stamps = unpack("tuxpaint-stamps-default", folder) / "usr/share/tuxpaint/stamps"
    for file in sorted(stamps.rglob("*.png")):
        name, text = str(file.relative_to(stamps)), file.with_suffix(".txt")
        if not name.startswith(tuple(STAMPS)) or not text.exists() or "_mirror" in name or "_flip" in name:
            continue
        sentence = text.read_text(errors="replace").splitlines()[0]
        # "An albino peahen (a female peafowl, or peacock)." → "an albino peahen"
        words = re.split(r"[(.!;,:]| resembles", sentence)[0].strip().replace("“", "").replace("”", "")
        if 1 < len(words.split()) <= 5:
            yield "tuxpaint/" + name, words[0].lower() + words[1:], Image.open(file).convert("RGBA")
    cliparts = unpack("openclipart-png", folder) / "usr/share/openclipart/png"
    for file in sorted(cliparts.rglob("*.png")):
        name = str(file.relative_to(cliparts))
        words = [w for w in re.split(r"[_\W\d]+", file.stem.lower()) if w in KNOWN]
        if name.startswith(tuple(CLIPARTS)) and words:
            yield "openclipart/" + name, ("an " if words[0][0] in "aeiou" else "a ") + words[0], Image.open(file).convert("RGBA")


def pack(items, out, name, resized):
    offset, rows = 0, []
    with open(out / f"{name}.u8.part", "wb") as file:
        for key, caption, picture in items:
            picture = resized(picture)
            if picture is None:
                continue
            pixels = np.asarray(picture)
            rows.append({"name": key, "caption": caption, "offset": offset, "width": picture.width, "height": picture.height})
            file.write(pixels.tobytes())
            offset += pixels.size
    (out / f"{name}.u8.part").rename(out / f"{name}.u8")
    (out / f"{name}.json").write_text(json.dumps(rows, indent=0))
    print(name, len(rows), f"{offset / 1e6:.1f} MB", flush=True)


def photo(picture):
    if picture.width < 1.2 * picture.height:  # the middle of upright ones
        height = round(picture.width / 1.2)
        top = (picture.height - height) // 2
        picture = picture.crop((0, top, picture.width, top + height))
    return picture.resize((PHOTO_WIDTH, round(picture.height * PHOTO_WIDTH / picture.width)), Image.Resampling.LANCZOS)


def cutout(picture):
    box = picture.getchannel("A").point(lambda a: 255 * (a > 16)).getbbox()
    if box is None or (np.asarray(picture.getchannel("A")) < 16).mean() < 0.05:
        return None
    picture = picture.crop(box)
    scale = CUTOUT_SIDE / max(picture.size)
    # With alpha multiplied in, so that hidden colours do not bleed.
    premultiplied = picture.convert("RGBa").resize((max(2, round(picture.width * scale)), max(2, round(picture.height * scale))), Image.Resampling.LANCZOS)
    return premultiplied.convert("RGBA")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--film", type=Path)
    parser.add_argument("--packages", type=Path, help="where packages are kept; OUT/packages")
    a = parser.parse_args()
    packages = a.packages or a.out / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    if a.film and not (a.out / "film.u8").exists():
        width, height = STORED
        part = a.out / "film.u8.part"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-i", str(a.film), "-an", "-vf", f"scale={width}:{height + 1}:flags=area,crop={width}:{height}",
             "-pix_fmt", "rgb24", "-f", "rawvideo", str(part)], check=True)
        part.rename(a.out / "film.u8")
    pack(photos(packages), a.out, "photos", photo)
    pack(cutouts(packages), a.out, "cutouts", cutout)


if __name__ == "__main__":
    main()
