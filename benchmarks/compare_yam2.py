"""Compare the solvers with results of YAM2 on the same events.

Run with ``python benchmarks/compare_yam2.py FILE.npz ...``. A file holds arrays (n, 4) of
(px, py, pz, E) in GeV, ``visible_sig``, ``visible_tag``; (4,) or (n, 4) ``total``; (n,) ``m_sig``,
``m_tag``; the number ``parent_mass``; the vectors ``flight_sig``; and for each variable what
YAM2 (https://github.com/cbpark/YAM2) returned: ``m2s_value``, negative where it failed,
``m2s_k_sig`` and ``m2s_k_tag``.

Both answers are judged alike: by how far they are from the constraints, and by the value
max(M_1, M_2) of their own momenta. Where YAM2 is lower, its momenta meet the constraints a little
less well; so the event is solved again with what YAM2's momenta do meet, their own total, masses
and direction. The exit code is 1 if YAM2 is still lower by more than 1e-8.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import m2solve
from m2solve import Status

Arrays = Mapping[str, np.ndarray[Any, Any]]
MET = 1e-6  # of sqrt(s), what YAM2 was asked for
EQUAL = 1e-6  # relative difference of two values that are the same
LIMIT = 1e-8
NAMES = {"m2": "M2", "m2s": "M2s", "m2sb": "M2sB", "m2v": "M2V", "m2sv": "M2sV"}


@dataclass(frozen=True)
class Answer:
    """Momenta of one side's parent, how well they meet the constraints, and their value."""

    violation: np.ndarray[Any, Any]
    value: np.ndarray[Any, Any]


def mass(p: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return masses of four-momenta (..., 4); -sqrt(-m^2) of space-like ones."""
    m2 = p[..., 3] ** 2 - np.sum(p[..., :3] ** 2, axis=-1)
    return np.asarray(np.sign(m2) * np.sqrt(np.abs(m2)))


def judge(name: str, data: Arrays, k_sig: Any, k_tag: Any) -> Answer:
    """Return the violation, relative to sqrt(s), and the value of invisible momenta (n, 4)."""
    total, scale = data["total"], mass(data["total"])  # (4,) or (n, 4)
    sig, tag = data["visible_sig"] + k_sig, data["visible_tag"] + k_tag
    off = [
        np.max(np.abs((sig + tag - total)[:, :3]), axis=1),
        np.abs(mass(k_sig) - data["m_sig"]) * data["m_sig"] / scale,
        np.abs(mass(k_tag) - data["m_tag"]) * data["m_tag"] / scale,
    ]
    # A mass of zero has no derivative; its square has.
    off += [np.abs(mass(k) ** 2 - m**2) / scale for k, m in
            ((k_sig, data["m_sig"]), (k_tag, data["m_tag"]))]  # fmt: skip
    if "s" in name[2:]:
        off.append(np.abs(mass(sig + tag) - scale))
    if "b" in name[2:]:
        off += [np.abs(mass(p) - data["parent_mass"]) for p in (sig, tag)]
    if "v" in name[2:]:
        flight = data["flight_sig"] / np.linalg.norm(data["flight_sig"], axis=1)[:, None]
        along = np.sum(sig[:, :3] * flight, axis=1)
        off.append(np.linalg.norm(sig[:, :3] - along[:, None] * flight, axis=1))
        off.append(np.maximum(-along, 0.0))
    return Answer(np.max(off, axis=0) / scale, np.maximum(mass(sig), mass(tag)))


def compare(name: str, data: Arrays) -> tuple[list[str], float]:
    """Return a row of the table, and the largest relative excess over YAM2."""
    more: dict[str, Any] = {}
    if "b" in name[2:]:
        more["parent_mass"] = data["parent_mass"]
    if "v" in name[2:]:
        more["flight_sig"] = data["flight_sig"]
    found = m2solve.solve(
        NAMES[name], data["visible_sig"], data["visible_tag"], data["total"],
        m_sig=data["m_sig"], m_tag=data["m_tag"], **more,
    )  # fmt: skip
    ours = judge(name, data, found.k_sig[:, 0], found.k_tag[:, 0])
    theirs = judge(name, data, data[f"{name}_k_sig"], data[f"{name}_k_tag"])
    we_solve = (found.status == Status.SOLVED) | (found.status == Status.UNBALANCED)
    they_meet = (data[f"{name}_value"] >= 0.0) & (theirs.violation < MET)
    both = we_solve & they_meet
    excess = np.where(both, ours.value / theirs.value - 1.0, -np.inf)
    lower = np.flatnonzero(excess > EQUAL)
    again = excess.copy()
    if name != "m2sb":  # has a value without a choice
        again[both] = solved_again(name, data, both) / theirs.value[both] - 1.0
    row = [
        NAMES[name],
        f"{we_solve.sum()}",
        f"{np.max(ours.violation[we_solve], initial=0.0):.0e}",
        f"{they_meet.sum()}",
        f"{np.sum(both & (np.abs(excess) <= EQUAL))}",
        f"{np.sum(both & (excess < -EQUAL))}",
        f"{len(lower)}",
        f"{np.sum(we_solve & ~they_meet)}",
        f"{np.sum(they_meet & ~we_solve)}",
        f"{excess.max():.0e}",
        "" if name == "m2sb" else f"{again.max():.0e}",
    ]
    return row, 0.0 if name == "m2sb" else float(again.max())


def solved_again(name: str, data: Arrays, rows: Any) -> np.ndarray[Any, Any]:
    """Return our values of some events with the constraints that YAM2's momenta meet exactly."""
    k_sig, k_tag = data[f"{name}_k_sig"][rows], data[f"{name}_k_tag"][rows]
    sig, tag = data["visible_sig"][rows] + k_sig, data["visible_tag"][rows] + k_tag
    more = {"flight_sig": sig[:, :3]} if "v" in name[2:] else {}
    solution = m2solve.solve(
        NAMES[name], data["visible_sig"][rows], data["visible_tag"][rows], sig + tag,
        m_sig=np.maximum(mass(k_sig), 0.0), m_tag=np.maximum(mass(k_tag), 0.0), **more,
    )  # fmt: skip
    return np.asarray(solution.value)


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    worst = 0.0
    for path in sys.argv[1:]:
        with np.load(path) as file:
            data = {key: file[key] for key in file.files}
        print(f"{path}: {len(data['visible_sig'])} events")
        head = ["variable", "solved", "worst violation", "YAM2 meets", "equal", "we lower",
                "YAM2 lower", "only we", "only YAM2", "largest excess", "solved again"]  # fmt: skip
        rows = [head]
        for name in NAMES:
            if f"{name}_value" in data:
                row, excess = compare(name, data)
                rows.append(row)
                worst = max(worst, excess)
        for row in rows:
            print("  ".join(f"{cell:>15}" for cell in row))
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
