r"""The reading of an event as a tau pair, each tau with one track.

All accepted tracks of the event are used, one of either charge: the positive is the prong of the
signal, the negative that of the tag. Each is taken for an electron, else a muon, else a pion; with
`rho: pi_pi0` a pion takes the unused pi0 that makes the mass nearest to the rho's, and of two pions
that want the same photon the nearer has it.

Taus of half the energy of the beams fly apart, and their prongs with them: the cosine between these
in the frame of the beams, of total momentum P, is

.. math::

    \cos\theta = \frac{E_1 E_2 - p_1 \cdot p_2}{|p_1| |p_2|}, \quad
    E_i = \frac{P \cdot p_i}{\sqrt{P^2}}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.combinations import Passed
from detector.reading import (
    N_PARTS,
    Part,
    Reading,
    Selection,
    add_prong,
    clear,
    dot,
    extra_energy,
    nearest_pi0,
    use_pi0,
)
from detector.topology import Role, TauMode
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from detector.event_objects import EventObjects
    from simgen.typing import FloatArray

_N_PARTS, _N_ROLES = N_PARTS, len(Role)
_IDENTIFIED, _MASSES = int(Passed.IDENTIFIED), int(Passed.MASSES)
_E_EXTRA = int(Passed.E_EXTRA)
_ROLE_PRONG, _ROLE_TAG = int(Role.PRONG), int(Role.TAG_LEPTON)
_SCRATCH = len(Role)  # row of momenta that is no object's
_PRONG, _TAG = int(Part.PRONG), int(Part.TAG_LEPTON)
_PRONG_PHOTON, _TAG_PHOTON = int(Part.PRONG_PHOTON), int(Part.TAG_PRONG_PHOTON)
_TAU_E, _TAU_MU, _TAU_PI = int(TauMode.E), int(TauMode.MU), int(TauMode.PI)


@lean_kernel
def read_pair(o: EventObjects, s: Selection, total: FloatArray, best: Reading) -> tuple[int, int]:
    """Read an event of two identified tracks of opposite charge.

    Parameters
    ----------
    o
        What is seen.
    s
        `selection_model` of a configuration.
    total
        (4,) mean momentum of the beams.
    best
        Receives the reading, complete where the event passes `Passed.MASSES`.

    Returns
    -------
    (int, int)
        How far it passes (`Passed`), and 1 if it passes all but E_extra, else 0.
    """
    part, measured = best.part, best.measured
    for j in range(_N_PARTS):
        part[j] = -1
    for r in range(_N_ROLES):
        clear(measured[r])
    part[_PRONG] = 0 if o.charge[0] > 0 else 1
    part[_TAG] = 1 - part[_PRONG]
    prong, tag, both = measured[_ROLE_PRONG], measured[_ROLE_TAG], measured[_SCRATCH]
    mode, tag_mode = add_prong(o, s, part[_PRONG], prong), add_prong(o, s, part[_TAG], tag)
    if s.with_prong_pi0:
        near, its_near = np.inf, np.inf
        if mode == _TAU_PI:
            _, near = nearest_pi0(o, s, prong, part, both)
        if tag_mode == _TAU_PI:
            _, its_near = nearest_pi0(o, s, tag, part, both)
        for turn in range(2):  # the nearer first, the other from what it leaves
            if (its_near < near) == (turn == 0):
                if tag_mode == _TAU_PI:
                    pi0, _ = nearest_pi0(o, s, tag, part, both)
                    if pi0 >= 0:
                        tag_mode = use_pi0(o, pi0, _TAG_PHOTON, part, tag)
            elif mode == _TAU_PI:
                pi0, _ = nearest_pi0(o, s, prong, part, both)
                if pi0 >= 0:
                    mode = use_pi0(o, pi0, _PRONG_PHOTON, part, prong)
    best.prong[0], best.tag_prong[0] = mode, tag_mode
    best.meson[0], best.d_mode[0] = 0, 0
    best.flavour[0] = 11 if tag_mode == _TAU_E else 13 if tag_mode == _TAU_MU else 0
    for x in range(4):
        best.value[x] = np.nan
    if cos_between(prong, tag, total) > s.cos_prongs_max:
        return _IDENTIFIED, 0
    energy = extra_energy(o, s.extra_energy, part)
    best.value[3] = energy
    return (_E_EXTRA if energy <= s.extra_max else _MASSES), 1


@lean_kernel
def cos_between(p: FloatArray, q: FloatArray, total: FloatArray) -> float:
    """Return the cosine between two momenta (4,) in the rest frame of `total` (4,)."""
    root = np.sqrt(dot(total, total))
    e_p, e_q = dot(total, p) / root, dot(total, q) / root
    p2, q2 = e_p * e_p - dot(p, p), e_q * e_q - dot(q, q)
    return float((e_p * e_q - dot(p, q)) / np.sqrt(max(p2 * q2, 1e-300)))
