"""BaryonPCR: Lambda_b -> Lambda_c l nu in the quark model of Pervin, Roberts and Capstick.

M. Pervin, W. Roberts, S. Capstick, Phys. Rev. C 72 (2005) 035201, nucl-th/0503030. With the
velocities v of the parent and v' of the daughter the currents V - A are, for a daughter of spin and
parity 1/2+, 1/2- and 3/2-,

    ubar  [F_1 gamma_mu + F_2 v_mu + F_3 v'_mu - (G_1 gamma_mu + G_2 v_mu + G_3 v'_mu) gamma_5] u
    ubar  [the same] gamma_5 u
    ubar^a [v_a (the same) + (F_4 - G_4 gamma_5) g_a,mu] u

Form factors are those of the nonrelativistic Hamiltonian with harmonic oscillators: a number, known
when a decay is, times exp(-3 m^2 (w^2 - 1)/(2 alpha^2)) of w = v.v'. An antibaryon's amplitude is
that of the baryon with all momenta reversed (CP), spins kept. Lepton masses are kept.

The four numbers in a decay file are, in EvtGen, a density matrix that it gives the parent in place
of its own; here the parent has the spin it was made with, and they have no effect.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simgen.jit import lean_kernel
from simgen.models.contract import DecayModel, Parameters
from simgen.models.semileptonic import kinematics, lepton_current
from simgen.spin import vector_state
from simgen.spinors import left_current, left_spinor, right_spinor
from simgen.stack import stack_array
from simgen.view import view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.particles import ParticleData

_HALF, _Z = 1, 2
_EVEN, _ODD, _HIGHER = 0, 1, 2  # 1/2+, 1/2-, 3/2-
# Quark masses, GeV: b, c and light; size of the Lambda_b, 1/GeV (their table of the HONR model).
_BOTTOM, _CHARM, _LIGHT, _SIZE = 5.28, 1.89, 0.40, 0.59


class _Daughter(NamedTuple):
    """What the quark model knows of a daughter: its kind and the size of its wave function."""

    kind: int
    size: float


_PARENT = "Lambda_b0"
_DAUGHTERS = {
    "Lambda_c+": _Daughter(_EVEN, 0.55),
    "Lambda_c(2593)+": _Daughter(_ODD, 0.47),
    "Lambda_c(2625)+": _Daughter(_HIGHER, 0.47),
}


def form_factors(kind: int, size: float) -> tuple[tuple[float, ...], float]:
    """Return F_1 to F_4 and G_1 to G_4 at w = 1, and what multiplies w^2 - 1 in the exponent.

    Their appendix. In F_2 of 3/2- the power of the parent's size is that of G_2, with which F_2 is
    of no dimension; EvtGen has its square.
    """
    a, m, mq, mb = _SIZE, _LIGHT, _CHARM, _BOTTOM
    a2, b2 = a * a, size * size
    mean = 0.5 * (a2 + b2)
    both = a2 * b2 / (mean * mq * mb)
    final, initial = m * b2 / (mean * mq), m * a2 / (mean * mb)  # 1/m_c and 1/m_b
    overlap = a * size / mean
    if kind == _EVEN:
        scale = overlap**1.5
        f = (1.0 + final + initial, -final + both / 4.0, -initial, 0.0)
        g = (
            1.0 - both / 12.0,
            -final - both / 12.0 * (1.0 + 12.0 * m * m / mean),
            initial + m * m * both / mean,
            0.0,
        )
    elif kind == _ODD:
        scale = overlap**2.5
        mixed = m * a * (3.0 * a2 - 2.0 * b2) / (6.0 * mq * mb * mean)
        f_3 = 2.0 * m * initial / a
        f = (
            a / 6.0 * (3.0 / mq - 1.0 / mb),
            -2.0 * m / a + a / (2.0 * mq) - f_3 + mixed,
            f_3,
            0.0,
        )
        g = (
            2.0 * m / a - a / (6.0 * mb) + mixed,
            -2.0 * m / a + a / (2.0 * mq) + a / (3.0 * mb),
            a / (3.0 * mb) - mixed,
            0.0,
        )
    else:
        scale = -math.sqrt(1.0 / 3.0) * overlap**2.5
        lead, light = 3.0 * m / a, m * a * b2 / (mean * mq * mb)
        f = (
            lead * (1.0 + final + initial),
            -lead * final + 1.25 * light,
            -lead * initial - a / (2.0 * mb),
            a / mb,
        )
        g = (
            lead - a / (2.0 * mb) - 0.75 * light,
            -lead * final - light / 4.0 * (1.0 + 12.0 * m * m / mean),
            a / (2.0 * mb) + lead * initial + light * (1.0 + 6.0 * m * m / mean),
            -a / mb - light,
        )
    return tuple(scale * each for each in (*f, *g)), 1.5 * m * m / mean


@lean_kernel
def _current(c: Any, v: Any, left: float, size: float, i: int, spinors: Any) -> Any:
    """Return (x, y, z, t) of the current of a parent at rest, without the terms of g_a,mu.

    And the products R'^dagger L and L'^dagger R of the spinors, of which those terms are made.

    Parameters
    ----------
    c
        (8,) F and G.
    v
        (4,) four-velocity (x, y, z, t) of the daughter.
    left
        1, or -1 where gamma_5 stands before the parent's spinor.
    size
        The root of the parent's mass, its spinors' size.
    i
        Spin state of the parent.
    spinors
        The two components of the daughter's left spinor, and of its right spinor.
    """
    l0, l1, r0, r1 = spinors
    up, down = complex(size * (1.0 - i)), complex(size * i)
    lx, ly, lz, lt = left_current(l0, l1, left * up, left * down)
    rx, ry, rz, rt = left_current(r0, r1, up, down)  # with signs in space a right-handed current
    right_left = left * (r0.conjugate() * up + r1.conjugate() * down)
    left_right = l0.conjugate() * up + l1.conjugate() * down
    f, g = 0.5 * (c[0] + c[4]), 0.5 * (c[0] - c[4])
    parent = (c[1] + c[5]) * right_left + (c[1] - c[5]) * left_right
    daughter = (c[2] + c[6]) * right_left + (c[2] - c[6]) * left_right
    return (
        f * lx - g * rx + daughter * v[0],
        f * ly - g * ry + daughter * v[1],
        f * lz - g * rz + daughter * v[2],
        f * lt + g * rt + daughter * v[3] + parent,
        right_left,
        left_right,
    )


@lean_kernel
def _contract(current: Any, lepton: Any) -> Any:
    """Return the product of the baryons' current with a lepton current, both (x, y, z, t)."""
    return (
        current[3] * lepton[3]
        - current[0] * lepton[0]
        - current[1] * lepton[1]
        - current[2] * lepton[2]
    )


