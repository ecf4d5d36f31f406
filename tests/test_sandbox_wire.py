"""The wire: what goes in comes out, and whatever else comes in is refused and nothing worse."""

import itertools
import json
import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.sandbox import wire
from grader.sandbox.wire import Caps, FrameReader, WireError, decode, encode

CAPS = Caps(header_bytes=50_000, payload_bytes=50_000)
QUICK = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))

shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
arrays = st.sampled_from(sorted(wire.DTYPES)).flatmap(lambda name: hnp.arrays(name, shapes))
keys = st.text(st.characters(), max_size=6)
leaves = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=6) | arrays
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys | st.sampled_from(["array", "tuple", "map"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def frame(header: bytes | str, payload: bytes = b"", **lying: int) -> bytes:
    """A frame with a header of our choice, and lengths that may lie."""
    data = header.encode() if isinstance(header, str) else header
    lengths = (lying.get("head", len(data)), lying.get("body", len(payload)))
    return wire.PREFIX.pack(wire.MAGIC, *lengths) + data + payload


def with_arrays(*specs: Any) -> bytes:
    return frame(json.dumps({"tree": None, "arrays": list(specs)}))


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return bool(
            isinstance(other, np.ndarray)
            and one.dtype == other.dtype
            and one.shape == other.shape
            and one.tobytes() == other.tobytes()
        )
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and bool(one == other)


def value_or_wire_error(data: bytes) -> None:
    """Any other exception fails the test by itself."""
    try:
        decode(data, CAPS)
    except WireError:
        pass
    try:
        list(FrameReader(CAPS).feed(data))
    except WireError:
        pass


@QUICK
@given(trees)
def test_a_tree_comes_back_as_it_went(tree: Any) -> None:
    assert same(tree, decode(encode(tree), CAPS))


@pytest.mark.parametrize("number", [0.0, -0.0, 1e-300, float("inf"), float("nan"), np.float64(2)])
def test_a_float_travels_as_an_array_without_axes(number: float) -> None:
    got = decode(encode({"x": number}), CAPS)["x"]
    assert got.shape == () and got.tobytes() == np.float64(number).tobytes()


def test_strides_and_byte_order_do_not_travel() -> None:
    for array in (np.arange(12.0).reshape(3, 4).T[::-1], np.arange(3, dtype=">i4")):
        got = decode(encode(array), CAPS)
        assert got.shape == array.shape and np.array_equal(got, array)
        assert got.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")


def test_arrays_that_come_back_cannot_be_written_to() -> None:
    with pytest.raises(ValueError):
        decode(encode(np.zeros(3)), CAPS)[0] = 1


@pytest.mark.parametrize(
    "value", [1j, {1, 2}, b"bytes", object(), np.array(["a"]), np.zeros(2, "complex128"), range(3)]
)
def test_what_cannot_travel_is_refused_by_the_sender(value: Any) -> None:
    with pytest.raises(WireError, match="expected"):
        encode([value])


@QUICK
@given(trees, st.data())
def test_a_truncated_frame_is_refused(tree: Any, data: st.DataObject) -> None:
    whole = encode(tree)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(WireError):
        decode(whole[:cut], CAPS)
    reader = FrameReader(CAPS)
    assert list(reader.feed(whole[:cut])) == []
    assert reader.idle == (cut == 0)


def test_every_truncation_and_every_bit_flip_of_a_frame_is_refused_or_read() -> None:
    whole = encode({"x": np.arange(3, dtype="int16"), "y": (None, [True, "é", 2**65])})
    for cut in range(len(whole)):
        value_or_wire_error(whole[:cut])
        with pytest.raises(WireError):
            decode(whole[:cut], CAPS)
    for bit in range(8 * len(whole)):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        value_or_wire_error(bytes(changed))


@QUICK
@given(st.binary(max_size=300))
def test_random_bytes_are_refused_or_read(noise: bytes) -> None:
    value_or_wire_error(noise)
    value_or_wire_error(frame(noise))
    value_or_wire_error(frame('{"tree":{"array":0},"arrays":[["int8",[3]]]}', noise))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["array", "tuple", "map", "x"]), inner, max_size=2)
    ),
    max_leaves=10,
)
specs = st.lists(
    st.tuples(
        st.sampled_from([*wire.DTYPES, "object", "complex128"]) | json_values,
        st.lists(st.integers(-2, 2**70) | st.booleans(), max_size=20) | json_values,
    )
    | json_values,
    max_size=3,
)


@settings(QUICK, max_examples=400)
@given(json_values, specs | json_values, st.binary(max_size=64))
def test_headers_of_any_content_are_refused_or_read(tree: Any, arrays: Any, body: bytes) -> None:
    value_or_wire_error(frame(json.dumps({"tree": tree, "arrays": arrays}), body))


