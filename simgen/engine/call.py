"""Call a compiled amplitude and reach a table through their addresses, from inside a kernel."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _call(builder: Any, result: Any, arguments: Any) -> Any:
    """Call the function at the first argument with the others, pointers given as integers."""
    pointer = ir.IntType(8).as_pointer()
    function = ir.FunctionType(result, [pointer] * (len(arguments) - 1))
    callee = builder.inttoptr(arguments[0], function.as_pointer())
    return builder.call(callee, [builder.inttoptr(a, pointer) for a in arguments[1:]])


@intrinsic  # type: ignore[untyped-decorator]
def call_amplitude(
    typing_context: Any,  # noqa: ARG001
    address: Any,  # noqa: ARG001
    parameters: Any,  # noqa: ARG001
    pdgids: Any,  # noqa: ARG001
    momenta: Any,  # noqa: ARG001
    out: Any,  # noqa: ARG001
) -> Any:
    """Call the C function at `address` with four pointers, all given as integers.

    The arrays behind the pointers must be alive until the call returns, which holds for arrays
    that are read or written again afterwards. See `simgen.models.contract` for their contents.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        _call(builder, ir.VoidType(), arguments)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 5), codegen


@intrinsic  # type: ignore[untyped-decorator]
def call_draw(
    typing_context: Any,  # noqa: ARG001
    address: Any,  # noqa: ARG001
    parameters: Any,  # noqa: ARG001
    masses: Any,  # noqa: ARG001
    stream: Any,  # noqa: ARG001
    momenta: Any,  # noqa: ARG001
) -> Any:
    """Call the C function at `address` that draws kinematics; see `call_amplitude`.

    Returns how many trials exceeded a bound.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return _call(builder, ir.IntType(64), arguments)

    return types.int64(*[types.intp] * 5), codegen


@intrinsic  # type: ignore[untyped-decorator]
def as_pointer(typing_context: Any, address: Any) -> Any:  # noqa: ARG001
    """Return an address, an integer, as a pointer that `numba.carray` takes.

    The memory must be kept by somebody else as long as the pointer is used.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(address), codegen