@lean_kernel
def _share(axis: int, s: int, j: int) -> complex:
    """Return <3/2, m|vector along axis, spin s>, m = 3/2 - j: Clebsch-Gordan coefficients.

    Vectors of components +-1 are -+(x +- i y)/sqrt(2); <1 m' 1/2 s|3/2 m> as in the PDG's table.
    """
    component = 1 - j + s  # of the vector that makes m with spin 1/2 - s
    if component == 0:
        return complex(np.sqrt(2.0 / 3.0) if axis == _Z else 0.0)
    if abs(component) > 1 or axis == _Z:
        return complex(0.0)
    size = np.sqrt(0.5) if abs(2 * j - 3) == 3 else np.sqrt(1.0 / 6.0)  # |m| = 3/2 or 1/2
    return complex(-component * size) if axis == 0 else complex(0.0, size)


@lean_kernel
def _write_half(c: Any, p: Any, masses: Any, odd: bool, a: Any) -> None:
    """Write the amplitude for a daughter of spin 1/2 to (8, 1), see `baryon_amplitude`."""
    parent, baryon, lepton = masses
    left, v = (-1.0 if odd else 1.0), stack_array(1, 4)[0]
    for k in range(4):
        v[k] = p[1, k] / baryon
    leptons = lepton_current(p, lepton, 0, False), lepton_current(p, lepton, 1, False)
    for j in range(2):
        spinors = _spinors(p, baryon, j)
        for i in range(2):
            current = _current(c, v, left, np.sqrt(parent), i, spinors)
            for k in range(2):
                a[(2 * i + j) * 2 + k, 0] = _contract(current, leptons[k])


@lean_kernel
def _spinors(p: Any, mass: float, s: int) -> tuple[complex, complex, complex, complex]:
    """Return left and right spinor of the baryon in row 1."""
    l0, l1 = left_spinor(p[1, 0], p[1, 1], p[1, 2], p[1, 3], mass, s, False)
    r0, r1 = right_spinor(p[1, 0], p[1, 1], p[1, 2], p[1, 3], mass, s, False)
    return l0, l1, r0, r1


