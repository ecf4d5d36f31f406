"""Arrays and JSON as one frame of bytes, and back, trusting nothing that is read.

A frame is

    magic "SGF1" | header length u32 | payload length u64 | header | payload

in big-endian order. The header is strict JSON, {"tree": ..., "arrays": [[dtype, shape], ...]}; the
payload is the arrays' raw little-endian bytes in that order. In the tree an array is
{"array": index} and a tuple is {"tuple": [...]}; a mapping travels as {"map": {...}}, so that no
key of a mapping can be taken for either. Floats never stand in the JSON (it has no NaN): they
travel as arrays without axes.

Imported by both sides of the boundary: stdlib and NumPy only.
"""

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"SGF1"
PREFIX = struct.Struct(">4sIQ")
DTYPES = {
    name: np.dtype(name).newbyteorder("<")
    for name in ("float64", "float32", "int64", "int32", "int16", "int8", "uint8", "bool")
}
NAMES = {np.dtype(name): name for name in DTYPES}
"""A dtype's own attribute takes longer to make its name than an array takes to travel."""
MAX_AXES = 16
MAX_DEPTH = 24
MAX_ARRAYS = 100_000


class WireError(ValueError):
    """Bytes that are no frame: what was expected and what came, in text that can be written."""

    def __init__(self, said: str):
        # A forged header may hold half a character (\\ud800), which no report can hold.
        super().__init__(said.encode("utf-8", "replace").decode())


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that a reader allocates for one frame."""

    header_bytes: int = 4_000_000
    """Bytes of JSON."""
    payload_bytes: int = 64_000_000
    """Bytes of arrays."""


def encode(tree: Any) -> bytes:
    """One frame holding `tree`: None, bool, int, str, float, arrays, lists, tuples, mappings.

    Raises:
        WireError: a value of another type, or a dtype that is not on the list.
    """
    arrays: list[NDArray[Any]] = []
    packed = _pack(tree, arrays)
    dtypes = [_dtype_name(array) for array in arrays]
    specs = [[name, list(array.shape)] for name, array in zip(dtypes, arrays, strict=True)]
    header = ENCODER.encode({"tree": packed, "arrays": specs}).encode()
    payload = b"".join(
        np.ascontiguousarray(array, DTYPES[name]).tobytes()
        for array, name in zip(arrays, dtypes, strict=True)
    )
    return PREFIX.pack(MAGIC, len(header), len(payload)) + header + payload


def fits(frame: bytes, caps: Caps) -> bool:
    """Whether a reader with these caps takes a frame of this size."""
    _, header_bytes, payload_bytes = PREFIX.unpack_from(frame)
    return bool(header_bytes <= caps.header_bytes and payload_bytes <= caps.payload_bytes)


def decode(frame: bytes | memoryview, caps: Caps) -> Any:
    """The tree of exactly one frame; its arrays are read-only views of `frame`.

    Raises:
        WireError: anything but one whole, well-formed frame within `caps`.
    """
    view = memoryview(frame)
    if len(view) < PREFIX.size:
        raise WireError(f"expected a frame of at least {PREFIX.size} bytes, got {len(view)}")
    header_bytes, payload_bytes = _sizes(bytes(view[: PREFIX.size]), caps)
    if len(view) != PREFIX.size + header_bytes + payload_bytes:
        raise WireError(
            f"expected {PREFIX.size + header_bytes + payload_bytes} bytes, got {len(view)}"
        )
    payload = view[PREFIX.size + header_bytes :]
    try:
        header = _header(bytes(view[PREFIX.size : PREFIX.size + header_bytes]))
        return _unpack(header["tree"], list(_arrays(header["arrays"], payload)))
    except RecursionError as error:
        raise WireError(f"expected a tree at most {MAX_DEPTH} deep") from error


class FrameReader:
    """Cuts a stream into frames; refuses a frame by its first 16 bytes, before it is stored."""

    def __init__(self, caps: Caps):
        self._caps = caps
        self._buffer = bytearray()
        self._expected = PREFIX.size

    def feed(self, data: bytes) -> Iterator[Any]:
        """The trees of every frame that `data` completes.

        Raises:
            WireError: the stream is not made of frames within the caps.
        """
        self._buffer += data
        while len(self._buffer) >= self._expected:
            if self._expected == PREFIX.size:
                header, payload = _sizes(bytes(self._buffer[: PREFIX.size]), self._caps)
                self._expected = PREFIX.size + header + payload
                continue
            with memoryview(self._buffer) as view:  # a slice of the buffer would be a copy more
                frame = bytes(view[: self._expected])
            del self._buffer[: self._expected]
            self._expected = PREFIX.size
            yield decode(frame, self._caps)

    @property
    def idle(self) -> bool:
        """Whether no frame is half read."""
        return not self._buffer


def _sizes(prefix: bytes, caps: Caps) -> tuple[int, int]:
    magic, header_bytes, payload_bytes = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise WireError(f"expected a frame that begins with {MAGIC!r}, got {magic!r}")
    if not 2 <= header_bytes <= caps.header_bytes:
        raise WireError(f"expected a header of 2 to {caps.header_bytes} bytes, got {header_bytes}")
    if payload_bytes > caps.payload_bytes:
        raise WireError(f"expected at most {caps.payload_bytes} bytes, got {payload_bytes}")
    return header_bytes, payload_bytes


def _header(data: bytes) -> dict[str, Any]:
    try:
        header = DECODER.decode(data.decode())
    except ValueError as error:
        raise WireError(f"expected strict JSON: {error}") from error
    if not isinstance(header, dict) or header.keys() != {"tree", "arrays"}:
        raise WireError("expected a header with the keys tree and arrays")
    return header


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise WireError("expected each key once")
    return result


def _refuse(expected: str) -> Callable[[str], Any]:
    def refuse(text: str) -> Any:
        raise WireError(f"expected {expected}, got {text[:40]}")

    return refuse


ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
DECODER = json.JSONDecoder(
    object_pairs_hook=_distinct,
    parse_constant=_refuse("a number"),
    parse_float=_refuse("an integer"),
)
"""Made once: to make one takes as long as to read a small frame."""


def _arrays(specs: Any, payload: memoryview) -> Iterator[NDArray[Any]]:
    if not isinstance(specs, list) or len(specs) > MAX_ARRAYS:
        raise WireError(f"expected a list of at most {MAX_ARRAYS} arrays")
    offset = 0
    for spec in specs:
        if not (isinstance(spec, list) and len(spec) == 2):
            raise WireError(f"expected [dtype, shape] for each array, got {str(spec)[:80]}")
        name, shape = spec
        if not isinstance(name, str) or name not in DTYPES:
            raise WireError(f"expected a dtype of {', '.join(DTYPES)}, got {str(name)[:40]}")
        nbytes = DTYPES[name].itemsize * _count(shape)
        if offset + nbytes > len(payload):
            raise WireError(f"expected {offset + nbytes} bytes of arrays, got {len(payload)}")
        flat = np.frombuffer(payload[offset : offset + nbytes], DTYPES[name])
        try:
            yield flat.reshape(shape)
        except ValueError as error:
            raise WireError(f"expected a shape that can be held, got {shape}") from error
        offset += nbytes
    if offset != len(payload):
        raise WireError(f"expected {offset} bytes of arrays, got {len(payload)}")


def _count(shape: Any) -> int:
    if not isinstance(shape, list) or len(shape) > MAX_AXES:
        raise WireError(f"expected a shape of at most {MAX_AXES} axes, got {str(shape)[:80]}")
    count = 1
    for length in shape:
        if type(length) is not int or not 0 <= length < 2**40:
            raise WireError(f"expected a length >= 0, got {str(length)[:40]}")
        count *= length
    return count


def _dtype_name(array: NDArray[Any]) -> str:
    name = NAMES.get(array.dtype) or array.dtype.newbyteorder("=").name
    if name not in DTYPES:
        raise WireError(f"expected a dtype of {', '.join(DTYPES)}, got {name}")
    return name


def _pack(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, (float, np.ndarray, np.generic)):
        arrays.append(np.asarray(value))
        return {"array": len(arrays) - 1}
    if isinstance(value, list):
        return [_pack(item, arrays) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_pack(item, arrays) for item in value]}
    if isinstance(value, Mapping):
        return {"map": {str(key): _pack(item, arrays) for key, item in value.items()}}
    raise WireError(f"expected a value that can travel, got {type(value).__name__}")


def _unpack(value: Any, arrays: list[NDArray[Any]], depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        raise WireError(f"expected a tree at most {MAX_DEPTH} deep")
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, list):
        return [_unpack(item, arrays, depth + 1) for item in value]
    if isinstance(value, dict) and len(value) == 1:
        ((kind, content),) = value.items()
        if kind == "array" and type(content) is int and 0 <= content < len(arrays):
            return arrays[content]
        if kind == "tuple" and isinstance(content, list):
            return tuple(_unpack(item, arrays, depth + 1) for item in content)
        if kind == "map" and isinstance(content, dict):
            return {key: _unpack(item, arrays, depth + 1) for key, item in content.items()}
    raise WireError(f"expected an array, a tuple or a map, got {str(value)[:80]}")
