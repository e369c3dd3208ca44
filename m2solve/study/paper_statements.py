"""The statements of arXiv:2209.03387 on its figures, each decided by numbers.

A statement is one or more claims: a number with its statistical error and the interval it has to
be in. Words are given the same meaning everywhere:

- a figure or a peak improves *clearly* if by more than 10 %, *dramatically* if by more than 50 %,
  *slightly*, *marginally* or *not* if by less than 10 %;
- two variables are *comparable*, or one *comes close* to the other, within 10 %;
- *better* is better at all.

Where the paper names what is compared (height, width) that is taken, else the figure of merit
S/sqrt(B) over a flat background. Improvement in a width is that of its inverse.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from m2solve.study.jackknife import Estimate, jackknife
from m2solve.study.paper_points import DESIGN, HYPOTHETICAL, NOW, WITH_PI0
from m2solve.study.paper_samples import PI, PointSamples
from m2solve.study.peak import full_width, half_width, peak_height
from m2solve.study.report import figure_of_merit
from simgen.particles import particle_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from m2solve.study.histograms import Histogram
    from m2solve.study.jackknife import PartedHistogram

CLEAR, DRAMATIC, CLOSE = 1.10, 1.50, 1.10
SIGMAS = 2.0
_FLIGHT = ("M2V", "M2sV")
_NEGATIVE = (0.135, 0.145)  # what rounds to 14 %
_ABOUT_FIVE = (4.0, 6.0)
_BIAS = 0.05  # GeV, what can be seen in bins of 20 MeV
_NO_BIAS = 0.01  # GeV, half a bin, which cannot
_PAPER_LIMITS = {"random": 2.0, "M2sB_m_hat": 1.2, "truth": 0.6}  # 1e-5, 90 % CL, 710 fb^-1
_ROUNDED = 0.05  # half of the last digit of these

_BETTER, _COMPARABLE = (1.0, math.inf), (1.0 / CLOSE, CLOSE)
_ONLY_SOLVED = (
    "M2sB and M2sV have no exact solution for many candidates. Here these stay, with the nearest "
    "momenta; a minimiser that does not converge gives none. What the paper did with them is not "
    "known here."
)

Samples = Mapping[str, PointSamples]


class Verdict(StrEnum):
    """What was found of a claim or a statement."""

    REPRODUCED = "reproduced"
    PARTLY = "partly reproduced"
    NOT_REPRODUCED = "not reproduced"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Claim:
    """One number and what it has to be for the statement to hold.

    Attributes
    ----------
    quantity
        What the number is.
    estimate
        The number with its error.
    low, high
        The interval it has to be in.
    """

    quantity: str
    estimate: Estimate
    low: float = -math.inf
    high: float = math.inf

    @property
    def verdict(self) -> Verdict:
        """Undecided within `SIGMAS` errors of the nearer end of the interval, or without error."""
        value, error = self.estimate.value, self.estimate.error
        distance = min(abs(value - self.low), abs(value - self.high))
        if not distance >= SIGMAS * error:
            return Verdict.UNDECIDED
        inside = self.low < value < self.high
        return Verdict.REPRODUCED if inside else Verdict.NOT_REPRODUCED

    @property
    def criterion(self) -> str:
        """The interval for people."""
        if math.isinf(self.high):
            return f"> {self.low:g}"
        if math.isinf(self.low):
            return f"< {self.high:g}"
        return f"{self.low:.3g} to {self.high:.3g}"


@dataclass(frozen=True)
class Statement:
    """A statement of the paper and what was found.

    Attributes
    ----------
    text
        What the paper says, in short.
    claims
        All of what has to hold.
    why
        Where this disagrees, what makes the difference; shown only then.
    if_dropped
        The same claims without candidates that have no exact solution, where that matters.
    """

    text: str
    claims: tuple[Claim, ...]
    why: str
    if_dropped: tuple[Claim, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Reproduced if all claims are; partly if some are and some are not."""
        return combined(self.claims)


def combined(claims: tuple[Claim, ...]) -> Verdict:
    """Return the verdict on all claims together."""
    found = {claim.verdict for claim in claims}
    if len(found) == 1:
        return found.pop()
    if Verdict.NOT_REPRODUCED not in found:
        return Verdict.UNDECIDED
    return Verdict.PARTLY if Verdict.REPRODUCED in found else Verdict.NOT_REPRODUCED


