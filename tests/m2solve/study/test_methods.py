"""Methods of a study: what their columns hold, and what the overloaded M2sBV gains."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

import m2solve
from detector.candidate_table import CANDIDATE_LAYOUT, CandidateTable
from detector.flight_prior import flight_prior
from m2solve import Status
from m2solve.study.config import SolverConfig
from m2solve.study.methods import (
    Candidates,
    Method,
    method_of_name,
    methods,
    solution_layout,
    solve_candidates,
)
from simgen.io.layout import MOMENTUM
from simgen.particles import particle_table

N, M_B = 50_000, 5.27934
SIGMA = {"r_0": [0.010, 0.0003, 0.350], "r_sig": [0.025] * 3, "r_tag": [0.025] * 3}
MODES = {"leptonic": 2, "hadronic": 3}
WEIGHTED = {"m_recoil_sigma", "cos_theta_sigma", "weight", "weight_other"}
BOTH, ONE = ("r_sig", "r_tag"), ("r_sig",)


def table_of(measured, truth, mode):
    """Return the candidate table of events of `conftest`, smeared and true."""
    n = len(truth.k_sig)
    zeros = {1: np.zeros((n, len(MOMENTUM))), 0: np.zeros(n, np.int8)}
    columns = {name: zeros[bool(f.components)] for name, f in CANDIDATE_LAYOUT.items()}
    for prefix, events in (("", measured), ("true_", truth)):
        columns |= {
            f"{prefix}kaon": events.p_kl,
            f"{prefix}prong": events.visible_sig - events.p_kl,
            f"{prefix}tag_d": events.visible_tag,
            f"{prefix}total": np.tile(events.total, (n, 1)),
        }
        columns |= {f"{prefix}{name}": getattr(events, name) for name in SIGMA}
    columns |= {f"{name}_sigma": np.tile(sigma, (n, 1)) for name, sigma in SIGMA.items()}
    columns |= {
        "event_id": np.arange(n),
        "weight": np.ones(n),
        "tau_mode": np.full(n, mode, np.int8),
        "true_parent_sig": truth.parent_sig,
        "true_parent_tag": truth.parent_tag,
        "true_k_sig": truth.k_sig,
        "true_k_tag": truth.k_tag,
    }
    return CandidateTable(**columns)


def joined(one, other):
    """Return two tables after one another."""
    columns = {
        name: np.concatenate([getattr(one, name), getattr(other, name)])
        for name in CANDIDATE_LAYOUT
    }
    return CandidateTable(**columns | {"event_id": np.arange(len(one) + len(other))})


@pytest.fixture(scope="module")
def tables(tools, hadronic, leptonic):
    """Smeared candidates of hadronic and of leptonic tau decays."""
    return {
        "hadronic": table_of(hadronic, tools.make_events(N, leptonic=False, seed=31)[0], 3),
        "leptonic": table_of(leptonic, tools.make_events(N, leptonic=True, seed=41)[0], 2),
    }


@pytest.fixture(scope="module")
def few(tables):
    """A thousand candidates of each kind of tau decay."""
    return joined(*(table.before(1000) for table in tables.values()))


@pytest.fixture(scope="module")
def exact(tools):
    """Exact momenta with smeared vertices, by tau decay."""
    found = {}
    for kind, mode in MODES.items():
        truth, _ = tools.make_events(N, leptonic=kind == "leptonic", seed=61)
        smeared = tools.make_smeared(N, leptonic=kind == "leptonic", seed=61)
        vertices = {name: getattr(smeared, name) for name in SIGMA}
        found[kind] = table_of(replace(truth, **vertices), truth, mode)
    return found


def solved(table, **settings):
    """Return the columns of all methods, with the B mass of the events of `conftest`."""
    return solve_candidates(table, SolverConfig(parent_mass=M_B, **settings), seed=1)


def vertices_of(table, names=BOTH):
    tag = {"r_tag": table.r_tag, "error_tag": SIGMA["r_tag"]} if "r_tag" in names else {}
    errors = {"error_0": SIGMA["r_0"], "error_sig": SIGMA["r_sig"]}
    c_tau = 0.491  # mm; the particle table's is within 1e-3 of it
    return m2solve.Vertices.measured(table.r_0, table.r_sig, **errors, **tag, c_tau=c_tau)


def arguments(table, **masses):
    return {
        "visible_sig": table.visible_sig,
        "visible_tag": table.visible_tag,
        "total": table.total,
        "m_tag": 0.0,
    } | masses


def figure_of_merit(mass):
    """S / sqrt(B) over a flat background in 10 MeV bins."""
    share = np.histogram(mass, bins=160, range=(1.0, 2.6))[0] / len(mass)
    return np.sqrt(np.sum(share**2) / 0.01)


def deviations(columns, name, truth):
    """Return true less estimated cos(theta), its uncertainty, and where the latter is known."""
    sigma = columns[f"{name}/cos_theta_sigma"]
    return truth - columns[f"{name}/cos_theta"], sigma, np.isfinite(sigma)


class TestNames:
    def test_every_method_is_found_again_by_its_name(self, tmp_path):
        (tmp_path / "net_2.csv").write_text("event_id,m_nunu\n1,0.5\n")
        masses = ["true", "m_hat", 0, 0.9, "posterior", {"file": str(tmp_path / "net_2.csv")}]
        variables = ("M2", "M2s", "M2sB", "M2V", "M2sV", "M2BV", "M2sBV", "random", "hadronic_tag")
        made = methods(SolverConfig(variables=(*variables, "truth"), m_nunu=masses))
        assert len(made) == 7 * 5 + 1 + 3
        assert [method_of_name(method.name) for method in made] == list(made)
        names = {method.name for method in made}
        assert {"M2sB_0.9", "M2sB_zero", "M2sBV_posterior", "M2V_net_2", "truth"} <= names
        assert "M2sB_posterior" not in names

    def test_layout_has_the_columns_that_are_made(self, few):
        config = SolverConfig(
            variables=("M2sB", "M2sBV", "M2V", "random"), m_nunu=("m_hat", "posterior", 0.9)
        )
        columns = solve_candidates(few, config, seed=1)
        layout = solution_layout(methods(config)).items()
        assert {path for key, field in layout for path in field.paths(key)} == set(columns)
        assert {f"M2sBV_0.9/{name}" for name in WEIGHTED} <= set(columns)
        assert not {f"M2sB_0.9/{name}" for name in WEIGHTED} & set(columns)


class TestMasses:
    def test_number_is_the_mass_of_all_candidates(self, few):
        columns = solved(few, variables=("M2s",), m_nunu=(0.9,))
        direct = m2solve.solve("M2s", **arguments(few, m_sig=0.9))
        assert np.array_equal(columns["M2s_0.9/value"], direct.value, equal_nan=True)
        k = np.stack([columns[f"M2s_0.9/k_sig/{c}"] for c in MOMENTUM], axis=1)
        mass = np.sqrt(k[:, 3] ** 2 - np.sum(k[:, :3] ** 2, axis=1))
        assert np.allclose(mass, 0.9, atol=1e-6)

    def test_file_gives_each_event_its_mass_and_none_to_others(self, few, tmp_path):
        truth = Candidates.of(few, 5.279).m_true
        rows = np.random.default_rng(3).permutation(len(few))[:-7]
        file = tmp_path / "copy_of_truth.csv"
        np.savetxt(
            file, np.column_stack([rows, truth[rows]]), fmt=["%d", "%.17g"], delimiter=",",
            header="event_id,m_nunu", comments="",
        )  # fmt: skip
        columns = solved(few, variables=("M2sV",), m_nunu=("true", {"file": str(file)}))
        status = columns["M2sV_copy_of_truth/status"]
        lacking = ~np.isin(np.arange(len(few)), rows)
        assert np.array_equal(status == Status.UNPHYSICAL, lacking)
        assert np.isnan(columns["M2sV_copy_of_truth/m_recoil"][lacking]).all()
        for name in ("m_recoil", "value", "k_sig/px"):
            found, true = columns[f"M2sV_copy_of_truth/{name}"], columns[f"M2sV_true/{name}"]
            assert np.array_equal(found[rows], true[rows])


class TestFlight:
    @pytest.mark.parametrize("side", ["signal", "tag"])
    @pytest.mark.parametrize("delta", [None, 0.1])
    @pytest.mark.parametrize("variable", ["M2V", "M2sV"])
    def test_side_and_cone_are_those_of_solve(self, few, variable, side, delta):
        columns = solved(few, variables=(variable,), m_nunu=("true",), side=side, delta=delta)
        flight = {f"flight_{side[:3]}": getattr(few, f"flight_{side[:3]}")}
        m_sig = columns["candidate/m_nunu"]
        direct = m2solve.solve(variable, **arguments(few, m_sig=m_sig), **flight, delta=delta)
        assert np.array_equal(columns[f"{variable}_true/value"], direct.value, equal_nan=True)
        assert np.array_equal(columns[f"{variable}_true/status"], direct.status)

    def test_m2bv_takes_the_side_and_has_no_cone(self, few):
        settings = {"variables": ("M2BV", "M2V"), "m_nunu": ("true",), "delta": 0.1}
        sig, tag = (solved(few, **settings, side=side) for side in ("signal", "tag"))
        assert (sig["M2BV_true/cos_theta"] != tag["M2BV_true/cos_theta"]).mean() > 0.99


class TestVertices:
    """What the likelihood is given of the candidates' vertices."""

    METHOD = Method("M2sBV", "m_hat", SolverConfig(vertices=BOTH))

    def test_correlations_count(self, few):
        rng = np.random.default_rng(1)
        correlation = {
            f"{name}_correlation": rng.uniform(-0.4, 0.4, (len(few), 3)) for name in BOTH
        }
        table = replace(few, **correlation)
        found = Candidates.of(table, M_B).vertices(self.METHOD)
        r_0 = np.diag(np.square(SIGMA["r_0"]))
        for i in range(0, len(table), 100):
            errors = np.zeros((6, 6))
            for k, name in enumerate(BOTH):
                x, y, z = correlation[f"{name}_correlation"][i]
                matrix = np.array([[1, x, y], [x, 1, z], [y, z, 1]])
                block = matrix * np.outer(SIGMA[name], SIGMA[name])
                errors[3 * k : 3 * k + 3, 3 * k : 3 * k + 3] = block
            # the errors of both flights have that of r_0 in common
            weight = np.linalg.inv(errors + np.tile(r_0, (2, 2)))
            np.testing.assert_allclose(found.weight_sig[i], weight[:3, :3], rtol=1e-7, atol=1e-3)
            np.testing.assert_allclose(found.weight_tag[i], weight[3:, 3:], rtol=1e-7, atol=1e-3)
            np.testing.assert_allclose(found.weight_cross[i], -weight[:3, 3:], rtol=1e-7, atol=1e-3)

    def test_a_constraint_is_taken_out(self, few):
        table = replace(few, vertex_constraint=np.ones(len(few), np.int8))
        parent = particle_table().by_name("B+")
        found = Candidates.of(table, M_B).vertices(self.METHOD)
        expected = m2solve.Vertices.measured(
            table.r_0, table.r_sig, table.r_tag, error_0=SIGMA["r_0"], error_sig=SIGMA["r_sig"],
            error_tag=SIGMA["r_tag"], c_tau=parent.ctau,
            flight_prior=flight_prior(table.total, parent),
        )  # fmt: skip
        np.testing.assert_allclose(found.flight_sig, expected.flight_sig, atol=1e-12)
        assert np.max(np.abs(found.flight_sig - few.flight_sig)) > 0.01