@pytest.mark.parametrize(
    "shape",
    [
        [-1],
        [True],
        [1.0],
        ["1"],
        [None],
        [[1]],
        [2**40],
        [2**62],
        [2**64 + 1],
        [10**400],
        [2**32, 2**32],
        [2**39] * 16,
        [0, 2**39, 2**39],
        [2**39, 2**39, 0],
        [0, 2**39, 2**39, 2**39],
        [1] * 17,
        [1] * 5000,
        {"0": 1},
        3,
        None,
        "3",
    ],
    ids=lambda shape: str(shape)[:20],
)
def test_a_shape_that_lies_is_refused(shape: Any) -> None:
    with pytest.raises(WireError, match="expected"):
        decode(with_arrays(["float64", shape]), CAPS)


def test_an_empty_array_keeps_its_other_lengths() -> None:
    assert decode(encode(np.zeros((0, 1000, 3))), CAPS).shape == (0, 1000, 3)


@pytest.mark.parametrize("dtype", ["object", "complex128", "O", "<f8", "float128", "V8", 3, None])
def test_a_dtype_off_the_list_is_refused(dtype: Any) -> None:
    with pytest.raises(WireError, match="dtype"):
        decode(with_arrays([dtype, [0]]), CAPS)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "1",
        "[]",
        "null",
        '{"tree":1}',
        '{"tree":1,"arrays":[],"more":1}',
        '{"tree":1,"tree":2,"arrays":[]}',
        '{"tree":{"map":{"a":1,"a":2}},"arrays":[]}',
        '{"tree":NaN,"arrays":[]}',
        '{"tree":-Infinity,"arrays":[]}',
        '{"tree":1.5,"arrays":[]}',
        '{"tree":1e5,"arrays":[]}',
        '{"tree":' + "9" * 10_000 + ',"arrays":[]}',
        '{"tree":{"array":0},"arrays":[]}',
        '{"tree":{"array":-1},"arrays":[["int8",[0]]]}',
        '{"tree":{"array":true},"arrays":[["int8",[0]],["int8",[0]]]}',
        '{"tree":{"array":0,"tuple":[]},"arrays":[["int8",[0]]]}',
        '{"tree":{"tuple":{}},"arrays":[]}',
        '{"tree":{"map":[]},"arrays":[]}',
        '{"tree":{},"arrays":[]}',
        '{"tree":{"other":1},"arrays":[]}',
        '{"tree":1,"arrays":{}}',
        '{"tree":1,"arrays":[["int8"]]}',
        '{"tree":1,"arrays":[["int8",[1]]]}',
        "\ufeff" + '{"tree":1,"arrays":[]}',
        '{"tree":1,"arrays":[]} x',
        '{"tree":"unended,"arrays":[]}',
        b'{"tree":"\xff","arrays":[]}',
        '{"tree":1,"arrays":[]}'.encode("utf-16"),
        b'{"tree":1,"arrays":[]}\x00',
    ],
    ids=lambda header: str(header)[:36],
)
def test_a_header_that_is_not_strict_is_refused(header: bytes | str) -> None:
    with pytest.raises(WireError, match="expected"):
        decode(frame(header), CAPS)


def test_a_lone_surrogate_is_read_as_text() -> None:
    assert decode(encode({"\udcff": "\ud800"}), CAPS) == {"\udcff": "\ud800"}
    assert decode(frame('{"tree":"\\ud800","arrays":[]}'), CAPS) == "\ud800"


@pytest.mark.parametrize("open_, close", ["[]", ('{"tuple":[', "]}"), ('{"map":{"a":', "}}")])
@pytest.mark.parametrize("depth", [25, 60, 960, 3_000])
def test_a_deep_tree_is_refused_before_it_is_built(open_: str, close: str, depth: int) -> None:
    tree = open_ * depth + "1" + close * depth
    with pytest.raises(WireError, match="deep"):
        decode(frame(f'{{"tree":{tree},"arrays":[]}}'), CAPS)


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_tree_as_deep_as_allowed_comes_back(kind: type) -> None:
    tree: Any = np.float64(1.5)
    for _ in range(wire.MAX_DEPTH):
        tree = kind([tree])
    assert encode(decode(encode(tree), CAPS)) == encode(tree)


@pytest.mark.parametrize("text", ["[" * 500, "}" * 500, '"[{' * 90, '\\"[' * 90, "[\\" * 90])
def test_brackets_within_text_are_text(text: str) -> None:
    assert decode(encode({text: text}), CAPS) == {text: text}