def make_statements(samples: Samples) -> list[Statement]:
    """Return every statement of the paper's discussion with what was found.

    Parameters
    ----------
    samples
        By name of the point; see `m2solve.study.paper_points`.
    """
    return [
        _negative_m_hat(samples),
        _zero_to_m_hat(samples),
        _bias(samples),
        _m_hat_to_true(samples),
        _now(samples),
        _design(samples),
        _hypothetical(samples),
        _random(samples),
        _limits(samples),
    ]


def ratio(
    statistic: Callable[[Histogram], float], above: PartedHistogram, below: PartedHistogram
) -> Estimate:
    """Return the ratio of one statistic of two samples of the same events."""
    return jackknife(lambda a, b: statistic(a) / statistic(b), above, below)


def negative_share(mass: Histogram) -> float:
    """Return the share of m_hat with m_hat^2 < 0."""
    return mass.fraction(float(mass.edges[0]), 0.0)


def _narrowness(recoil: Histogram) -> float:
    """Return the inverse full width at half maximum, 1/GeV."""
    return 1.0 / full_width(recoil)


def _median_bias(recoil: Histogram) -> float:
    """Return how far the median of M_recoil is from the tau mass, GeV."""
    return recoil.quantile(0.5) - particle_table().by_name("tau-").mass


def _negative_m_hat(samples: Samples) -> Statement:
    now = samples[NOW]
    measured = jackknife(negative_share, now.m_hat)
    true = jackknife(negative_share, now.m_hat_true)
    return Statement(
        "In leptonic decays, m̂² is negative in 14 % of events.",
        (
            Claim("share with m̂² < 0, measured momenta", measured, *_NEGATIVE),
            Claim("the same, true momenta", true, *_NEGATIVE),
        ),
        "The share depends on the acceptance and on the matrix element of the tau decay: with V-A "
        "instead of phase space it is 14.7 % without detector.",
    )


def _improvements(
    samples: Samples, before: str, after: str, *, solved_only: bool
) -> tuple[Claim, ...]:
    """Return the claims on height and width when m = 0 becomes m_hat, leptonic decays."""
    claims = []
    for variable in (*_FLIGHT, "M2sB"):
        old, new = (
            samples[NOW].recoil(f"{variable}_{m}", "leptonic", solved_only=solved_only)
            for m in (before, after)
        )
        interval = (CLEAR, math.inf) if variable in _FLIGHT else (1.0, CLEAR)
        for name, statistic in (("height", peak_height), ("1 / full width", _narrowness)):
            quantity = f"{variable}: {name}, m̂ over 0"
            claims.append(Claim(quantity, ratio(statistic, new, old), *interval))
    return tuple(claims)


def _zero_to_m_hat(samples: Samples) -> Statement:
    changes = ("zero", "m_hat")
    return Statement(
        "From m = 0 to m̂, height and width of the M2(s)V peak improve clearly, those of M2sB "
        "slightly.",
        _improvements(samples, *changes, solved_only=False),
        "At 350 µm the vertices, not the mass, decide how wide M2V is. What M2sB gains "
        "is mostly that with m̂ more of its leptonic candidates have an exact solution, "
        f"{_share(samples, 'M2sB_m_hat')} instead of {_share(samples, 'M2sB_zero')}. "
        + _ONLY_SOLVED,
        _improvements(samples, *changes, solved_only=True),
    )


def _share(samples: Samples, method: str) -> str:
    """Return the share of leptonic candidates at the first point that are solved exactly."""
    return f"{samples[NOW].solved_share(method, 'leptonic'):.0%}"


def _bias(samples: Samples) -> Statement:
    def bias(mass: str) -> Estimate:
        return jackknife(_median_bias, samples[NOW].recoil(f"M2sB_{mass}", "leptonic"))

    return Statement(
        "The low bias that M2sB has with m = 0 goes away with m̂.",
        (
            Claim("median of M2sB less m_τ with m = 0, GeV", bias("zero"), high=-_BIAS),
            Claim("the same with m̂, GeV", bias("m_hat"), -_NO_BIAS, _NO_BIAS),
        ),
        "The median is taken of all candidates, tails included.",
    )


