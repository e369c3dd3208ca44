"""ISGW2: semileptonic decays in the quark model of Scora and Isgur.

D. Scora, N. Isgur, Phys. Rev. D 52 (1995) 2783, hep-ph/9503486, appendix C; N. Isgur, D. Scora,
B. Grinstein, M. B. Wise, Phys. Rev. D 39 (1989) 799. The parent has quarks Q (mass m_b below) and
spectator (m_d), the meson q (m_q) and spectator. With m~ = sums of quark masses, mbar = masses
averaged over spin multiplets, beta the sizes of wave functions, t_m = (M - m)^2,

    F_n = sqrt(m~_X/m~_B) (beta_B beta_X/beta_BX^2)^(n/2) (1 + r^2 (t_m - t)/(6 k))^-k,
    w~ = 1 + (t_m - t)/(2 mbar_B mbar_X)

(n, k) is (3, 2) for S waves, (5, 3) for P waves, (3, 4) for radial excitations; every form factor
is F_n, powers of mbar/m~, and a polynomial in w~. The polynomials do not depend on an event's
kinematics and are worked out once (`simgen.models.isgw2_states`).

No parameters. B, B_s, D and D_s decay to pseudoscalars, vectors, the four P-wave states, and
first radial excitations; which states, and what they are made of, is `simgen.models.isgw2_quarks`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numba import carray

from simgen.models.isgw2_quarks import quark_content
from simgen.models.isgw2_states import form_factor_coefficients
from simgen.models.semileptonic import SemileptonicModel, current_amplitude, kinematics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simgen.models.contract import Parameters
    from simgen.particles import ParticleData


def isgw2_amplitude(parameters: Any, pdgids: Any, momenta: Any, out: Any) -> None:
    """P -> meson l nu with the form factors of ISGW2."""
    p = carray(momenta, (4, 4))
    ids = carray(pdgids, 4)
    c = carray(parameters, 16)
    meson, _, q2 = kinematics(p)
    room = max((p[0, 3] - meson) ** 2 - q2, 0.0)
    u = room * c[0]  # w~ - 1
    falls = 1.0 + room * c[1]
    scale = 1.0 / (falls * falls)
    if c[2] > 2.0:
        scale /= falls if c[2] == 3.0 else falls * falls
    f = scale * (c[4] + u * (c[5] + u * c[6]))
    g = scale * (c[7] + u * (c[8] + u * c[9]))
    plus = scale * (c[10] + u * (c[11] + u * c[12]))
    minus = scale * (c[13] + u * (c[14] + u * c[15]))
    if c[3] > 0.0:
        plus, minus = plus / (2.0 + u), minus / (2.0 + u)
    current_amplitude(p, ids, f, g, plus, minus, out)


class QuarkModel(SemileptonicModel):
    """ISGW2, which knows its mesons by their quarks."""

    def problem(
        self, parameters: Parameters, parent: ParticleData, daughters: Sequence[ParticleData]
    ) -> str | None:
        """Say why this model cannot serve a decay; see `DecayModel.problem`."""
        problem = super().problem(parameters, parent, daughters)
        if problem is None and quark_content(parent, daughters[0]) is None:
            return f"ISGW2 does not know the transition {parent.name} -> {daughters[0].name}"
        return problem

    def prepare(
        self,
        parameters: Parameters,  # noqa: ARG002
        parent: ParticleData,
        daughters: Sequence[ParticleData],
    ) -> tuple[float, ...]:
        """Return what the amplitude needs of the quark model.

        1/(2 mbar_B mbar_X), r^2/(6 k), k, 1 where a_+- has 1/(1 + w~), and three coefficients
        each, in powers of w~ - 1, of f, g, a_+ and a_-.
        """
        content = quark_content(parent, daughters[0])
        if content is None:
            return ()
        return form_factor_coefficients(content)


ISGW2 = QuarkModel(
    name="ISGW2",
    amplitude=isgw2_amplitude,
    reference="D. Scora, N. Isgur, Phys. Rev. D 52 (1995) 2783, hep-ph/9503486",
    scalar_parameters=(),
    vector_parameters=(),
    tensor_parameters=(),
)
