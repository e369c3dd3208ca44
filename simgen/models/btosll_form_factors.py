"""Form factors of B -> P, V l l from light-cone sum rules, by set and meson.

Sets and their references are in `simgen.models.btosll`. Rows are (0, F(0), c_1, c_2, c_3) for
F(0) exp(c_1 s + c_2 s^2 + c_3 s^3), (1, F(0), a, b) for F(0)/(1 - a s + b s^2), and
(2, r_1, m_1^2, r_2, m_2^2, square) for r_1/(1 - q^2/m_1^2) + r_2/(1 - q^2/m_2^2)^(1 or 2), GeV^2.
Pseudoscalars have f_+, f_0, f_T; vectors V, A_0, A_1, A_2, T_1, T_2, T_3 (set 6: T_3~).
T_2(0) of set 6 is shifted by 0.001 where needed for T_2(0) = T_3~(0), without which T_3 has a pole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from simgen.particles import ParticleData

Row: TypeAlias = tuple[float, ...]
SETS = "1 and 6 of pi, eta, rho, omega; 1, 2, 6 of K, K*; 6 of B_s -> K*, phi"


def _exp(f: float, c1: float, c2: float, c3: float = 0.0) -> Row:
    return (0.0, f, c1, c2, c3)


def _ratio(f: float, a: float, b: float) -> Row:
    return (1.0, f, a, b)


def _poles(r1: float, m1: float, r2: float, m2: float, *, square: bool = False) -> Row:
    return (2.0, r1, m1, r2, m2, float(square))


def _pole(r: float, m2: float) -> Row:
    return _poles(0.0, 1e6, r, m2)


def _double(r1: float, r2: float, m2: float) -> Row:
    return _poles(r1, m2, r2, m2, square=True)


_B2, _B_STAR2 = 5.28**2, 5.32**2

_PI_1 = (_ratio(0.261, 2.03, 1.293), _ratio(0.261, 0.27, -0.752), _ratio(0.296, 1.28, 0.193))
_RHO_1 = (
    _ratio(0.338, 1.37, 0.315),
    _ratio(0.372, 1.40, 0.437),
    _ratio(0.261, 0.29, -0.415),
    _ratio(0.223, 0.93, -0.092),
    _ratio(0.285, 1.41, 0.361),
    _ratio(0.285, 0.28, -0.500),
    _ratio(0.202, 1.06, -0.076),
)

# By set, then by meson: B's for all but those with the parent B_s.
_ROWS: dict[tuple[int, str], tuple[Row, ...]] = {
    (1, "K"): (
        _exp(0.278, 1.568, 0.470, 0.885),
        _exp(0.278, 0.740, 0.080, 0.425),
        _exp(0.300, 1.600, 0.501, 0.796),
    ),
    (2, "K"): (
        _exp(0.319, 1.465, 0.372, 0.782),
        _exp(0.319, 0.633, -0.095, 0.591),
        _exp(0.355, 1.478, 0.373, 0.700),
    ),
    (6, "K"): (
        _double(0.1616, 0.1730, 29.30),
        _pole(0.3302, 37.46),
        _double(0.1614, 0.1981, 29.30),
    ),
    (1, "pi"): _PI_1,
    (1, "eta"): _PI_1,
    (6, "pi"): (
        _poles(0.744, _B_STAR2, -0.486, 40.73),
        _pole(0.258, 33.81),
        _poles(1.387, _B_STAR2, -1.134, 32.22),
    ),
    (6, "eta"): (
        _double(0.1220, 0.1553, 28.40),
        _pole(0.2734, 31.03),
        _double(0.1108, 0.1752, 28.40),
    ),
    (1, "K*"): (
        _exp(0.399, 1.537, 1.123),
        _exp(0.412, 1.543, 0.954),
        _exp(0.294, 0.656, 0.456),
        _exp(0.246, 1.237, 0.822),
        _exp(0.334, 1.575, 1.140),
        _exp(0.334, 0.562, 0.481),
        _exp(0.234, 1.230, 1.089),
    ),
    (2, "K*"): (
        _exp(0.457, 1.482, 1.015),
        _exp(0.471, 1.505, 0.710),
        _exp(0.337, 0.602, 0.258),
        _exp(0.282, 1.172, 0.567),
        _exp(0.379, 1.519, 1.030),
        _exp(0.379, 0.517, 0.426),
        _exp(0.260, 1.129, 1.128),
    ),
    (6, "K*"): (
        _poles(0.923, _B_STAR2, -0.511, 49.40),
        _poles(1.364, _B2, -0.990, 36.78),
        _pole(0.290, 40.38),
        _double(-0.084, 0.342, 52.00),
        _poles(0.823, _B_STAR2, -0.491, 46.31),
        _pole(0.332, 41.41),
        _double(-0.036, 0.368, 48.10),
    ),
    (1, "rho"): _RHO_1,
    (1, "omega"): _RHO_1,
    (6, "rho"): (
        _poles(1.045, _B_STAR2, -0.721, 38.34),
        _poles(1.527, _B2, -1.220, 33.36),
        _pole(0.240, 37.51),
        _double(0.009, 0.212, 40.82),
        _poles(0.897, _B_STAR2, -0.629, 38.04),
        _pole(0.268, 38.59),
        _double(0.022, 0.246, 40.88),
    ),
    (6, "omega"): (
        _poles(1.006, _B_STAR2, -0.713, 37.45),
        _poles(1.321, _B2, -1.040, 34.47),
        _pole(0.217, 37.01),
        _double(0.006, 0.192, 41.24),
        _poles(0.865, _B_STAR2, -0.622, 37.19),
        _pole(0.243, 37.95),
        _double(0.023, 0.220, 40.87),
    ),
    (6, "B_s K*"): (
        _poles(2.351, 5.42**2, -2.039, 33.10),
        _poles(2.813, 5.37**2, -2.509, 31.58),
        _pole(0.231, 32.94),
        _double(-0.011, 0.192, 40.14),
        _poles(2.047, 5.42**2, -1.787, 32.83),
        _pole(0.260, 33.01),
        _double(0.043, 0.217, 39.38),
    ),
    (6, "B_s phi"): (
        _poles(1.484, _B_STAR2, -1.049, 39.52),
        _poles(3.310, _B2, -2.835, 31.57),
        _pole(0.308, 36.54),
        _double(-0.054, 0.288, 48.94),
        _poles(1.303, _B_STAR2, -0.954, 38.28),
        _pole(0.348, 37.21),
        _double(0.027, 0.321, 45.56),
    ),
}
_MESONS = {
    **dict.fromkeys((321, 311, 310, 130), "K"),
    **dict.fromkeys((211, 111), "pi"),
    **dict.fromkeys((221, 331), "eta"),
    **dict.fromkeys((323, 313), "K*"),
    **dict.fromkeys((213, 113), "rho"),
    223: "omega",
    333: "phi",
}
_TO_DOWN = ("pi", "eta", "rho", "omega", "B_s K*")
_B, _B_S = (511, 521), 531


def form_factor_rows(
    parent: ParticleData, meson: ParticleData, which: int
) -> tuple[bool, tuple[Row, ...]] | None:
    """Return whether the transition is b -> d, and its form factors; None if there are none."""
    name = _transition(parent, meson)
    rows = None if name is None else _ROWS.get((which, name))
    return None if rows is None else (name in _TO_DOWN, rows)


def common_form_factor_rows(
    parent: ParticleData, meson: ParticleData
) -> tuple[bool, tuple[Row, ...]] | None:
    """Return the same for BTOSLLALI: set 1 of K and K* for every scalar and vector meson."""
    name = _transition(parent, meson)
    rows = _ROWS[1, "K*" if meson.spin2 > 0 else "K"]
    return None if name is None else (name in _TO_DOWN, rows)


def _transition(parent: ParticleData, meson: ParticleData) -> str | None:
    """Return the name of a transition in the tables, None for other particles."""
    name = _MESONS.get(abs(meson.pdgid))
    if name is None:
        return None
    if abs(parent.pdgid) == _B_S:
        return f"B_s {name}"
    return name if abs(parent.pdgid) in _B else None