def _m_hat_to_true(samples: Samples) -> Statement:
    claims = []
    for variable in ("M2sB", "M2s", *_FLIGHT):
        old, new = (samples[NOW].recoil(f"{variable}_{m}", "leptonic") for m in ("m_hat", "true"))
        interval = (DRAMATIC, math.inf) if variable == "M2sB" else (-math.inf, CLEAR)
        found = ratio(figure_of_merit, new, old)
        claims.append(Claim(f"{variable}: S/√B, true m over m̂", found, *interval))
    return Statement(
        "From m̂ to the true m, M2sB improves dramatically, M2s and M2(s)V marginally or not.",
        tuple(claims),
        "Heights and widths change more than S/√B; see the table.",
    )


def _over_flight(
    samples: Samples, point: str, group: str, *, solved_only: bool = False
) -> dict[str, Estimate]:
    """Return the figure of merit of M2sB over that of M2V and of M2sV, with m_hat."""
    now = samples[point]
    ours = now.recoil("M2sB_m_hat", group, solved_only=solved_only)
    return {
        v: ratio(figure_of_merit, ours, now.recoil(f"{v}_m_hat", group, solved_only=solved_only))
        for v in _FLIGHT
    }


def _versus_flight(
    samples: Samples,
    point: str,
    hadronic: tuple[float, float],
    leptonic: tuple[float, float],
    *,
    solved_only: bool = False,
) -> tuple[Claim, ...]:
    """Return claims on S/sqrt(B) of M2sB over M2V and M2sV in both kinds of tau decays."""
    return tuple(
        Claim(f"{group}: S/√B, M2sB over {variable}", found, *interval)
        for group, interval in (("hadronic", hadronic), ("leptonic", leptonic))
        for variable, found in _over_flight(
            samples, point, group, solved_only=solved_only
        ).items()
    )  # fmt: skip


def _now(samples: Samples) -> Statement:
    return Statement(
        "At 350/25 µm, M2sB is better than M2(s)V in hadronic decays and comparable in leptonic "
        "ones.",
        _versus_flight(samples, NOW, _BETTER, _COMPARABLE),
        _ONLY_SOLVED,
        _versus_flight(samples, NOW, _BETTER, _COMPARABLE, solved_only=True),
    )


def _design(samples: Samples) -> Statement:
    lesser = []
    for variable in _FLIGHT:
        old, new = (
            (samples[p].recoil("M2sB_m_hat", "hadronic"),
             samples[p].recoil(f"{variable}_m_hat", "hadronic")) for p in (NOW, DESIGN)
        )  # fmt: skip
        found = jackknife(_double_ratio, *old, *new)
        quantity = f"hadronic: M2sB over {variable}, at 350/25 over at 150/25"
        lesser.append(Claim(quantity, found, *_BETTER))
    return Statement(
        "At 150/25 µm the same holds to a lesser degree.",
        (*_versus_flight(samples, DESIGN, _BETTER, _COMPARABLE), *lesser),
        _ONLY_SOLVED,
        _versus_flight(samples, DESIGN, _BETTER, _COMPARABLE, solved_only=True),
    )


def _double_ratio(a: Histogram, b: Histogram, c: Histogram, d: Histogram) -> float:
    """Return the ratio of the figures of merit of a and b over that of c and d."""
    merit = [figure_of_merit(h) for h in (a, b, c, d)]
    return merit[0] / merit[1] / (merit[2] / merit[3])


def _hypothetical(samples: Samples) -> Statement:
    close, overtaken = (-math.inf, CLOSE), (-math.inf, 1.0)
    return Statement(
        "At 150/5 µm, M2(s)V comes close to M2sB in hadronic decays and overtakes it in leptonic "
        "ones.",
        _versus_flight(samples, HYPOTHETICAL, close, overtaken),
        _ONLY_SOLVED,
        _versus_flight(samples, HYPOTHETICAL, close, overtaken, solved_only=True),
    )


