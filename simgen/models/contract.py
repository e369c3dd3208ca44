"""What a decay model is: a name as in decay files, the spins it serves, and an amplitude.

An amplitude is a plain function that numba compiles to a C function the first time a decay table
uses it, and the decay engine calls through its address. Adding a model compiles that model and
nothing else.

The function is called as ``amplitude(parameters, pdgids, momenta, out)`` with C pointers, read
with `numba.carray`:

- ``parameters``: float64, what `DecayModel.prepare` makes of the values in the decay file;
- ``pdgids``: int64, the parent first, then the daughters in the decay file's order;
- ``momenta``: float64 (1 + n, 4), (px, py, pz, E) in GeV in the parent's rest frame, parent first;
- ``out``: complex128, the amplitude for every combination of spin states, shape
  (parent states, states of daughter 1, ..., states of daughter n), C order. All entries are
  written. Spin states are those of `simgen.spin`.

A model that draws its own kinematics has instead of an amplitude a function
``draw(parameters, masses, stream, momenta) -> int``, compiled and called in the same way:

- ``masses``: float64 (n), of the daughters, GeV. That of the daughter `DecayModel.drawn` is the
  lowest it may have, which the function replaces by the one it draws;
- ``stream``: uint64 (`simgen.random.STATE_SIZE`), the random stream, advanced;
- ``momenta``: float64 (1 + n, 4), as above; those of the daughters are written;
- it returns how many of its trials exceeded a bound, which is reported.

Its daughters are not polarised. What a decay file makes of the drawn daughter can be anything that
is possible at some of its masses.

A model with `DecayModel.oscillation` decays a neutral meson of spin 0 in a superposition
alpha |M0> + beta |anti-M0>: one more row of ``momenta`` holds the real and imaginary parts of
alpha and beta, and the amplitude is alpha A + beta Abar.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numba
from numba import types

from simgen.errors import ModelError

if TYPE_CHECKING:
    from simgen.particles import ParticleData

Amplitude: TypeAlias = Callable[[Any, Any, Any, Any], None]
Draw: TypeAlias = Callable[[Any, Any, Any, Any], int]
Parameters: TypeAlias = Sequence[float | str]

_SIGNATURE = types.void(
    types.CPointer(types.float64),
    types.CPointer(types.int64),
    types.CPointer(types.float64),
    types.CPointer(types.complex128),
)
_DRAW_SIGNATURE = types.int64(
    types.CPointer(types.float64),
    types.CPointer(types.float64),
    types.CPointer(types.uint64),
    types.CPointer(types.float64),
)

_MOST_SHOWN = 600

SPIN_NAMES = {0: "scalar", 1: "spin 1/2", 2: "vector", 3: "spin 3/2", 4: "tensor"}


class Oscillation(NamedTuple):
    """How a neutral meson and its antiparticle mix; signs as in EvtGen's decay files.

    Attributes
    ----------
    dm
        Mass difference, heavy - light, in 1/s.
    dgamma
        Width difference, light - heavy, over the mean width.
    ratio
        q/p.
    z
        CPT violation in mixing.
    """

    dm: float
    dgamma: float = 0.0
    ratio: complex = 1.0
    z: complex = 0.0


class FinalState(NamedTuple):
    """One of the final states a decay model makes: the listed daughters or their conjugates."""

    conjugate: bool
    parameters: tuple[float | str, ...]


@dataclass(frozen=True)
class DecayModel:
    """One decay model.

    Attributes
    ----------
    name
        As written in decay files.
    amplitude
        See the module's docstring; None for pure phase space, where every spin state is equally
        likely and nothing is handed on to the daughters.
    parameters
        Names of the parameters, in order.
    n_required
        How many of them must be given.
    parent_spin2
        Twice the spin of the parent; None for any.
    daughter_spins2
        Twice the spins of the daughters, in order; None for any number of any daughters.
    reference
        Where formula and parameters are defined.
    pole
        If not None, momenta of three daughters are proposed with the density of phase space over
        m^2, m the mass of daughters `pole` and `pole` + 1 (0 or 1 the first), and not uniformly.
        The amplitude then carries a factor m: that of a pair from a virtual photon, 1/m^2, is
        written as 1/m.
    draw
        Draws mass and momenta of the daughters, see the module's docstring; then there is no
        amplitude.
    drawn
        Which daughter's mass it draws, 0 the first.
    """

    name: str
    amplitude: Amplitude | None
    reference: str
    parameters: tuple[str, ...] = ()
    n_required: int = 0
    parent_spin2: int | None = None
    daughter_spins2: tuple[int, ...] | None = None
    pole: int | None = None
    draw: Draw | None = None
    drawn: int = 0

    def serves(self, particles: Sequence[ParticleData]) -> bool:  # noqa: ARG002
        """Say whether the model is implemented for such particles, parent first.

        Base tables use some models for particles they are not implemented for here; such decays
        are treated as those of a missing model.
        """
        return True

    def prepare(
        self,
        parameters: Parameters,
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],  # noqa: ARG002
    ) -> tuple[float, ...]:
        """Return the numbers the amplitude is called with; by default those of the decay file.

        A model that derives constants from its parameters or from the particles of the decay does
        so here, once when a decay table is compiled. `problem` has found nothing.
        """
        return tuple(float(p) for p in parameters)

    def drawn_range(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> tuple[float, float]:
        """Return the limits of the mass that `draw` draws, GeV; by default all there is room for.

        `problem` has found nothing.
        """
        del parameters
        return 0.0, parent.mass - sum(d.mass for i, d in enumerate(daughters) if i != self.drawn)

    def oscillation(self, parameters: Parameters) -> Oscillation | None:  # noqa: ARG002
        """Return how the parent mixes, if its decay time and flavour enter; None otherwise.

        For a model that makes a pair of neutral mesons this is how they mix.
        """
        return None

    def final_states(
        self,
        parameters: Parameters,
        daughters: Sequence[ParticleData],  # noqa: ARG002
    ) -> tuple[FinalState, ...]:
        """Return what a channel makes: the daughters as listed, by default."""
        return (FinalState(conjugate=False, parameters=tuple(parameters)),)

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay, or return None if it can.

        Parameters
        ----------
        parameters
            Values after the model's name in the decay file.
        parent, daughters
            The particles of the decay.
        """
        return self._parameter_problem(parameters) or self._spin_problem(parent, daughters)

    def _parameter_problem(self, parameters: Parameters) -> str | None:
        """Check number and type of the parameters."""
        most = len(self.parameters)
        if not self.n_required <= len(parameters) <= most:
            allowed = str(most) if most == self.n_required else f"{self.n_required} to {most}"
            names = f" ({', '.join(self.parameters)})" if self.parameters else ""
            return f"{self.name} takes {allowed} parameters{names}, found {len(parameters)}"
        for name, value in zip(self.parameters, parameters, strict=False):
            if isinstance(value, str):
                return f"{self.name} takes a number for {name}, found {value!r}"
        return None

    def _spin_problem(self, parent: ParticleData, daughters: Sequence[ParticleData]) -> str | None:
        """Check spins of parent and daughters."""
        if self.parent_spin2 is not None and parent.spin2 != self.parent_spin2:
            return (
                f"{self.name} decays a {SPIN_NAMES[self.parent_spin2]}, but {parent.name} is a "
                f"{SPIN_NAMES.get(parent.spin2, 'higher spin')}"
            )
        if self.daughter_spins2 is None:
            return None
        found = tuple(d.spin2 for d in daughters)
        if found != self.daughter_spins2:
            wanted = ", ".join(SPIN_NAMES[s] for s in self.daughter_spins2)
            given = ", ".join(
                f"{d.name} ({SPIN_NAMES.get(d.spin2, 'higher spin')})" for d in daughters
            )
            return f"{self.name} needs daughters of spin [{wanted}] in this order, found [{given}]"
        return None


