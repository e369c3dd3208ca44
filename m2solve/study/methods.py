"""Every way of estimating cos(theta) for the candidates, and the columns it gives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.candidate_table import CANDIDATE_LAYOUT
from detector.flight_prior import flight_prior
from detector.topology import TauMode
from m2solve.invisible_mass import m_hat, m_hat_squared
from m2solve.m2sbv import WeightedSolution
from m2solve.recoil import cos_theta_tag, m_recoil
from m2solve.solution import PROJECTED, Solution, Status
from m2solve.solver import VARIABLES, solve
from m2solve.study.config import (
    NO_PAIR_POSTERIOR,
    SOLVED_VARIABLES,
    SolverConfig,
    mass_name,
)
from m2solve.study.mass_file import MassFile
from m2solve.study.posterior import posterior_columns
from m2solve.vertices import Vertices
from simgen.errors import ConfigError
from simgen.io.layout import MOMENTUM, Columns, Field, Layout
from simgen.jit import kernel
from simgen.particles import particle_table
from simgen.random import Stage, open_stream, seek, uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from detector.candidate_table import CandidateTable
    from simgen.particles import ParticleData
    from simgen.typing import BoolArray, FloatArray, IntArray

_LEPTONS = {"e-": (TauMode.E,), "mu-": (TauMode.MU,)}
_PRONGS = {**_LEPTONS, "pi-": (TauMode.PI, TauMode.RHO, TauMode.OTHER)}
_RANDOM_ANGLE, _RANDOM_CHOICE = 0, 1  # substreams of an event


@dataclass(frozen=True, slots=True)
class Method:
    """One estimate of M_recoil: a variable, and the mass it takes for the invisible system.

    Attributes
    ----------
    variable
        A variable of the M2 family, ``random``, ``hadronic_tag`` or ``truth``.
    m_nunu
        ``true``, ``m_hat``, ``zero``, ``posterior``, a number in GeV or the name of a user's file;
        None where no mass is needed.
    settings
        What the solver is to use; two methods of the same name are equal all the same.
    """

    variable: str
    m_nunu: str | None
    settings: SolverConfig = field(default_factory=SolverConfig, compare=False, repr=False)

    @property
    def name(self) -> str:
        """Name of its group in a file, for instance ``M2sB_m_hat``."""
        return self.variable if self.m_nunu is None else f"{self.variable}_{self.m_nunu}"

    @property
    def is_solved(self) -> bool:
        """Whether momenta are solved for."""
        return self.m_nunu is not None

    @property
    def is_weighted(self) -> bool:
        """Whether its solutions have probabilities, and its angle an uncertainty."""
        return self.is_solved and VARIABLES[self.variable].needs_vertices


def methods(config: SolverConfig) -> tuple[Method, ...]:
    """Return all methods that a configuration asks for."""
    found = []
    for variable in config.variables:
        masses: list[str | None] = [None]
        if variable in SOLVED_VARIABLES:
            masses = [mass_name(choice) for choice in config.m_nunu]
        found += [
            Method(variable, m, config) for m in masses if m != "posterior" or variable == "M2sBV"
        ]
    return tuple(dict.fromkeys(found))


def method_of_name(name: str) -> Method:
    """Return the method of a name such as ``M2sB_m_hat``."""
    variable, _, mass = name.partition("_")
    return Method(variable, mass) if variable in SOLVED_VARIABLES else Method(name, None)


COMMON_LAYOUT: Layout = {
    "event_id": Field("candidate", "i8", "1", "number of the event"),
    "weight": Field("candidate", "f8", "1", "weight of the event"),
    "tau_mode": Field(
        "candidate", "i1", "1", "tau that recoils: 0 none or other, 1 e, 2 mu, 3 pi, 4 pi pi0"
    ),
    "m_nunu": Field("candidate", "f8", "GeV", "true invisible mass of the signal side"),
    "m_hat_squared": Field("candidate", "f8", "GeV^2", "m_hat^2 with its sign"),
    "cos_theta": Field("candidate", "f8", "1", "true cos(theta) of B_tag and K l"),
}

_ANGLE: Layout = {
    "m_recoil": Field("", "f8", "GeV", "mass recoiling against K l, -sqrt(-M^2) if M^2 < 0"),
    "cos_theta": Field("", "f8", "1", "cosine of the angle of B_tag and K l in the beams' frame"),
}
_SOLVED: Layout = {
    **_ANGLE,
    "m_recoil_other": Field("", "f8", "GeV", "m_recoil of the other solution, or the same"),
    "value": Field("", "f8", "GeV", "value of the variable"),
    "status": Field("", "i1", "1", ", ".join(f"{s.value} {s.name.lower()}" for s in Status)),
    "n_solutions": Field("", "i1", "1", "number of different solutions"),
    "k_sig": Field("", "f8", "GeV", "invisible momentum of the signal side", MOMENTUM),
    "k_sig_other": Field("", "f8", "GeV", "the same of the other solution", MOMENTUM),
}
_WEIGHTED: Layout = {
    **_SOLVED,
    "m_recoil_sigma": Field("", "f8", "GeV", "rms distance of the truth, resolution apart"),
    "cos_theta_sigma": Field("", "f8", "1", "rms distance of the truth, resolution apart"),
    "weight": Field("", "f8", "1", "probability of the solution"),
    "weight_other": Field("", "f8", "1", "probability of the other solution, 0 if there is none"),
}


def method_layout(method: Method) -> Layout:
    """Return the columns of one method, ``METHOD/column``."""
    fields = _WEIGHTED if method.is_weighted else _SOLVED if method.is_solved else _ANGLE
    return {name: replace(field, group=method.name) for name, field in fields.items()}


def solution_layout(chosen: Sequence[Method]) -> Layout:
    """Return the columns of a solutions file; its keys are ``GROUP.column``."""
    layout = {f"candidate.{name}": field for name, field in COMMON_LAYOUT.items()}
    for method in chosen:
        layout |= {f"{method.name}.{name}": f for name, f in method_layout(method).items()}
    return layout


@dataclass(frozen=True)
class Candidates:
    """Candidates and what all methods use of them.

    Attributes
    ----------
    table
        The candidates.
    parent_mass
        Mass of the parents, GeV.
    m_true
        (n,) true mass of the invisible system of the signal side, GeV.
    m_hat_squared
        (n,) m_hat^2 with its sign, GeV^2.
    cos_theta
        (n,) true cos(theta).
    """

    table: CandidateTable
    parent_mass: float
    m_true: FloatArray
    m_hat_squared: FloatArray
    cos_theta: FloatArray

    @classmethod
    def of(cls, table: CandidateTable, parent_mass: float) -> Candidates:
        """Work out what all methods use."""
        return cls(
            table,
            parent_mass,
            _mass(table.true_k_sig),
            m_hat_squared(table.visible_sig, table.total, parent_mass),
            cos_theta_tag(table.true_p_kl, table.true_parent_tag, table.true_total),
        )

    def select(self, rows: IntArray) -> Candidates:
        """Return some of the candidates."""
        table = type(self.table)(*(getattr(self.table, name)[rows] for name in CANDIDATE_LAYOUT))
        return Candidates.of(table, self.parent_mass)

    def mass(self, method: Method) -> FloatArray:
        """Return the mass to solve with, (n,) GeV."""
        choice = method.m_nunu
        if choice == "true":
            return self.m_true
        if choice == "m_hat":
            return np.where(self.table.leptonic, np.sqrt(np.abs(self.m_hat_squared)), 0.0)
        for given in method.settings.m_nunu:
            if mass_name(given) == choice and isinstance(given, MassFile):
                return given.of_events(self.table.event_id)
            if mass_name(given) == choice and isinstance(given, float):
                return np.full(len(self.table), given)
        return np.zeros(len(self.table))

    def tag_mass(self, method: Method) -> FloatArray | float:
        """Return the mass of the tag's invisible system, GeV: a neutrino's, or as `mass` for taus.

        A number or a file is the mass of the signal side; the tag's tau then has m_hat.
        """
        table = self.table
        if not table.is_tau_pair or method.m_nunu == "zero":
            return 0.0
        if method.m_nunu == "true":
            return _mass(table.true_k_tag)
        hat = m_hat(table.visible_tag, table.total, self.parent_mass)
        return np.where(table.tag_leptonic, hat, 0.0)

    def constraints(self, method: Method) -> dict[str, Any]:
        """Return what a method knows beyond the momenta, as arguments of `m2solve.solve`."""
        variable, settings = VARIABLES[method.variable], method.settings
        known: dict[str, Any] = {
            "m_sig": self.mass(method),
            "m_tag": self.tag_mass(method),
            "parent_mass": self.parent_mass if variable.needs_parent_mass else None,
        }
        if variable.needs_flight and settings.side == "signal":
            known["flight_sig"] = self.table.flight_sig
        elif variable.needs_flight:
            known["flight_tag"] = self.table.flight_tag
        if variable.cone is not None:
            known["delta"] = settings.delta
        return known

    def vertices(self, method: Method) -> Vertices:
        """Return the measured vertices that a method uses, with their errors."""
        t, with_tag = self.table, "r_tag" in method.settings.vertices
        parent = _parent(t)
        constrained = len(t) > 0 and bool(t.vertex_constraint[0])
        return Vertices.measured(
            t.r_0, t.r_sig, t.r_tag if with_tag else None,
            error_0=_same_rows(t.r_0_covariance),
            error_sig=_same_rows(t.r_sig_covariance),
            error_tag=_same_rows(t.r_tag_covariance) if with_tag else None,
            c_tau=parent.ctau,
            flight_prior=flight_prior(_same_rows(t.total), parent) if constrained else None,
        )  # fmt: skip

    def recoil(self, cos_theta: FloatArray) -> FloatArray:
        """Return M_recoil of K l for a cosine, (n,) or (n, s)."""
        p, total = self.table.p_kl, self.table.total
        if cos_theta.ndim > 1:
            p, total = p[:, np.newaxis], total[:, np.newaxis]
        return m_recoil(p, cos_theta, total, self.parent_mass)


def _same_rows(array: FloatArray) -> FloatArray:
    """Return the first row alone where all are the same, which saves inverting each of them."""
    return array[:1] if np.all(array == array[:1]) else array


def _parent(table: CandidateTable) -> ParticleData:
    """Return what the parents are taken for unless the configuration says otherwise."""
    return particle_table().by_name("tau+" if table.is_tau_pair else "B+")


def parent_mass(table: CandidateTable, config: SolverConfig) -> float:
    """Return the mass of the parents to solve with, GeV."""
    return config.parent_mass or _parent(table).mass


def _mass(p: FloatArray) -> FloatArray:
    """Return the masses of four-momenta (n, 4), 0 where rounding makes the square negative."""
    return np.asarray(np.sqrt(np.maximum(p[:, 3] ** 2 - np.sum(p[:, :3] ** 2, axis=1), 0.0)))


def solve_candidates(table: CandidateTable, config: SolverConfig, seed: int) -> Columns:
    """Estimate cos(theta) and M_recoil of every candidate with every method.

    Parameters
    ----------
    table
        Candidates.
    config
        Methods and parent mass.
    seed
        The run's seed; with an event's number it determines the random angle and the choice
        between two equal solutions.

    Returns
    -------
    dict
        The datasets of a solutions file.

    Raises
    ------
    ConfigError
        If the configuration has a choice that these candidates do not allow.
    """
    if table.is_tau_pair and "posterior" in config.m_nunu:
        raise ConfigError(NO_PAIR_POSTERIOR)
    candidates = Candidates.of(table, parent_mass(table, config))
    # In a tau pair no tau recoils against K l.
    recoiling = np.zeros_like(table.tau_mode) if table.is_tau_pair else table.tau_mode
    columns: Columns = {
        "candidate/event_id": table.event_id,
        "candidate/weight": table.weight,
        "candidate/tau_mode": recoiling,
        "candidate/m_nunu": candidates.m_true,
        "candidate/m_hat_squared": candidates.m_hat_squared,
        "candidate/cos_theta": candidates.cos_theta,
    }
    for method in methods(config):
        found = _solved(candidates, method, seed) if method.is_solved else _angle(
            candidates, method, seed
        )  # fmt: skip
        columns |= {f"{method.name}/{name}": values for name, values in found.items()}
    return columns


def _angle(candidates: Candidates, method: Method, seed: int) -> Columns:
    """Return the columns of a method that gives an angle."""
    table = candidates.table
    if method.variable == "random":
        cosine = 2.0 * _uniform(table.event_id, seed, _RANDOM_ANGLE) - 1.0
    elif method.variable == "hadronic_tag":
        cosine = cos_theta_tag(table.p_kl, table.hadronic_tag, table.total)
    else:
        cosine = candidates.cos_theta
    return {"m_recoil": candidates.recoil(cosine), "cos_theta": cosine}


def solve_method(candidates: Candidates, method: Method) -> Solution:
    """Solve all candidates for the invisible momenta with one method."""
    table = candidates.table
    vertices = candidates.vertices(method) if method.is_weighted else None
    return solve(
        method.variable,
        table.visible_sig,
        table.visible_tag,
        table.total,
        **candidates.constraints(method),
        vertices=vertices,
    )


def _solved(candidates: Candidates, method: Method, seed: int) -> Columns:
    """Return the columns of a method that solves for the invisible momenta."""
    table = candidates.table
    solution = solve_method(candidates, method)
    first, other = _order(solution, method, table.event_id, seed)
    rows = np.arange(len(table))
    cosine = cos_theta_tag(
        table.p_kl[:, np.newaxis], solution.parent_tag, table.total[:, np.newaxis]
    )
    recoil = candidates.recoil(cosine)
    columns: Columns = {
        "m_recoil": recoil[rows, first],
        "cos_theta": cosine[rows, first],
        "m_recoil_other": recoil[rows, other],
        "value": solution.value,
        "status": solution.status,
        "n_solutions": solution.n_solutions,
    }
    for i, name in enumerate(MOMENTUM):
        columns[f"k_sig/{name}"] = solution.k_sig[rows, first, i]
        columns[f"k_sig_other/{name}"] = solution.k_sig[rows, other, i]
    if isinstance(solution, WeightedSolution):
        known = solution.status != PROJECTED
        columns |= {
            "m_recoil_sigma": _deviation(recoil, solution.weight, known),
            "cos_theta_sigma": _deviation(cosine, solution.weight, known),
            "weight": solution.weight[:, 0],
            "weight_other": solution.weight[:, 1],
        }
    if method.m_nunu == "posterior":
        _put_posterior(columns, candidates, method)
    return columns


def _deviation(values: FloatArray, weight: FloatArray, known: BoolArray) -> FloatArray:
    """Return how far, root mean square, the truth is from the first of two solutions.

    This is what the ambiguity contributes; nan where no solution is exact.
    """
    distance = np.abs(values[:, 1] - values[:, 0])
    return np.where(known, distance * np.sqrt(weight[:, 1]), np.nan)


def _put_posterior(columns: Columns, candidates: Candidates, method: Method) -> None:
    """Put the posterior into the rows of tau decays whose m_nunu is taken as unknown."""
    prongs = _PRONGS if method.settings.posterior_in == "all" else _LEPTONS
    for prong, modes in prongs.items():
        rows = np.flatnonzero(np.isin(candidates.table.tau_mode, modes))
        if len(rows) == 0:
            continue
        part = candidates.select(rows)
        vertices = part.vertices(method)
        found = posterior_columns(part.table, prong, part.parent_mass, vertices)
        for name, values in found.items():
            columns[name][rows] = values


def _order(
    solution: Solution, method: Method, event_id: IntArray, seed: int
) -> tuple[IntArray, IntArray]:
    """Return the columns of the solution to use and of the other one.

    The two solutions of M2sB are equally good, so one is taken at random; other variables order
    theirs.
    """
    n = len(solution)
    first = np.zeros(n, dtype=np.int64)
    if method.variable == "M2sB":
        first[_uniform(event_id, seed, _RANDOM_CHOICE) >= 0.5] = 1
    last = solution.k_sig.shape[1] - 1
    return np.minimum(first, last), np.minimum(1 - first, last)


def _uniform(event_id: IntArray, seed: int, substream: int) -> FloatArray:
    """Return one number uniform in [0, 1) for each event, (n,)."""
    out = np.empty(len(event_id))
    _fill_uniform(event_id, seed, int(Stage.SOLVE), substream, out)
    return out


@kernel
def _fill_uniform(
    event_id: IntArray, seed: int, stage: int, substream: int, out: FloatArray
) -> None:
    """Fill `out` from the events' streams."""
    state = open_stream(seed, stage)
    for i in range(len(event_id)):
        seek(state, event_id[i], substream)
        out[i] = uniform(state)