def _random(samples: Samples) -> Statement:
    now = samples[NOW]
    random, tag, true = (now.recoil(m, "both") for m in ("random", "hadronic_tag", "truth"))
    widths = {name: half_width(sample.whole()) for name, sample in
              (("random", random), ("tag", tag), ("true", true))}  # fmt: skip
    # Errors of the tag add in quadrature to those of all else.
    wanted = (widths["random"] / 5.0) ** 2 - widths["true"] ** 2
    scale = math.sqrt(max(wanted, 0.0) / max(widths["tag"] ** 2 - widths["true"] ** 2, 1e-9))
    return Statement(
        "Random cos θ is about five times worse in resolution than a hadronic tag.",
        (
            Claim(
                "68 % half-width of M_recoil, random over hadronic tag",
                ratio(half_width, random, tag),
                *_ABOUT_FIVE,
            ),
        ),
        f"Random cos θ gives {1000 * widths['random']:.0f} MeV. The hadronic tag is B_tag with "
        "the error that the profile estimates, without wrong combinations or lost particles. It "
        f"gives {1000 * widths['tag']:.0f} MeV, the true angle {1000 * widths['true']:.0f} MeV. A "
        f"ratio of five needs an error about {scale:.1f} times that of the profile.",
    )


def _limits(samples: Samples) -> Statement:
    claims = tuple(
        Claim(
            f"S/√B, {'M2sB' if name == 'M2sB_m_hat' else 'true cos θ'} over random",
            _over_random(samples[NOW], name, "both"),
            *_limit_gain(name),
        )
        for name in ("M2sB_m_hat", "truth")
    )
    pi = _over_random(samples[NOW], "M2sB_m_hat", PI).value
    pi0 = _over_random(samples[WITH_PI0], "M2sB_m_hat", "both").value
    return Statement(
        "The expected limit is 1.2/2.0 of that with random cos θ for M2sB, 0.6/2.0 for the true "
        "cos θ. (Here S/√B in place of limits.)",
        claims,
        "S/√B over a flat background is no limit: no fit, no background shape, no efficiency. "
        "Besides, M2sB depends on the hadronic decays, where a lost π⁰ makes m = 0 wrong: in "
        f"τ → πν alone its ratio is {pi:.2f}, and {pi0:.2f} in all decays if the π⁰ of τ → ρν "
        "is found.",
    )


def _limit_gain(name: str) -> tuple[float, float]:
    """Return the least and largest ratio of two of the paper's limits, rounded as they are."""
    ours, random = _PAPER_LIMITS[name], _PAPER_LIMITS["random"]
    return (random - _ROUNDED) / (ours + _ROUNDED), (random + _ROUNDED) / (ours - _ROUNDED)


@dataclass(frozen=True)
class LimitRow:
    """The figure of merit of a method next to the paper's limit.

    Attributes
    ----------
    method
        Name.
    limit
        The paper's expected limit at 90 % CL, 1e-5; nan where it has none.
    limit_ratio
        That of random cos(theta) over this one.
    merit
        S/sqrt(B) over that of random cos(theta), all tau decays.
    pi, with_pi0
        The same in tau -> pi nu alone, and with the pi0 of the rho; None where not made.
    """

    method: str
    limit: float
    limit_ratio: float
    merit: Estimate
    pi: Estimate
    with_pi0: Estimate | None


def limit_rows(samples: Samples) -> list[LimitRow]:
    """Return the figures of merit next to the paper's limits, and those it has no limit for."""
    now, pi0 = samples[NOW], samples[WITH_PI0]
    wanted = [*_PAPER_LIMITS, "M2V_m_hat", "M2sV_m_hat", "M2sBV_m_hat", "M2sBV_posterior",
              "hadronic_tag"]  # fmt: skip
    rows = []
    for name in (m for m in wanted if m in {method.name for method in now.methods}):
        limit = _PAPER_LIMITS.get(name, math.nan)
        rows.append(
            LimitRow(
                name,
                limit,
                _PAPER_LIMITS["random"] / limit,
                _over_random(now, name, "both"),
                _over_random(now, name, PI),
                _over_random(pi0, name, "both")
                if name in {method.name for method in pi0.methods}
                else None,
            )
        )
    return rows


def _over_random(point: PointSamples, method: str, group: str) -> Estimate:
    """Return the figure of merit of a method over that of random cos(theta)."""
    return ratio(figure_of_merit, point.recoil(method, group), point.recoil("random", group))