class TestOverloaded:
    @pytest.mark.parametrize("names", [ONE, BOTH])
    def test_columns_are_those_of_solve(self, few, names):
        columns = solved(few, variables=("M2sBV",), m_nunu=("true",), vertices=names)
        m_sig = columns["candidate/m_nunu"]
        direct = m2solve.solve(
            "M2sBV", **arguments(few, m_sig=m_sig, parent_mass=M_B),
            vertices=vertices_of(few, names),
        )  # fmt: skip
        cosine = m2solve.cos_theta_tag(
            few.p_kl[:, None], direct.parent_tag, few.total[:, np.newaxis]
        )
        recoil = m2solve.m_recoil(few.p_kl, cosine[:, 0], few.total, M_B)
        first = columns["M2sBV_true/weight"]
        assert np.allclose(first, direct.weight[:, 0], atol=1e-3)
        assert np.allclose(first + columns["M2sBV_true/weight_other"], 1.0)
        sure = first > 0.51
        assert np.allclose(columns["M2sBV_true/cos_theta"][sure], cosine[sure, 0])
        assert np.allclose(columns["M2sBV_true/m_recoil"][sure], recoil[sure])
        distance = np.abs(cosine[:, 0] - cosine[:, 1]) * np.sqrt(direct.weight[:, 1])
        sigma = columns["M2sBV_true/cos_theta_sigma"]
        projected = direct.status == Status.PROJECTED
        assert np.array_equal(np.isnan(sigma), projected)
        assert np.allclose(sigma[~projected], distance[~projected], atol=2e-3)

    @pytest.mark.parametrize("names", [ONE, BOTH])
    def test_posterior_is_that_of_the_cone_in_leptonic_decays(self, few, names):
        settings = {"variables": ("M2sBV",), "m_nunu": ("zero", "posterior"), "vertices": names}
        columns = solved(few, **settings)
        lep = few.tau_mode == MODES["leptonic"]
        for path in (p for p in columns if p.startswith("M2sBV_posterior/")):
            other = columns[path.replace("posterior", "zero")]
            assert np.array_equal(columns[path][~lep], other[~lep], equal_nan=True)
        part = Candidates.of(few, M_B).select(np.flatnonzero(lep)).table
        known = arguments(part, parent_mass=M_B)
        direct = m2solve.cone_posterior(
            **known, subsystem=part.p_kl, density=m2solve.flat_density((1.77686 - 0.1056584) ** 2),
            vertices=vertices_of(part, names),
        )  # fmt: skip
        assert np.array_equal(columns["M2sBV_posterior/status"][lep], direct.status)
        assert np.allclose(columns["M2sBV_posterior/cos_theta"][lep], direct.cos_theta, atol=2e-3)
        sigma = columns["M2sBV_posterior/cos_theta_sigma"][lep]
        assert np.allclose(sigma, direct.cos_theta_sigma, atol=2e-3, equal_nan=True)

    def test_posterior_in_all_leaves_no_mass_at_zero(self, few):
        settings = {"variables": ("M2sBV",), "m_nunu": ("posterior",)}
        some, every = (solved(few, **settings, posterior_in=w) for w in ("leptonic", "all"))
        lep = few.tau_mode == MODES["leptonic"]
        one, other = some["M2sBV_posterior/cos_theta"], every["M2sBV_posterior/cos_theta"]
        assert np.array_equal(one[lep], other[lep])
        assert (one[~lep] != other[~lep]).all()

    @pytest.mark.parametrize(
        ("kind", "names", "gain"),
        [
            ("hadronic", ONE, 1.12),
            ("hadronic", BOTH, 1.22),
            ("leptonic", ONE, 1.30),
            ("leptonic", BOTH, 1.42),
        ],
    )
    def test_gain_over_m2sb_in_the_figure_of_merit(self, tables, kind, names, gain):
        settings = {"variables": ("M2sB", "M2sBV"), "m_nunu": ("m_hat", "posterior")}
        columns = solved(tables[kind], **settings, vertices=names)
        base = figure_of_merit(columns["M2sB_m_hat/m_recoil"])
        assert figure_of_merit(columns["M2sBV_posterior/m_recoil"]) > gain * base

    @pytest.mark.parametrize("names", [ONE, BOTH])
    def test_uncertainty_of_two_solutions_is_the_width_of_the_truth(self, exact, names):
        """Exact momenta: pull^2 is 1 on average; it is 0 or 1 / weight_other for each."""
        table = exact["hadronic"]
        columns = solved(table, variables=("M2sBV",), m_nunu=("true",), vertices=names)
        difference, sigma, known = deviations(columns, "M2sBV_true", columns["candidate/cos_theta"])
        weight = columns["M2sBV_true/weight_other"]
        # Nearly equal solutions differ by rounding; of improbable ones there are too few.
        known &= (weight > 0.05) & (sigma > 1e-3)
        pull_squared = (difference[known] / sigma[known]) ** 2
        error = np.sqrt(np.mean(1.0 / weight[known] - 1.0) / known.sum())
        assert error < 0.012
        assert np.mean(pull_squared) == pytest.approx(1.0, abs=4 * error)

    @pytest.mark.parametrize("names", [ONE, BOTH])
    def test_uncertainty_of_the_posterior_is_the_width_of_the_truth(self, exact, names):
        """Exact momenta of leptonic decays in phase space, which the prior is."""
        table = exact["leptonic"]
        columns = solved(table, variables=("M2sBV",), m_nunu=("posterior",), vertices=names)
        truth = columns["candidate/cos_theta"]
        difference, sigma, known = deviations(columns, "M2sBV_posterior", truth)
        pull = difference[known] / sigma[known]
        assert known.mean() > 0.99
        assert np.mean(pull < 0.0) == pytest.approx(0.5, abs=0.01)
        # 0.983 measured: the prior does not know that M_recoil is the tau mass.
        assert np.sqrt(np.mean(pull**2)) == pytest.approx(1.0, abs=0.03)
        assert np.mean(np.abs(pull) < 1.0) == pytest.approx(0.68, abs=0.03)


def test_candidates_do_not_depend_on_their_neighbours(few):
    settings = {"variables": ("M2sBV",), "m_nunu": ("m_hat", "posterior"), "posterior_in": "all"}
    whole, part = solved(few, **settings), solved(few.before(1300), **settings)
    for path, values in part.items():
        assert np.array_equal(values, whole[path][:1300], equal_nan=True), path


def test_methods_of_one_name_are_equal_whatever_their_settings():
    one = Method("M2V", "true", SolverConfig(variables=("M2V",), delta=0.1))
    assert one == Method("M2V", "true")
    assert [f.name for f in fields(Method)] == ["variable", "m_nunu", "settings"]
