"""Hand arrays to many small kernels without counting references."""

from __future__ import annotations

from typing import Any

from numba.core.types import voidptr
from numba.extending import intrinsic


@intrinsic  # type: ignore[untyped-decorator]
def borrowed(typing_context: Any, array: Any) -> Any:  # noqa: ARG001
    """Return the same array without ownership of its memory.

    Every kernel that gets an owned array counts a reference up and down again, atomically: 15 %
    of the time of an event. The memory must be kept by the original array, which holds where the
    original is an argument of the kernel that borrows it.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        view.meminfo = context.get_constant_null(voidptr)
        return view._getvalue()

    return array(array), codegen