@lean_kernel
def _write_three_halves(c: Any, p: Any, masses: Any, a: Any) -> None:
    """Write the amplitude for a daughter of spin 3/2 to (16, 1), see `baryon_amplitude`.

    Its spinor is the sum over axes and spins of <axis, spin|3/2, m> e^a(axis) u(spin).
    """
    parent, baryon, lepton = masses
    v = stack_array(1, 4)[0]
    for k in range(4):
        v[k] = p[1, k] / baryon
    leptons = lepton_current(p, lepton, 0, False), lepton_current(p, lepton, 1, False)
    for n in range(16):
        a[n, 0] = 0.0
    for axis in range(3):
        ex, ey, ez, et = vector_state(p[1, 0], p[1, 1], p[1, 2], p[1, 3], baryon, axis)
        for s in range(2):
            spinors = _spinors(p, baryon, s)
            for i in range(2):
                x, y, z, t, right_left, left_right = _current(
                    c, v, 1.0, np.sqrt(parent), i, spinors
                )
                metric = (c[3] + c[7]) * right_left + (c[3] - c[7]) * left_right
                current = (
                    et * x + metric * ex,
                    et * y + metric * ey,
                    et * z + metric * ez,
                    et * t + metric * et,
                )
                for k in range(2):
                    value = _contract(current, leptons[k])
                    for j in range(4):
                        a[(4 * i + j) * 2 + k, 0] += _share(axis, s, j) * value


@lean_kernel
def _write_amplitude(parameters: Any, ids: Any, given: Any, out: Any) -> None:
    """Write the amplitude of an event, reversing the momenta of an antibaryon."""
    p, c = stack_array(4, 4), stack_array(1, 8)[0]
    sign = 1.0 if ids[0, 0] > 0 else -1.0
    for row in range(4):
        for k in range(3):
            p[row, k] = sign * given[row, k]
        p[row, 3] = given[row, 3]
    baryon, lepton, _ = kinematics(p)
    w = p[1, 3] / baryon
    fall = np.exp(-parameters[0, 1] * (w * w - 1.0))
    for k in range(8):
        c[k] = parameters[0, 2 + k] * fall
    masses, kind = (p[0, 3], baryon, lepton), parameters[0, 0]
    if kind == _HIGHER:
        _write_three_halves(c, p, masses, view(out, 16, 1))
    else:
        _write_half(c, p, masses, kind == _ODD, view(out, 8, 1))


def baryon_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    """Lambda_b -> Lambda_c(*) l nu: the baryons' current times that of the leptons."""
    _write_amplitude(view(parameters, 1, 10), view(pdgids, 1, 4), view(momenta, 4, 4), out)


def _baryon(particle: ParticleData) -> str:
    """Return the name of a baryon or, of an antibaryon, of its antiparticle."""
    return particle.name if particle.pdgid > 0 else particle.anti_name


class _QuarkModel(DecayModel):
    """BaryonPCR, which knows its baryons by name."""

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        found = self._parameter_problem(parameters)
        if found is not None:
            return found
        known = len(daughters) == 3 and _baryon(daughters[0]) in _DAUGHTERS
        if not known or _baryon(parent) != _PARENT or parent.pdgid * daughters[0].pdgid < 0:
            return (
                f"{self.name} decays {_PARENT} to {', '.join(_DAUGHTERS)}, a lepton and a "
                f"neutrino, found {parent.name} to {' '.join(d.name for d in daughters)}"
            )
        if [d.spin2 for d in daughters[1:]] != [_HALF, _HALF]:
            return f"{self.name} needs a lepton and a neutrino after {daughters[0].name}"
        return None

    def prepare(
        self,
        parameters: Parameters,  # noqa: ARG002
        parent: ParticleData,  # noqa: ARG002
        daughters: Sequence[ParticleData],
    ) -> tuple[float, ...]:
        """Return kind, slope, and the form factors at w = 1."""
        kind, size = _DAUGHTERS[_baryon(daughters[0])]
        values, slope = form_factors(kind, size)
        return (float(kind), slope, *values)


BARYONPCR = _QuarkModel(
    name="BaryonPCR",
    amplitude=baryon_amplitude,
    reference="M. Pervin, W. Roberts, S. Capstick, PRC 72 (2005) 035201, nucl-th/0503030",
    parameters=tuple(f"unused {n}" for n in range(1, 5)),
    n_required=4,
    parent_spin2=_HALF,
)