def compile_draw(draw: Draw, *, cache: bool = True) -> Any:
    """Return the compiled C function that draws kinematics; see `compile_amplitude`."""
    return _compile(draw, "draw function", _DRAW_SIGNATURE, cache=cache)


def compile_amplitude(amplitude: Amplitude, *, cache: bool = True) -> Any:
    """Return the compiled C function of an amplitude; its ``address`` is what the engine calls.

    The result must be kept alive as long as the address is used.

    Parameters
    ----------
    amplitude
        See the module's docstring.
    cache
        Keep the machine code beside the amplitude's file.

    Raises
    ------
    ModelError
        If numba cannot compile it; the message names the function's file and line.
    """
    return _compile(amplitude, "amplitude", _SIGNATURE, cache=cache)


def _compile(function: Amplitude | Draw, what: str, signature: Any, *, cache: bool) -> Any:
    """Compile a function of a model to a C function; `what` it is, for messages."""
    compiler = numba.cfunc(signature, cache=cache, error_model="numpy")
    try:
        return compiler(function)
    except Exception as error:
        code = function.__code__
        reason = " ".join(line.strip() for line in str(error).splitlines() if line.strip())
        raise ModelError(
            f"{code.co_filename}:{code.co_firstlineno}: the {what} {code.co_name} cannot be "
            f"compiled: {type(error).__name__}: {shorten(reason, _MOST_SHOWN)}"
        ) from error
