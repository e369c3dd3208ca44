"""Mesons of the ISGW2 model: quark masses, wave functions and averaged masses, in GeV.

Values of D. Scora, N. Isgur, Phys. Rev. D 52 (1995) 2783, tables I and II (and for B_s, from the
same model) as EvtGen has them, so that decay files mean the same here. Some are not what the quark
content says: m_q is light in D_s -> eta, eta', strange in B_s -> K, K* and D_s -> K*; the averaged
mass of D_s -> K is that of rho and pi. Of the P waves the narrow doublet is called 1P1 and 3P2, the
broad one 3P0 and 3P1, after PDG numbers: D_1(2420) is 1P1, D_s1(2460) is 3P1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simgen.particles import ParticleData

_LIGHT, _STRANGE, _CHARM, _BOTTOM = 0.33, 0.55, 1.82, 5.2


@dataclass(frozen=True, slots=True)
class QuarkContent:
    """One transition as the quark model sees it.

    Attributes
    ----------
    state
        Spectroscopic name of the meson: 1S0, 3S1, 1P1, 3P0, 3P1, 3P2, 21S0, 23S1.
    m_b, m_q, m_d
        Masses of decaying quark, its product and the spectator.
    beta_b, beta_x
        Sizes of the wave functions.
    mbar_b, mbar_x
        Masses averaged over spin multiplets.
    n_f, n_f_product
        Flavours below the decaying quark, and below its product.
    c_f
        Correction C_f of vectors, 1 for others.
    """

    state: str
    m_b: float
    m_q: float
    m_d: float
    beta_b: float
    beta_x: float
    mbar_b: float
    mbar_x: float
    n_f: int
    n_f_product: int
    c_f: float = 1.0


def _multiplet(vector: float, pseudoscalar: float) -> float:
    """Return the average of an S-wave multiplet."""
    return 0.75 * vector + 0.25 * pseudoscalar


_RHO_PI = _multiplet(0.770, 0.14)
_K_K = _multiplet(0.892, 0.49767)
_LIGHT_P = (3.0 * 1.23 + 0.98 + 5.0 * 1.32 + 3.0 * 1.26) / 12.0
_LIGHT_2S = _multiplet(1.45, 1.300)
_STRANGE_P = (3.0 * 1.27 + 1.43 + 5.0 * 1.43 + 3.0 * 1.4) / 12.0

# Parents: mass of the decaying quark, of the spectator, beta, averaged mass, n_f.
_PARENTS = {
    511: (_BOTTOM, _LIGHT, 0.431, 5.31, 4),
    521: (_BOTTOM, _LIGHT, 0.431, 5.31, 4),
    531: (_BOTTOM, _STRANGE, 0.54, 5.38, 4),
    411: (_CHARM, _LIGHT, 0.45, 1.963, 3),
    421: (_CHARM, _LIGHT, 0.45, 1.963, 3),
    431: (_CHARM, _STRANGE, 0.56, 1.968, 3),
}
_FAMILY = {511: "B", 521: "B", 531: "B_s", 411: "D", 421: "D", 431: "D_s"}
_PRODUCT_FLAVOURS = {_LIGHT: 0, _STRANGE: 2, _CHARM: 3}

# By parent, flavour of the meson, and state: m_q, beta_X, averaged mass, C_f.
_LIGHT_STATES = {
    "1S0": (_LIGHT, 0.406, _RHO_PI, 1.0),
    "1P1": (_LIGHT, 0.275, _LIGHT_P, 1.0),
    "3P0": (_LIGHT, 0.275, _LIGHT_P, 1.0),
    "3P1": (_LIGHT, 0.275, _LIGHT_P, 1.0),
    "3P2": (_LIGHT, 0.275, _LIGHT_P, 1.0),
    "21S0": (_LIGHT, 0.406, _LIGHT_2S, 1.0),
}
_STRANGE_WAVES = dict.fromkeys(("1P1", "3P0", "3P1", "3P2"), (_STRANGE, 0.3, _STRANGE_P, 1.0))
_STATES: dict[tuple[str, str], dict[str, tuple[float, float, float, float]]] = {
    ("B", "light"): {
        **_LIGHT_STATES,
        "3S1": (_LIGHT, 0.299, _RHO_PI, 0.905),
        "23S1": (_LIGHT, 0.299, _LIGHT_2S, 0.776),
    },
    ("B", "charm"): {
        "1S0": (_CHARM, 0.45, _multiplet(2.01, 1.87), 1.0),
        "3S1": (_CHARM, 0.38, _multiplet(2.01, 1.87), 0.989),
        "1P1": (_CHARM, 0.33, (5.0 * 2.46 + 3.0 * 2.42) / 8.0, 1.0),
        "3P2": (_CHARM, 0.33, (5.0 * 2.46 + 3.0 * 2.42) / 8.0, 1.0),
        "3P0": (_CHARM, 0.33, (3.0 * 2.49 + 2.40) / 4.0, 1.0),
        "3P1": (_CHARM, 0.33, (3.0 * 2.49 + 2.40) / 4.0, 1.0),
        "21S0": (_CHARM, 0.45, _multiplet(2.64, 2.58), 1.0),
        "23S1": (_CHARM, 0.38, _multiplet(2.64, 2.58), 0.929),
    },
    ("B_s", "charm"): {
        "1S0": (_CHARM, 0.56, _multiplet(2.11, 1.97), 1.0),
        "3S1": (_CHARM, 0.49, _multiplet(2.11, 1.97), 0.984),
        "1P1": (_CHARM, 0.41, (5.0 * 2.61 + 3.0 * 2.54) / 8.0, 1.0),
        "3P2": (_CHARM, 0.41, (5.0 * 2.61 + 3.0 * 2.54) / 8.0, 1.0),
        "3P0": (_CHARM, 0.41, (3.0 * 2.54 + 2.46) / 4.0, 1.0),
        "3P1": (_CHARM, 0.41, (3.0 * 2.54 + 2.46) / 4.0, 1.0),
    },
    ("B_s", "strange"): {
        "1S0": (_STRANGE, 0.44, _K_K, 1.0),
        "3S1": (_STRANGE, 0.33, _K_K, 0.928),
        **_STRANGE_WAVES,
    },
    ("D", "light"): {
        **_LIGHT_STATES,
        "3S1": (_LIGHT, 0.299, _RHO_PI, 0.889),
        "23S1": (_LIGHT, 0.299, _LIGHT_2S, 0.740),
    },
    ("D", "strange"): {
        "1S0": (_STRANGE, 0.44, _K_K, 1.0),
        "3S1": (_STRANGE, 0.33, _K_K, 0.928),
        **_STRANGE_WAVES,
    },
    ("D_s", "strange"): {
        "1S0": (_LIGHT, 0.44, _RHO_PI, 1.0),
        "3S1": (_STRANGE, 0.33, 0.87, 0.8731),
        "3P0": (_LIGHT, 0.30, _LIGHT_P, 1.0),
    },
    ("D_s", "light"): {
        "1S0": (_LIGHT, 0.53, _K_K, 1.0),
        "3S1": (_STRANGE, 0.37, 0.97, 0.911),
        "3P0": (_STRANGE, 0.33, _STRANGE_P, 1.0),
    },
}

# By 2 J + 1, the L digit and the n digit of the PDG numbering scheme.
_SPECTROSCOPY = {
    (1, 0, 0): "1S0",
    (1, 1, 0): "3P0",
    (1, 0, 1): "21S0",
    (3, 0, 0): "3S1",
    (3, 1, 0): "1P1",
    (3, 2, 0): "3P1",
    (3, 0, 1): "23S1",
    (5, 0, 0): "3P2",
}
_K_SHORT, _K_LONG = 310, 130
_PHI, _OMEGA = 333, 223
# a_0(980), f_0(980), which have numbers apart
_NEW_SCALARS = {9000111, 9000211, 9010221}


def quark_content(parent: ParticleData, meson: ParticleData) -> QuarkContent | None:
    """Return what the quark model needs of a transition, or None if it is not in its tables."""
    family = _FAMILY.get(abs(parent.pdgid))
    state = _state(abs(meson.pdgid))
    flavour = _flavour(abs(meson.pdgid))
    if family is None or state is None or flavour is None:
        return None
    if family == "D_s" and flavour == "light" and abs(meson.pdgid) == _OMEGA:
        return None  # it has no strange quarks
    if family in ("B", "D") and abs(meson.pdgid) == _PHI:
        return None
    found = _STATES.get((family, flavour), {}).get(state)
    if found is None:
        return None
    m_b, m_d, beta_b, mbar_b, n_f = _PARENTS[abs(parent.pdgid)]
    m_q, beta_x, mbar_x, c_f = found
    if family == "B" and state in ("21S0", "23S1"):
        mbar_b = _multiplet(5.325, 5.279)
    return QuarkContent(
        state, m_b, m_q, m_d, beta_b, beta_x, mbar_b, mbar_x, n_f, _PRODUCT_FLAVOURS[m_q], c_f
    )


def _state(number: int) -> str | None:
    """Return the spectroscopic name that a PDG number says."""
    if number in _NEW_SCALARS:
        return "3P0"
    if number in (_K_SHORT, _K_LONG):
        return "1S0"
    return _SPECTROSCOPY.get((number % 10, number // 10000 % 10, number // 100000))


def _flavour(number: int) -> str | None:
    """Return the flavour of a meson: its heaviest quark, unless hidden."""
    if number == _K_LONG:
        return "strange"
    first, second = number // 100 % 10, number // 10 % 10
    if first == second:  # hidden flavour: pi0, eta, phi
        return "light" if first in (1, 2, 3) else None
    return {2: "light", 3: "strange", 4: "charm"}.get(first)
