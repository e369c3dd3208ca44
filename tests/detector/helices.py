"""Helices and vertex fits apart from the package: centres of circles, scipy's least squares."""

from __future__ import annotations

import numpy as np
from scipy import optimize


def perigee_of(position, phi, omega, cot):
    """Perigee about the z axis of the helix through a point, from the centre of its circle."""
    x, y, z = position
    cx, cy = x - np.sin(phi) / omega, y + np.cos(phi) / omega
    distance = np.hypot(cx, cy)
    sign = np.sign(omega)
    # at the perigee the direction of flight is across the line from the axis to the centre
    start = np.arctan2(-sign * cx, sign * cy)
    turn = (start - phi + np.pi) % (2 * np.pi) - np.pi
    # the axis is at the left by 1/omega less the distance to the centre
    d0 = 1.0 / omega - sign * distance
    return np.array([d0, phi + turn, omega, z + turn / omega * cot, cot])


def distances(point, track):
    """How far a point, relative to the reference, is from a track: across, and along z."""
    d0, phi, omega, z0, cot = track
    px, py = d0 * np.sin(phi), -d0 * np.cos(phi)
    if omega == 0.0:
        dx, dy = point[0] - px, point[1] - py
        across = np.cos(phi) * dy - np.sin(phi) * dx
        return np.array([across, point[2] - z0 - cot * (np.cos(phi) * dx + np.sin(phi) * dy)])
    cx, cy = px - np.sin(phi) / omega, py + np.cos(phi) / omega
    rx, ry = point[0] - cx, point[1] - cy
    sign = np.sign(omega)
    end = np.arctan2(sign * rx, -sign * ry)  # direction of flight next to the point
    turn = (end - phi + np.pi) % (2 * np.pi) - np.pi
    across = 1.0 / omega - sign * np.hypot(rx, ry)
    return np.array([across, point[2] - z0 - cot * turn / omega])


def least_squares_vertex(tracks, sigmas, mean, root):
    """Vertex and covariance of a fit of all track parameters with scipy.

    `root` is such that root @ (vertex - mean) are unit Gaussians: the prior. Unknowns are the
    vertex, and azimuth there, curvature and cot(theta) of each track.
    """

    def residuals(x):
        found = [root @ (x[:3] - mean)]
        for i, (track, sigma) in enumerate(zip(tracks, sigmas, strict=True)):
            model = perigee_of(x[:3], *x[3 + 3 * i : 6 + 3 * i])
            model[1] = track[1] + (model[1] - track[1] + np.pi) % (2 * np.pi) - np.pi
            found.append((model - track) / sigma)
        return np.concatenate(found)

    start = np.concatenate([mean, *[t[[1, 2, 4]] for t in tracks]])
    scale = np.concatenate([[0.02] * 3, *[s[[1, 2, 4]] for s in sigmas]])
    fit = optimize.least_squares(
        residuals, start, x_scale=scale, xtol=1e-15, ftol=1e-15, gtol=1e-15
    )
    return fit.x[:3], np.linalg.inv(fit.jac.T @ fit.jac)[:3, :3], 2 * fit.cost


def least_squares_decay(tracks, sigmas, meson_tracks, meson_sigmas, momentum, covariance, mean,
                        root):  # fmt: skip
    """The same with tracks from the end of the flight of a meson of measured momentum."""
    momentum_root = np.linalg.inv(np.linalg.cholesky(covariance))
    first = 7 + 3 * len(tracks)

    def residuals(x):
        p = x[4:7]
        found = [root @ (x[:3] - mean), momentum_root @ (p - momentum)]
        decay = x[:3] + x[3] * p / np.linalg.norm(p)
        groups = ((x[:3], tracks, sigmas, 7), (decay, meson_tracks, meson_sigmas, first))
        for vertex, measured, errors, offset in groups:
            for i, (track, sigma) in enumerate(zip(measured, errors, strict=True)):
                model = perigee_of(vertex, *x[offset + 3 * i : offset + 3 + 3 * i])
                model[1] = track[1] + (model[1] - track[1] + np.pi) % (2 * np.pi) - np.pi
                found.append((model - track) / sigma)
        return np.concatenate(found)

    directions = [t[[1, 2, 4]] for t in (*tracks, *meson_tracks)]
    start = np.concatenate([mean, [0.1], momentum, *directions])
    errors = [s[[1, 2, 4]] for s in (*sigmas, *meson_sigmas)]
    scale = np.concatenate([[0.02] * 4, np.sqrt(np.diag(covariance)), *errors])
    fit = optimize.least_squares(
        residuals, start, x_scale=scale, xtol=1e-15, ftol=1e-15, gtol=1e-15
    )
    return fit.x[:3], np.linalg.inv(fit.jac.T @ fit.jac)[:3, :3]
