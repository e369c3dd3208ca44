"""Measured decay vertices of both parents with their uncertainties, smeared or fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.fitted_vertices import fit_block
from detector.streams import R_SIG, R_TAG
from detector.table_lookup import values_at_momenta
from detector.vertices import smear_vertices

if TYPE_CHECKING:
    from collections.abc import Callable

    from detector.config import SignalTopology
    from detector.coordinates import DecayVertexResolution
    from detector.profiles import DetectorProfile
    from detector.vertex_parts import VertexParts
    from simgen.events import EventBlock
    from simgen.typing import FloatArray, IntArray

_PAIRS = ((0, 1), (0, 2), (1, 2))  # xy, xz, yz


class MeasuredVertex(NamedTuple):
    """A vertex of each of n candidates: mm, standard deviations in mm, correlations xy, xz, yz."""

    position: FloatArray
    sigma: FloatArray
    correlation: FloatArray


def measure_decay_vertices(
    block: EventBlock,
    events: IntArray,
    list_parts: Callable[[], VertexParts],
    r_0: FloatArray,
    total: FloatArray,
    true_r_sig: FloatArray,
    true_r_tag: FloatArray,
    seen: tuple[FloatArray, FloatArray],
    profile: DetectorProfile,
    signal: SignalTopology,
    seed: int,
) -> tuple[MeasuredVertex, MeasuredVertex]:
    """Return the decay vertices of signal and tag as ``vertices.method`` says.

    Parameters
    ----------
    block, events, r_0, total
        As in `detector.fitted_vertices.fit_block`.
    list_parts
        Returns what vertices are fitted from; called if they are.
    true_r_sig, true_r_tag
        (m, 3) where the parents of these events decayed, mm; of a combinatorial candidate where
        what it is made of comes from.
    seen
        (m, 4) measured momenta of all that is seen of signal and tag, GeV, for tables.
    profile
        Beams and detector.
    signal
        The signal decay.
    seed
        The run's seed.
    """
    if profile.vertices.method == "fit":
        fitted = fit_block(block, events, list_parts(), r_0, total, profile, signal, seed)
        return (
            from_covariance(fitted.r_sig, fitted.r_sig_covariance),
            from_covariance(fitted.r_tag, fitted.r_tag_covariance),
        )
    vertices, event_id = profile.vertices, block.event_id[events]
    return (
        _smeared(true_r_sig, seen[0], event_id, vertices.r_sig, R_SIG, seed),
        _smeared(true_r_tag, seen[1], event_id, vertices.r_tag, R_TAG, seed),
    )


def _smeared(
    true: FloatArray,
    seen: FloatArray,
    event_id: IntArray,
    resolution: DecayVertexResolution,
    substream: int,
    seed: int,
) -> MeasuredVertex:
    """Return a vertex with independent Gaussian errors."""
    sigma = values_at_momenta(resolution.as_tuple(), seen)
    position = smear_vertices(true, event_id, sigma, substream, seed)
    return MeasuredVertex(position, sigma, np.zeros((len(true), 3)))


def from_covariance(position: FloatArray, covariance: FloatArray) -> MeasuredVertex:
    """Return the vertex with covariances (n, 3, 3) in mm^2."""
    sigma = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    correlation = [covariance[:, i, j] / (sigma[:, i] * sigma[:, j]) for i, j in _PAIRS]
    return MeasuredVertex(position, sigma, np.stack(correlation, axis=1))


def to_covariance(sigma: FloatArray, correlation: FloatArray) -> FloatArray:
    """Return covariances (n, 3, 3) from standard deviations and correlations, both (n, 3)."""
    matrix = np.tile(np.eye(3), (len(sigma), 1, 1))
    for k, (i, j) in enumerate(_PAIRS):
        matrix[:, i, j] = matrix[:, j, i] = correlation[:, k]
    return np.asarray(matrix * sigma[:, :, np.newaxis] * sigma[:, np.newaxis, :])
