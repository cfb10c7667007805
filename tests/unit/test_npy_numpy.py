"""numpy as the judge of our .npy: it loads what we write with equal values, dtype, shape and offsets, and would have written
the same bytes; we read what it writes."""

import ctypes
import io
import os
import pathlib
import subprocess

import numpy as np
import pytest

BUILD = pathlib.Path(os.environ.get("WEIR_BUILD", pathlib.Path(__file__).parents[2] / "build")).resolve()
PROGRAM = BUILD / "tests" / "npy"

# The C structs of npy.c again: numpy's own idea of a C compiler's alignment gives the offsets.
POINT = np.dtype([("x", "f8"), ("y", "f8")], align=True)
MIXED = np.dtype(
    [
        ("tag", "i1"),
        ("rate", "f8"),
        ("yes", "?"),
        ("counts", "i2", (3,)),
        ("at", POINT, (2, 1)),
        ("city", "S6"),
        ("names", "S4", (2,)),
        ("grid", "f4", (2, 3)),
        ("color", "i4"),
        ("last", "u1"),
    ],
    align=True,
)
OUTER = np.dtype([("id", "i4"), ("inner", MIXED), ("wide", np.longdouble), ("end", "i1")], align=True)


def mixed(i):
    return (97, 0.5 + i, True, [1, -2, i], [[(1.5, i)], [(-1.5, 2)]], b"Oslo", [b"ab", b"cdef"],
            [[1, 2, 3], [4, 5, -6.25]], -1, 255)


EXPECTED = {
    "int8": np.int8(-128),
    "int16": np.int16(-32768),
    "int32": np.int32(-(2**31)),
    "int64": np.int64(-(2**63)),
    "uint8": np.uint8(255),
    "uint16": np.uint16(65535),
    "uint32": np.uint32(2**32 - 1),
    "uint64": np.uint64(2**64 - 1),
    "float32": np.float32(0.1),
    "float64": np.float64(0.1),
    "longdouble": np.longdouble(1) / 3,
    "nan": np.float64("nan"),
    "bool": np.bool_(True),
    "char": np.int8(65),
    "enum": np.int32(-1),
    "empty": np.zeros(0),
    "one": np.zeros(1),
    "cube": np.arange(24).reshape(2, 3, 4) * 0.5,
    "flat_cube": np.zeros((2, 0, 4)),
    "chars": np.frombuffer(b"ab\0\xffef", np.int8).reshape(2, 3),
    "text": np.bytes_("grüß".encode()),
    "no_text": np.ndarray((), "S0"),
    "nested": np.array((7, mixed(9), -2.5, ord("z")), OUTER),
    "structs": np.array([mixed(i) for i in range(3)], MIXED),
    "no_structs": np.zeros(0, MIXED),
    "point": np.array((1, 2), POINT),
}


@pytest.fixture(scope="module")
def emitted(tmp_path_factory):
    assert PROGRAM.exists(), f"{PROGRAM} is not built: run make unit-programs"
    folder = tmp_path_factory.mktemp("npy")
    subprocess.run([PROGRAM, "--emit", folder], check=True)
    return folder


def offsets(dtype):
    """Names, offsets and types below a dtype, padding left out."""
    if dtype.subdtype:
        return (dtype.shape, offsets(dtype.base))
    if dtype.names is None:
        return dtype.str
    return [(n, dtype.fields[n][1], offsets(dtype.fields[n][0])) for n in dtype.names if dtype.fields[n][0].kind != "V"
            or dtype.fields[n][0].names or dtype.fields[n][0].subdtype], dtype.itemsize


def same(a, b):
    """Equal member by member, NaN equal to NaN."""
    if a.dtype.names is None:
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return all(same(a[n], b[n]) for n in b.dtype.names)


def test_every_case_has_a_file(emitted):
    assert sorted(p.stem for p in emitted.iterdir()) == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_numpy_loads_equal_value_type_shape_and_offsets(emitted, name):
    got, want = np.load(emitted / f"{name}.npy"), np.asarray(EXPECTED[name])
    assert got.shape == want.shape
    assert offsets(got.dtype) == offsets(want.dtype)
    assert same(got, want)


