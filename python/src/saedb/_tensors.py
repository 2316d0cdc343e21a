"""Tensors of PyTorch, NumPy, JAX or Arrow, handed to the extension without a file.

They go as the bytes of a safetensors file, in parts, in the types in which they are
stored: the extension reads bfloat16 itself. Nothing of the mathematics is here.
"""

from __future__ import annotations

import json
import struct
import uuid
from typing import Any, Iterator, Mapping

from duckdb import DuckDBPyConnection

PART = 16 << 20  # bytes

#: Types by their names in NumPy and PyTorch.
DTYPES = {"float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16"}


class Bytes:
    """A tensor's type, shape, and contiguous little-endian bytes."""

    def __init__(self, name: str, tensor: Any) -> None:
        module = type(tensor).__module__.split(".")[0]
        if module == "torch":
            self.dtype, self.shape, self.data = from_torch(name, tensor)
        else:
            self.dtype, self.shape, self.data = from_numpy(name, from_arrow(tensor) if module == "pyarrow" else tensor)


def from_torch(name: str, tensor: Any) -> tuple[str, list[int], memoryview]:
    import torch

    dtype = str(tensor.dtype).removeprefix("torch.")
    if dtype not in DTYPES:
        raise TypeError(f"{name}: expected one of {', '.join(DTYPES)}, found {dtype}")
    if tensor.device.type == "meta":
        raise TypeError(f"{name}: the tensor has no values, it is on the device meta; load the model's weights first")
    flat = tensor.detach().to("cpu").contiguous().reshape(-1)
    return DTYPES[dtype], list(tensor.shape), memoryview(flat.view(torch.uint8).numpy())


def from_numpy(name: str, tensor: Any) -> tuple[str, list[int], memoryview]:
    import numpy

    array = numpy.asarray(tensor)
    if array.dtype.name not in DTYPES:
        raise TypeError(f"{name}: expected one of {', '.join(DTYPES)}, found {array.dtype}")
    array = numpy.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return DTYPES[array.dtype.name], list(array.shape), array.reshape(-1).view(numpy.uint8).data


def from_arrow(array: Any) -> Any:
    """Fixed-size lists of Arrow as a matrix."""
    import pyarrow

    if isinstance(array, pyarrow.ChunkedArray):
        array = array.combine_chunks()
    if not pyarrow.types.is_fixed_size_list(array.type):
        return array.to_numpy(zero_copy_only=False)
    return array.flatten().to_numpy(zero_copy_only=False).reshape(len(array), array.type.list_size)


def parts(tensors: Mapping[str, Any]) -> Iterator[bytes]:
    """The bytes of a safetensors file of these tensors, in parts."""
    converted = {name: Bytes(name, tensor) for name, tensor in tensors.items()}
    header, end = {}, 0
    for name, tensor in converted.items():
        begin, end = end, end + tensor.data.nbytes
        header[name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    yield struct.pack("<Q", len(text)) + text
    for tensor in converted.values():
        for begin in range(0, tensor.data.nbytes, PART):
            yield bytes(tensor.data[begin : begin + PART])


def hand_over(con: DuckDBPyConnection, tensors: Mapping[str, Any]) -> str:
    """Gives tensors to the extension and returns the handle that a procedure takes them by."""
    handle, offset = uuid.uuid4().hex, 0
    try:
        for part in parts(tensors):
            con.execute("SELECT saedb_hand_over(?, ?, ?)", [handle, offset, part]).fetchall()
            offset += len(part)
    except BaseException:
        con.execute("SELECT saedb_hand_over(?, -1, ''::BLOB)", [handle]).fetchall()
        raise
    return handle


def kind_of(value: Any) -> str:
    """The class of an object, as it is recorded as the source of a load."""
    return f"{type(value).__module__}.{type(value).__qualname__}"
