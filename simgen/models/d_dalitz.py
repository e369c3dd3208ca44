"""Amplitudes of the Dalitz plots of D mesons, as measured; see `simgen.models.isobar`.

The modes, their resonances and coefficients are those EvtGen's model D_DALITZ has, each with the
publication it is from. Particles 1, 2, 3 of a mode are the daughters of the D0, D+ or D_s+ in the
order given; a neutral kaon may be any of K0, anti-K0, K_S0, K_L0. The decay of an antiparticle has
the amplitude of its mirror image.
"""

from __future__ import annotations

import cmath
from dataclasses import dataclass, replace
from math import radians, sqrt
from typing import TYPE_CHECKING

from simgen.models.contract import DecayModel, Parameters
from simgen.models.isobar import (
    FLATTE,
    NONRELATIVISTIC,
    POLE,
    Isobar,
    isobar_amplitude,
    pack,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.particles import ParticleData

_D0, _D_PLUS, _DS_PLUS = 421, 411, 431
_K, _PI, _PI_0, _ANY_K0 = 321, 211, 111, 311
_NEUTRAL_KAONS = {311, -311, 310, 130}
_OWN_MIRROR = {111, 310, 130}

_FERMI = 1.0 / 0.197  # 1/GeV


@dataclass(frozen=True, slots=True)
class Mode:
    """One decay and its amplitude.

    Attributes
    ----------
    parent
        PDG number, positive.
    daughters
        PDG numbers of particles 1, 2, 3; `_ANY_K0` for any neutral kaon.
    constant
        (magnitude, phase in degrees) of the part without resonance.
    isobars
        The resonances.
    reference
        Where they were measured.
    """

    parent: int
    daughters: tuple[int, int, int]
    constant: tuple[float, float]
    isobars: tuple[Isobar, ...]
    reference: str

    def numbers(self, order: tuple[int, int, int]) -> tuple[float, ...]:
        """Return the parameters of the amplitude for daughters found in this order."""
        magnitude, phase = self.constant
        return pack(order, cmath.rect(magnitude, radians(phase)), self.isobars)


def _symmetric(*isobars: Isobar, factor: float = 1.0) -> tuple[Isobar, ...]:
    """Return isobars of particles 1 and 2, and the same of 1 and 3, which is identical to 2.

    The pair is written (3, 1): the amplitude of odd spin has the opposite sign there.
    """
    rows: list[Isobar] = []
    for isobar in isobars:
        sign = -1.0 if isobar.spin == 1 else 1.0
        size = factor * isobar.magnitude
        rows.append(replace(isobar, magnitude=size))
        rows.append(replace(isobar, magnitude=sign * size, pair=(3, 1)))
    return tuple(rows)


_MODES = (
    Mode(
        _D_PLUS,
        (-_K, _PI, _PI),
        (7.4, 161.6),
        _symmetric(
            Isobar((1, 2), -1.0, 0.0, 0.896, 0.0503, 1),
            Isobar((1, 2), 3.0, -130.3, 1.463, 0.164, 0),
            Isobar((1, 2), 0.96, 150.1, 1.4324, 0.109, 2),
            Isobar((1, 2), -6.5, 29.0, 1.717, 0.323, 1),
            Isobar((1, 2), 5.01, 16.3, 0.809, 0.470, 0),
            factor=1.0 / sqrt(2.0),
        ),
        "CLEO, PRD 78 (2008) 052001, arXiv:0802.4214",
    ),
    Mode(
        _D_PLUS,
        (_ANY_K0, _PI, _PI_0),
        (0.9522, -106.37),
        (
            Isobar(
                (2, 3), sqrt(0.1512), 0.0, 0.7699, 0.1512, 1,
                POLE, radius=5.0 * _FERMI, parent_radius=0.0,
            ),
            Isobar(
                (3, 1), 0.8695 * sqrt(0.0498), 41.20, 0.89159, 0.0498, 1,
                POLE, radius=2.0 * _FERMI, parent_radius=0.0,
            ),
        ),
        "Mark III, Phys. Lett. B 196 (1987) 107",
    ),
    Mode(
        _D0,
        (_ANY_K0, -_PI, _PI),
        (1.0, 0.0),
        (
            Isobar((1, 2), 1.418, -190.0, 0.89166, 0.0508, 1, POLE),
            Isobar((1, 2), 1.818, -337.0, 1.412, 0.294, 0),
            Isobar((1, 2), 0.909, -5.0, 1.4256, 0.0985, 2, POLE),
            Isobar((1, 2), 5.091, -166.0, 1.717, 0.322, 1, POLE),
            Isobar((1, 3), 0.100, -19.0, 0.89166, 0.0508, 1, POLE),
            Isobar((3, 2), 0.909, -340.0, 0.7693, 0.1502, 1, POLE),
            Isobar((3, 2), 0.0336, -226.0, 0.78257, 0.00844, 1, POLE),
            Isobar((3, 2), 0.309, -152.0, 0.977, 0.05, 0),
            Isobar((3, 2), 1.636, -255.0, 1.31, 0.272, 0),
            Isobar((3, 2), 0.636, -32.0, 1.2754, 0.1851, 2, POLE),
        ),
        "CLEO, PRL 89 (2002) 251802, hep-ex/0207067",
    ),
    Mode(
        _D0,
        (-_K, _PI, _PI_0),
        (1.75, 31.2),
        (
            Isobar((2, 3), 1.0, 0.0, 0.770, 0.1507, 1, POLE),
            Isobar((1, 2), 0.39, -0.2, 0.8961, 0.0505, 1, POLE),
            Isobar((1, 3), 0.44, 163.0, 0.8915, 0.050, 1, POLE),
            Isobar((1, 3), 0.77, 55.5, 1.412, 0.294, 0),
            Isobar((1, 2), 0.85, 166.0, 1.412, 0.294, 0),
            Isobar((2, 3), 2.5, 171.0, 1.700, 0.240, 1, POLE),
            Isobar((1, 3), 2.5, 103.0, 1.717, 0.322, 1, POLE),
        ),
        "CLEO, PRD 63 (2001) 092001, hep-ex/0011065",
    ),
    Mode(
        _D0,
        (_ANY_K0, _K, -_K),
        (1.0, 0.0),
        tuple(
            Isobar(pair, magnitude, phase, mass, width, spin, kind=NONRELATIVISTIC)
            for pair, magnitude, phase, mass, width, spin in (
                ((2, 3), 113.75, -40.0, 1.019456, 0.0043, 1),
                ((2, 3), 152.25, 69.0, 0.9847, 0.1196, 0),
                ((2, 3), 30.5, -201.0, 0.980, 0.05, 0),
                ((1, 2), 85.75, -93.0, 0.9847, 0.1196, 0),
                ((3, 1), 8.0, -53.0, 0.9847, 0.1196, 0),
            )
        ),
        "BaBar, hep-ex/0207089",
    ),
    Mode(
        _DS_PLUS,
        (-_K, _K, _PI),
        (0.0, 0.0),
        (
            Isobar((3, 1), 1.0, 0.0, 0.8944, 0.0455, 1),
            Isobar((3, 1), 1.48, 138.0, 1.414, 0.290, 0),
            Isobar(
                (1, 2), 5.07, 156.0, 0.965, 0.0, 0,
                kind=FLATTE, couplings=((0.1349766, 0.406), (0.493677, 0.800)),
            ),
            Isobar((1, 2), 1.15, -10.0, 1.019455, 0.00426, 1),
            Isobar((1, 2), 1.28, 53.0, 1.350, 0.265, 0),
            Isobar((1, 2), 1.19, 87.0, 1.724, 0.137, 0),
        ),
        "BaBar, PRD 83 (2011) 052001, arXiv:1011.4190",
    ),
    Mode(
        _D_PLUS,
        (-_K, _K, _PI),
        (5.1, 53.0),
        (
            Isobar((3, 1), 1.0, 0.0, 0.8960, 0.0503, 1),
            Isobar((3, 1), 3.7, 73.0, 1.414, 0.290, 0),
            Isobar((1, 2), 1.189, 1.0, 1.019455, 0.00426, 1),
            Isobar((1, 2), 1.72, 123.0, 1.474, 0.265, 0),
            Isobar((1, 2), 1.9, 128.0, 1.68, 0.15, 1),
            Isobar((3, 1), 6.4, 150.0, 1.4324, 0.109, 2),
        ),
        "CLEO, PRD 78 (2008) 072003, fit A, arXiv:0807.4545",
    ),
    Mode(
        _D_PLUS,
        (-_PI, _PI, _K),
        (0.0, 0.0),
        (
            Isobar((1, 2), 1.0, 0.0, 0.775, 0.149, 1),
            Isobar((3, 1), 1.0971, -167.1, 0.896, 0.0487, 1),
            Isobar((1, 2), 0.4738, -134.5, 0.972, 0.059, 0),
            Isobar((3, 1), 2.2688, 54.4, 1.432, 0.109, 2),
        ),
        "FOCUS, Phys. Lett. B 601 (2004) 10, hep-ex/0407014",
    ),
    Mode(
        _DS_PLUS,
        (-_PI, _PI, _K),
        (3.98, 43.1),
        (
            Isobar((1, 2), 1.0, 0.0, 0.775, 0.149, 1),
            Isobar((3, 1), 0.7236, -18.3, 0.896, 0.0487, 1),
            Isobar((3, 1), 2.711, 145.2, 1.414, 0.232, 1),
            Isobar((3, 1), 1.7549, 59.3, 1.425, 0.270, 0),
            Isobar((1, 2), 7.0589, -151.7, 1.465, 0.400, 1),
        ),
        "FOCUS, Phys. Lett. B 601 (2004) 10, hep-ex/0407014",
    ),
    Mode(
        _D_PLUS,
        (-_PI, _PI, _PI),
        (-3.98, 57.3),
        _symmetric(
            Isobar((1, 2), 1.0, 0.0, 0.769, 0.150, 1),
            Isobar((1, 2), 2.2811, 205.7, 0.478, 0.324, 0),
            Isobar((1, 2), 0.4265, 165.0, 0.977, 0.044, 0),
            Isobar((1, 2), 2.0321, 57.3, 1.275, 0.185, 2),
            Isobar((1, 2), 0.7888, 105.4, 1.434, 0.173, 0),
            Isobar((1, 2), 0.7363, 319.1, 1.465, 0.310, 1),
        ),
        "E791, PRL 86 (2001) 770, hep-ex/0007028",
    ),
    Mode(
        _DS_PLUS,
        (-_PI, _PI, _PI),
        (-0.723, 181.0),
        _symmetric(
            Isobar((1, 2), 0.288, 109.0, 0.769, 0.150, 1),
            Isobar((1, 2), 1.0, 0.0, 0.977, 0.044, 0),
            Isobar((1, 2), 1.075, 133.0, 1.275, 0.185, 2),
            Isobar((1, 2), 2.225, 198.0, 1.434, 0.173, 0),
            Isobar((1, 2), 1.107, 162.0, 1.465, 0.310, 1),
        ),
        "E791, PRL 86 (2001) 765, hep-ex/0007027",
    ),
    Mode(
        _D0,
        (-_PI, _PI, _PI_0),
        (0.6087, -11.0),
        (
            Isobar((2, 3), 1.0, 0.0, 0.775, 0.149, 1),
            Isobar((1, 2), 0.6237, 16.2, 0.775, 0.149, 1),
            Isobar((3, 1), 0.7143, -2.0, 0.775, 0.149, 1),
            Isobar((2, 3), 0.2587, -146.0, 1.465, 0.400, 1),
            Isobar((1, 2), 0.4258, 10.0, 1.465, 0.400, 1),
            Isobar((3, 1), 1.043, 16.0, 1.465, 0.400, 1),
            Isobar((2, 3), 4.155, -17.0, 1.720, 0.250, 1),
            Isobar((1, 2), 4.508, -17.0, 1.720, 0.250, 1),
            Isobar((3, 1), 3.670, -50.0, 1.720, 0.250, 1),
            Isobar((1, 2), 0.07289, -59.0, 0.980, 0.07, 0),
            Isobar((1, 2), 0.3186, 156.0, 1.370, 0.350, 0),
            Isobar((1, 2), 0.2075, 12.0, 1.505, 0.109, 0),
            Isobar((1, 2), 0.3823, 51.0, 1.720, 0.135, 0),
            Isobar((1, 2), 0.3878, -171.0, 1.275, 0.185, 2),
            Isobar((1, 2), 0.3249, 8.0, 0.400, 0.600, 0),
        ),
        "BaBar, PRL 99 (2007) 251801, hep-ex/0703037",
    ),
)  # fmt: skip


def _flavour(pdgid: int, *, mirrored: bool) -> int:
    """Return the code of a daughter as the modes write it, of the mirror image if `mirrored`."""
    if pdgid in _NEUTRAL_KAONS:
        return _ANY_K0
    return -pdgid if mirrored and pdgid not in _OWN_MIRROR else pdgid


def find_mode(
    parent: ParticleData, daughters: Sequence[ParticleData]
) -> tuple[Mode, tuple[int, int, int]] | None:
    """Return the mode of a decay, and where its particles 1, 2, 3 are among the daughters.

    Positions count from 1. None if there is no amplitude for this decay.
    """
    found = [_flavour(d.pdgid, mirrored=parent.pdgid < 0) for d in daughters]
    for mode in _MODES:
        if mode.parent == abs(parent.pdgid) and sorted(mode.daughters) == sorted(found):
            left = dict(enumerate(found, start=1))
            order = []
            for code in mode.daughters:
                position = next(i for i, c in left.items() if c == code)
                order.append(position)
                del left[position]
            return mode, (order[0], order[1], order[2])
    return None


class _DDalitz(DecayModel):
    """D_DALITZ: the amplitude is chosen by parent and daughters."""

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay, or return None if it can."""
        found = super().problem(parameters, parent, daughters)
        if found is None and find_mode(parent, daughters) is None:
            return (
                f"{self.name} has no amplitude of this decay. It has those of D0 to K0 pi+ pi-, "
                "K0 K+ K-, K- pi+ pi0, pi+ pi- pi0; D+ to K- pi+ pi+, K0 pi+ pi0, K- K+ pi+, "
                "K+ pi+ pi-, pi+ pi+ pi-; D_s+ to K- K+ pi+, K+ pi+ pi-, pi+ pi+ pi- (K0 any "
                "neutral kaon); and of their mirror images"
            )
        return found

    def prepare(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> tuple[float, ...]:
        """Return the numbers of the mode's amplitude."""
        del parameters  # there are none
        found = find_mode(parent, daughters)
        if found is None:
            msg = f"{self.name}: `problem` has not been asked"
            raise ValueError(msg)
        mode, order = found
        return mode.numbers(order)


D_DALITZ = _DDalitz(
    name="D_DALITZ",
    amplitude=isobar_amplitude,
    reference="EvtGen guide, model D_DALITZ; measurements beside each mode, simgen.models.d_dalitz",
    parent_spin2=0,
    daughter_spins2=(0, 0, 0),
)
