"""Rates of P -> meson l nu from helicity amplitudes, apart from the models' own kernels.

J. G. Koerner, G. A. Schuler, Z. Phys. C 46 (1990) 93; for tensors A. K. Leibovich et al.,
hep-ph/9705467. Form factors (f, g, a_+, a_-) as in `simgen.models.semileptonic`; for scalars
f_+ and f_- are the last two.
"""

from __future__ import annotations

import numpy as np
from scipy import integrate
from weak import boost, two_body

G_F = 1.1663787e-5  # GeV^-2
HBAR = 6.582119569e-25  # GeV s


def momentum(parent, meson, q2):
    """Return |p| of the meson in the rest frame of the parent."""
    return np.sqrt(((parent - meson) ** 2 - q2) * ((parent + meson) ** 2 - q2)) / (2 * parent)


def helicities(parent, meson, q2, form_factors, spin2):
    """Return H_+, H_-, H_0 and H_t (H_+- = 0 for a scalar); + is along the meson."""
    f, g, plus, minus = form_factors
    p, split = momentum(parent, meson, q2), parent**2 - meson**2
    root = np.sqrt(q2)
    if spin2 == 0:
        return 0 * p, 0 * p, 2 * parent * p / root * plus, (split * plus + q2 * minus) / root
    side = 2 * parent * p * g
    zero = ((split - q2) * f + 4 * parent**2 * p**2 * plus) / (2 * meson * root)
    timelike = parent * p / (meson * root) * (f + split * plus + q2 * minus)
    if spin2 == 2:
        return f - side, f + side, zero, timelike
    k = parent * p / meson  # Clebsch-Gordan coefficients of the tensor times e.P
    transverse, longitudinal = k * np.sqrt(1 / 2), k * np.sqrt(2 / 3)
    return (
        transverse * (f - side),
        transverse * (f + side),
        longitudinal * zero,
        (longitudinal * timelike),
    )


def rate(parent, meson, lepton, q2, terms):
    """Return dGamma/dq^2 / |V|^2 in GeV^-1."""
    *spin_one, timelike = terms
    x = lepton**2 / q2
    norm = G_F**2 * momentum(parent, meson, q2) * q2 / (96 * np.pi**3 * parent**2)
    total = sum(h * h for h in spin_one)
    return norm * (1 - x) ** 2 * ((1 + x / 2) * total + 1.5 * x * timelike**2)


def width(parent, meson, lepton, terms_at):
    """Return Gamma / |V|^2 in ps^-1; `terms_at` gives the helicity amplitudes at q^2."""

    def density(q2):
        return rate(parent, meson, lepton, q2, terms_at(q2))

    return integrate.quad(density, lepton**2, (parent - meson) ** 2)[0] / HBAR * 1e-12


def decays(parent, meson, lepton, q2, cosines, azimuth=0.3):
    """Return parent -> meson l nu: meson along z, lepton at cosines to z in the frame of q.

    (n, 4, 4), parent at rest.
    """
    p = momentum(parent, meson, q2)
    sine = np.sqrt(1 - cosines**2)
    n = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosines], axis=1)
    pair = np.tile([0, 0, -p, np.hypot(p, np.sqrt(q2))], (len(n), 1))
    charged, neutral = (boost(k, pair) for k in two_body(np.sqrt(q2), lepton, 0.0, n))
    at_rest = np.tile([0, 0, 0, parent], (len(n), 1))
    recoil = np.tile([0, 0, p, np.hypot(p, meson)], (len(n), 1))
    return np.stack([at_rest, recoil, charged, neutral], axis=1)