@pytest.mark.parametrize("name", EXPECTED)
def test_numpy_would_have_written_the_same_bytes(emitted, name):
    path = emitted / f"{name}.npy"
    again = io.BytesIO()
    np.save(again, np.load(path))
    assert again.getvalue() == path.read_bytes()


@pytest.mark.parametrize("name", EXPECTED)
def test_the_payload_is_aligned(emitted, name):
    with open(emitted / f"{name}.npy", "rb") as f:
        np.lib.format.read_magic(f)
        np.lib.format.read_array_header_1_0(f)
        assert f.tell() % 64 == 0


def test_padding_is_zero(emitted):
    raw = np.load(emitted / "structs.npy").tobytes()
    data = np.zeros(MIXED.itemsize, bool)

    def mark(dtype, at):
        for n in dtype.names:
            field, offset = dtype.fields[n][:2]
            data[at + offset : at + offset + field.itemsize] = True

    mark(MIXED, 0)
    holes = [i for i in range(MIXED.itemsize) if not data[i]]
    assert holes and all(raw[k * MIXED.itemsize + i] == 0 for k in range(3) for i in holes)


def test_ctypes_has_the_same_layout():
    class Point(ctypes.Structure):
        _fields_ = [("x", ctypes.c_double), ("y", ctypes.c_double)]

    class Mixed(ctypes.Structure):
        _fields_ = [("tag", ctypes.c_char), ("rate", ctypes.c_double), ("yes", ctypes.c_bool), ("counts", ctypes.c_short * 3),
                    ("at", Point * 1 * 2), ("city", ctypes.c_char * 6), ("names", ctypes.c_char * 4 * 2),
                    ("grid", ctypes.c_float * 3 * 2), ("color", ctypes.c_int), ("last", ctypes.c_ubyte)]

    assert ctypes.sizeof(Mixed) == MIXED.itemsize
    for n in MIXED.names:
        assert getattr(Mixed, n).offset == MIXED.fields[n][1]


def shown(tmp_path, array, **options):
    np.save(tmp_path / "x.npy", array, **options)
    return subprocess.run([PROGRAM, "--show", tmp_path / "x.npy"], check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.mark.parametrize(
    ("array", "value"),
    [
        (np.float64(0.1), "0.1"),
        (np.float32(0.1), "0.1"),
        (np.longdouble(2), "2.0"),
        (np.longdouble(1) / 3, "0.33333333333333333334"),
        (np.longdouble("0.1"), "0.1"),
        (np.arange(3), "{0, 1, 2}"),
        (np.array([True, False]), "{true, false}"),
        (np.array(b"text"), '"text"'),
        (np.array([b"a", b"bc"]), '{"a", "bc"}'),
        (np.zeros((2, 2), "u1"), "{{0, 0}, {0, 0}}"),
        (np.zeros((0, 3)), "{}"),
        (np.array((1, 2), POINT), "{.x = 1.0, .y = 2.0}"),
        (np.array([(1, 2)], np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8]})),
         "{{.a = 1, .b = 2.0}}"),
        (np.array((3, "x"), [("größe", "i4"), ("s", "S3")]), '{.größe = 3, .s = "x"}'),
    ],
)
def test_we_read_what_numpy_writes(tmp_path, array, value):
    assert shown(tmp_path, array)[1] == value


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([1], ">i4"), "type '>i4' is big endian: save it with .astype(dtype.newbyteorder('<'))"),
        (np.array([1j]), "type '<c16' has no C type here: save .real and .imag apart, or .view('f8')"),
        (np.array(["text"]), "type '<U4' has no C type here: save text as bytes, .astype('S')"),
        (np.array([None]), "type '|O' has no C type here: Python objects can't be read"),
        (np.asfortranarray(np.ones((2, 2))), "the array is in Fortran order: save it as numpy.ascontiguousarray(x)"),
        (np.array(["2020-01-01"], "M8[D]"), "type '<M8[D]' has no C type here"),
    ],
)
def test_what_we_cannot_read_says_why(tmp_path, array, message):
    assert shown(tmp_path, array, allow_pickle=True) == [message]
