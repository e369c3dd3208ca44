r"""The likelihood of measured vertices for given momenta of the two parents.

A parent of momentum P and mass M that lives the proper time :math:`\tau` flies :math:`s g` with
:math:`g = P / M` and :math:`s = c \tau`, and s is exponential with mean :math:`c \tau_0`. With
Gaussian errors on :math:`r_0`, :math:`r_{sig}`, :math:`r_{tag}` the true :math:`r_0` integrates
out; with :math:`W_i = C_i^{-1}` and :math:`V = (W_0 + W_{sig} + W_{tag})^{-1}` what remains of
chi^2 for the residuals :math:`a = r_{sig} - r_0 - s g` and :math:`b = r_{tag} - r_0 - u h` is

.. math::

    \chi^2 = a^T (W_{sig} - W_{sig} V W_{sig}) a + b^T (W_{tag} - W_{tag} V W_{tag}) b
             - 2 a^T W_{sig} V W_{tag} b .

The error of :math:`r_0` is common to both and drops out as it should. The likelihood is the
integral of :math:`\exp(-\chi^2 / 2 - (s + u) / c \tau_0)` over s, u >= 0: in closed form over
one of the two, by Gauss-Legendre quadrature over the other. Nothing divides by a flight length,
so flights shorter than the resolution need no care.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from m2solve.vectors import as_vectors
from simgen.errors import InputArrayError
from simgen.jit import lean_kernel
from simgen.stack import stack_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from simgen.typing import FloatArray

# The integrand is followed until it has fallen by exp(-DROP) from its maximum.
DROP = 12.0
N_NODES = 12
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(N_NODES)
# A weight so much below the largest is what rounding has left of none.
_NOTHING = 1e-9
# Below this argument the normal distribution's tail is taken from its asymptotic series.
TAIL = -15.0


@dataclass(frozen=True)
class Vertices:
    """Measured vertices in mm, lab frame; make one with `Vertices.measured`.

    Attributes
    ----------
    flight_sig, flight_tag : (n, 3) arrays
        r_sig - r_0 and r_tag - r_0; the second has no rows where no tag vertex was measured.
    weight_sig, weight_tag, weight_cross : (n, 3, 3) or (1, 3, 3) arrays
        The three matrices of chi^2, in 1/mm^2.
    c_tau : float
        Mean proper decay length in mm.
    """

    flight_sig: FloatArray
    flight_tag: FloatArray
    weight_sig: FloatArray
    weight_tag: FloatArray
    weight_cross: FloatArray
    c_tau: float

    @classmethod
    def measured(
        cls,
        r_0: ArrayLike,
        r_sig: ArrayLike,
        r_tag: ArrayLike | None = None,
        *,
        error_0: ArrayLike,
        error_sig: ArrayLike,
        error_tag: ArrayLike | None = None,
        c_tau: float,
        flight_prior: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> Vertices:
        """Collect measured positions and their errors.

        Parameters
        ----------
        r_0, r_sig, r_tag : (n, 3) arrays
            Primary vertex and decay vertices of the parents in mm; without `r_tag` only the
            signal side's is used.
        error_0, error_sig, error_tag : (3,), (3, 3) or (n, 3, 3) arrays
            Standard deviations along x, y, z in mm, or covariance matrices in mm^2.
        c_tau : float
            Mean proper decay length of the parents in mm (B+: 0.491).
        flight_prior : (3,) or (n, 3), and (3, 3) or (n, 3, 3) arrays
            Mean in mm and covariance in mm^2 of the flight from `r_0` to which `r_sig` and
            `r_tag` were constrained when they were fitted. The likelihood knows of `r_0` and the
            flight itself, so the constraint is taken out again.

        Raises
        ------
        InputArrayError
            If a shape is wrong, a covariance is not positive definite, only one of `r_tag` and
            `error_tag` is given, or `c_tau` is not positive.
        """
        origin = as_vectors("r_0", r_0, 3)
        n = len(origin)
        flight_sig = _flight("r_sig", r_sig, origin)
        c_0 = _covariance("error_0", error_0, n)
        c_sig = _covariance("error_sig", error_sig, n)
        if not (np.isfinite(c_tau) and c_tau > 0.0):
            raise InputArrayError(f"c_tau = {c_tau} mm; it must be positive")
        if (r_tag is None) != (error_tag is None):
            raise InputArrayError("r_tag and error_tag belong together, but one was given")
        w_0, w_sig = _inverse(c_0), _inverse(c_sig)
        if flight_prior is not None:
            prior = _prior(flight_prior, c_0, n)
            flight_sig, w_sig = _without_prior(flight_sig, w_sig, *prior)
        if r_tag is None or error_tag is None:
            nothing = np.zeros((1, 3, 3))
            weight = _inverse(c_0 + c_sig)
            if flight_prior is not None:
                weight = np.ascontiguousarray(w_sig - w_sig @ _inverse(w_0 + w_sig) @ w_sig)
            return cls(flight_sig, np.empty((0, 3)), weight, nothing, nothing, float(c_tau))
        flight_tag = _flight("r_tag", r_tag, origin)
        c_tag = _covariance("error_tag", error_tag, n)
        w_tag = _inverse(c_tag)
        if flight_prior is not None:
            flight_tag, w_tag = _without_prior(flight_tag, w_tag, *prior)
        v = _inverse(w_0 + w_sig + w_tag)
        return cls(
            flight_sig,
            flight_tag,
            np.ascontiguousarray(w_sig - w_sig @ v @ w_sig),
            np.ascontiguousarray(w_tag - w_tag @ v @ w_tag),
            np.ascontiguousarray(w_sig @ v @ w_tag),
            float(c_tau),
        )

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.flight_sig)


def _flight(name: str, value: ArrayLike, origin: FloatArray) -> FloatArray:
    """Return the vectors from `origin` to a vertex."""
    vertex = as_vectors(name, value, 3)
    if len(vertex) != len(origin):
        raise InputArrayError(f"{name} has {len(vertex)} rows, but r_0 has {len(origin)}")
    return np.asarray(vertex - origin)


def _covariance(name: str, value: ArrayLike, n: int) -> FloatArray:
    """Return covariances (1, 3, 3) or (n, 3, 3) from any of the allowed forms."""
    array = np.asarray(value, dtype=np.float64)
    if array.shape == (3,):
        array = np.diag(array**2)
    if array.shape == (3, 3):
        array = array[np.newaxis]
    if array.shape not in {(1, 3, 3), (n, 3, 3)}:
        raise InputArrayError(
            f"{name} has shape {array.shape}; it must be (3,), (3, 3) or ({n}, 3, 3)"
        )
    if not np.all(np.isfinite(array)):
        row = int(np.argmax(~np.isfinite(array).all(axis=(1, 2))))
        raise InputArrayError(f"{name} is not finite in row {row}")
    lowest = np.linalg.eigvalsh(array)[:, 0]
    if np.any(lowest <= 0.0):
        raise InputArrayError(
            f"{name} is not positive definite in row {int(np.argmax(lowest <= 0.0))}"
        )
    return array


def _prior(
    flight_prior: tuple[ArrayLike, ArrayLike], c_0: FloatArray, n: int
) -> tuple[FloatArray, FloatArray]:
    """Return means (n, 3) and weights of flights measured from an r_0 with covariance `c_0`."""
    mean = np.asarray(flight_prior[0], dtype=np.float64)
    if mean.shape not in {(3,), (1, 3), (n, 3)}:
        raise InputArrayError(
            f"flight_prior: the mean has shape {mean.shape}; it must be (3,) or ({n}, 3)"
        )
    if not np.all(np.isfinite(mean)):
        raise InputArrayError("flight_prior: the mean is not finite")
    weight = _inverse(_covariance("flight_prior", flight_prior[1], n) + c_0)
    return np.broadcast_to(mean, (n, 3)), weight


def _without_prior(
    flight: FloatArray, weight: FloatArray, mean: FloatArray, prior: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return flights and weights without a constraint to `mean` of weight `prior`.

    With W = W_t + W_p and W f = W_t f_t + W_p m. W_t may be singular, as that of a single track
    is; what f_t is along its null space does not matter.
    """
    tracks = weight - prior
    told = _applied(weight, flight) - _applied(prior, mean)
    inverse = np.linalg.pinv(tracks, rcond=_NOTHING, hermitian=True)
    return _applied(np.asarray(inverse, dtype=np.float64), told), tracks


