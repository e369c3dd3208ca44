"""Memory that somebody else keeps, as an array inside a kernel."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array


def make_view(context: Any, builder: Any, array_type: Any, memory: Any, shape: list[Any]) -> Any:
    """Return the value of a C-ordered two-dimensional array over `memory`, for an intrinsic."""
    array = context.make_array(array_type)(context, builder)
    item = context.get_abi_sizeof(context.get_data_type(array_type.dtype))
    itemsize = ir.Constant(ir.IntType(64), item)
    row = builder.mul(shape[1], itemsize)
    pointer = builder.bitcast(memory, array.data.type)
    populate_array(array, pointer, shape, [row, itemsize], itemsize, None)
    return array._getvalue()


@intrinsic  # type: ignore[untyped-decorator]
def view(typing_context: Any, pointer: Any, n: Any, columns: Any) -> Any:  # noqa: ARG001
    """Return the array (n, columns) behind a pointer; somebody else keeps its memory.

    Of what the pointer points to, float64 if it does not say. As `numba.carray`, which does not
    compile in a `simgen.jit.lean_kernel`.
    """
    item = pointer.dtype if isinstance(pointer, types.CPointer) else types.float64

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return make_view(context, builder, signature.return_type, arguments[0], arguments[1:])

    return types.Array(item, 2, "C")(pointer, types.int64, types.int64), codegen