@pytest.mark.parametrize("within", ['"]"', '"]]\\"]"', '"\\\\"'])
def test_brackets_within_text_hide_no_depth(within: str) -> None:
    deep = f"[{within}," * 940 + "1" + "]" * 940
    tree = "[" * 20 + f'{{"a":1,"b":{deep}}}' + "]" * 20
    with pytest.raises(WireError, match="deep"):
        decode(frame(f'{{"tree":{tree},"arrays":[]}}'), CAPS)


@pytest.mark.parametrize("noise", [b'"', b'\\"', b'"\\', b"[", b'{"', b"\\", b"[]"])
def test_headers_of_noise_take_time_in_proportion(noise: bytes) -> None:
    # A quadratic scan of 4 MB would outlast the test's own time limit.
    with pytest.raises(WireError):
        decode(frame(noise * (3_000_000 // len(noise))), Caps())


def test_caps_hold_before_anything_is_allocated() -> None:
    lies = [
        frame(b"{}", head=2**32 - 1),
        frame(b"{}", head=CAPS.header_bytes + 1),
        frame(b"{}", head=0),
        frame(b"{}", body=2**64 - 1),
        frame(b"{}", body=CAPS.payload_bytes + 1),
        with_arrays(["float64", [2**39]]),
        with_arrays(*[["float64", [0]]] * 5, ["float64", [6251]]),
    ]
    tracemalloc.start()
    try:
        for lie in lies:
            with pytest.raises(WireError):
                decode(lie, CAPS)
            with pytest.raises(WireError):
                list(FrameReader(CAPS).feed(lie))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_more_arrays_than_allowed_are_refused() -> None:
    many = ",".join(['["int8",[0]]'] * (wire.MAX_ARRAYS + 1))
    with pytest.raises(WireError, match="at most"):
        decode(frame(f'{{"tree":1,"arrays":[{many}]}}'), Caps())


def test_bytes_that_no_array_claims_are_refused() -> None:
    with pytest.raises(WireError, match="bytes of arrays"):
        decode(frame('{"tree":1,"arrays":[]}', b"x"), CAPS)
    with pytest.raises(WireError, match="bytes"):
        decode(encode(1) + b"x", CAPS)


def test_fits_says_what_a_reader_would() -> None:
    caps = Caps(header_bytes=60, payload_bytes=16)
    for tree in (np.zeros(2), np.zeros(3), "x" * 10, "x" * 60):
        try:
            decode(encode(tree), caps)
            read = True
        except WireError:
            read = False
        assert wire.fits(encode(tree), caps) == read


@QUICK
@given(st.lists(trees, max_size=4), st.data())
def test_any_split_of_a_stream_gives_the_same_frames(sent: list[Any], data: st.DataObject) -> None:
    stream = b"".join(map(encode, sent))
    marks = st.lists(st.integers(0, len(stream)), max_size=6)
    cuts = [0, *sorted(data.draw(marks)), len(stream)]
    reader = FrameReader(CAPS)
    got = [tree for low, high in itertools.pairwise(cuts) for tree in reader.feed(stream[low:high])]
    assert len(got) == len(sent) and all(map(same, sent, got))
    assert reader.idle


def test_a_stream_byte_by_byte_gives_the_same_frames() -> None:
    sent = [{"x": np.arange(4.0)}, None, ("a", [1])]
    reader = FrameReader(CAPS)
    stream = b"".join(map(encode, sent))
    got = [tree for at in range(len(stream)) for tree in reader.feed(stream[at : at + 1])]
    assert len(got) == 3 and all(map(same, sent, got))


@example(b"SGF2", 10, 0)
@example(b"SGF1", 1, 0)
@example(b"SGF1", 50_001, 0)
@example(b"SGF1", 10, 50_001)
@QUICK
@given(st.binary(min_size=4, max_size=4), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1))
def test_a_reader_refuses_a_frame_by_its_first_16_bytes(magic: bytes, head: int, body: int) -> None:
    prefix = struct.pack(">4sIQ", magic, head, body)
    reader = FrameReader(CAPS)
    assert list(reader.feed(prefix[:15])) == []
    good = magic == wire.MAGIC and 2 <= head <= 50_000 and body <= 50_000
    if good:
        assert list(reader.feed(prefix[15:])) == []
        return
    with pytest.raises(WireError) as first:
        list(reader.feed(prefix[15:]))
    with pytest.raises(WireError):  # and says so again, while the first refusal is still held
        list(reader.feed(b"more"))
    assert first.value.args


def test_frames_before_a_bad_one_are_given_out() -> None:
    got = []
    with pytest.raises(WireError):
        for tree in FrameReader(CAPS).feed(encode(1) + encode(2) + b"garbage, and more of it"):
            got.append(tree)
    assert got == [1, 2]