def _applied(matrices: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return matrices (n, 3, 3) or (1, 3, 3) times vectors (n, 3)."""
    product: FloatArray = (matrices @ vectors[:, :, np.newaxis])[:, :, 0]
    return product


def _inverse(matrices: FloatArray) -> FloatArray:
    """Return the inverses of matrices (n, 3, 3)."""
    return np.ascontiguousarray(np.linalg.inv(matrices), dtype=np.float64)


@lean_kernel
def log_likelihood(
    gx: float,
    gy: float,
    gz: float,
    hx: float,
    hy: float,
    hz: float,
    flight_sig: FloatArray,
    flight_tag: FloatArray,
    weight_sig: FloatArray,
    weight_tag: FloatArray,
    weight_cross: FloatArray,
    rate: float,
    with_tag: bool,
) -> float:
    """Return the logarithm of the likelihood, up to a term that does not depend on g and h.

    Parameters
    ----------
    gx, gy, gz, hx, hy, hz : float
        P / M of the signal and the tag parent in the lab.
    flight_sig, flight_tag, weight_sig, weight_tag, weight_cross : arrays
        The rows of `Vertices` of this event.
    rate : float
        1 / c_tau in 1/mm.
    with_tag : bool
        Whether there is a tag vertex.
    """
    g, h, d, e = (gx, gy, gz), (hx, hy, hz), flight_sig, flight_tag
    aa, la = 0.0, -rate
    bb, lb, ab = 0.0, -rate, 0.0
    for i in range(3):
        for j in range(3):
            aa += g[i] * weight_sig[i, j] * g[j]
            la += g[i] * weight_sig[i, j] * d[j]
            if with_tag:
                bb += h[i] * weight_tag[i, j] * h[j]
                ab -= g[i] * weight_cross[i, j] * h[j]
                la -= g[i] * weight_cross[i, j] * e[j]
                lb += h[i] * weight_tag[i, j] * e[j] - d[i] * weight_cross[i, j] * h[j]
    if not with_tag:
        # exp(-aa s^2 / 2 + la s) over s >= 0
        return log_half_line(la, aa)
    return log_quadrant(aa, ab, bb, la, lb)


@lean_kernel
def log_mills(z: float) -> float:
    """Return log(exp(z^2 / 2) Phi(z)), Phi the normal distribution function."""
    if z > TAIL:
        return 0.5 * z * z + math.log(0.5 * math.erfc(-z * math.sqrt(0.5)))
    y = 1.0 / (z * z)
    series = 1.0 - y * (1.0 - 3.0 * y * (1.0 - 5.0 * y))
    return math.log(series / -z) - 0.5 * math.log(2.0 * math.pi)


@lean_kernel
def log_half_line(slope: float, curvature: float) -> float:
    """Return log of the integral of exp(-curvature s^2 / 2 + slope s) over s >= 0."""
    return log_mills(slope / math.sqrt(curvature)) + 0.5 * math.log(2.0 * math.pi / curvature)


@lean_kernel
def log_quadrant(aa: float, ab: float, bb: float, la: float, lb: float) -> float:
    """Return log of the integral of exp(-chi^2 / 2) over s, u >= 0.

    chi^2 = aa s^2 + 2 ab s u + bb u^2 - 2 la s - 2 lb u
    """
    root = math.sqrt(bb)
    # Range of s: where the integrand lives if u is free, and if u = 0.
    low_a, high_a = _range(la, aa)
    low_b, high_b = _range(la - ab * lb / bb, aa - ab * ab / bb)
    low, high = min(low_a, low_b), max(high_a, high_b)
    half, middle = 0.5 * (high - low), 0.5 * (high + low)
    top = -math.inf
    terms = stack_array(1, N_NODES)[0]
    for i in range(N_NODES):
        s = middle + half * NODES[i]
        terms[i] = la * s - 0.5 * aa * s * s + log_mills((lb - ab * s) / root)
        top = max(top, terms[i])
    total = 0.0
    for i in range(N_NODES):
        total += NODE_WEIGHTS[i] * math.exp(terms[i] - top)
    return top + math.log(total * half) + 0.5 * math.log(2.0 * math.pi / bb)


@lean_kernel
def _range(slope: float, curvature: float) -> tuple[float, float]:
    """Return where, on s >= 0, exp(-curvature s^2 / 2 + slope s) exceeds exp(-DROP) of its top."""
    width = math.sqrt(2.0 * DROP * curvature)
    if slope > 0.0:
        return max((slope - width) / curvature, 0.0), (slope + width) / curvature
    return 0.0, (slope + math.sqrt(slope * slope + width * width)) / curvature
