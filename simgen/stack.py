"""A few numbers of working memory inside a kernel, on the stack."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils, errors
from numba.extending import intrinsic

from simgen.view import make_view


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def stack_array(typing_context: Any, n: Any, columns: Any) -> Any:  # noqa: ARG001
    """Return a float64 array (n, columns), both constants, whose entries are not set.

    It is valid until the kernel that asks for it returns, and the same each time it asks in a
    loop. `numpy.empty` in a kernel takes as long as a hundred multiplications.
    """
    if not all(isinstance(each, types.IntegerLiteral) for each in (n, columns)):
        raise errors.RequireLiteralValue("the shape of an array on the stack is constant")
    size = n.literal_value * columns.literal_value

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        memory = cgutils.alloca_once(builder, ir.ArrayType(ir.DoubleType(), size))
        shape = [ir.Constant(ir.IntType(64), each.literal_value) for each in (n, columns)]
        return make_view(context, builder, signature.return_type, memory, shape)

    # The signature has the numbers: numba finds an intrinsic's code by its signature, and would
    # give every shape the memory of the last one that was compiled.
    return types.Array(types.float64, 2, "C")(n, columns), codegen
