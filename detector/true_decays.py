"""The true decays behind a candidate: the chains of its tracks, and what recoils as one particle.

Weak decays of charm, decays of charmonium and of taus are followed as far as they lead to a track
or photon of the candidate; strong and electromagnetic decays are passed over, so that a D counts
the same whether it comes from a D* or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from detector.reading import N_PARTS
from simgen.events import FINAL
from simgen.jit import lean_kernel

if TYPE_CHECKING:
    from simgen.typing import BoolArray, Int8Array, Int32Array, IntArray

N_CHAIN = 40
"""Of a true decay chain so many numbers are kept."""

_N_PARTS, _N_CHAIN, _FINAL = N_PARTS, N_CHAIN, FINAL
_PHOTON, _TAU = 22, 15


@lean_kernel
def b_mesons(pdgid: Int32Array, mother: Int32Array, of: IntArray) -> None:
    """Write for each particle the index of the B it descends from, -1 for none.

    A B that mixes or radiates into itself counts where it decays: its last copy.

    Parameters
    ----------
    pdgid, mother
        Particles of the event.
    of
        (n,) receives the indices; a B that decays has its own.
    """
    n = len(pdgid)
    for k in range(n):
        m = mother[k]
        is_b = abs(pdgid[k]) in (511, 521)
        of[k] = k if is_b else (of[m] if m >= 0 else -1)


@lean_kernel
def taus(pdgid: Int32Array, mother: Int32Array, of: IntArray) -> None:
    """Write for each particle the index of the tau it descends from, -1 for none.

    Of a tau that radiates into itself, the last; the parameters are those of `b_mesons`.
    """
    for k in range(len(pdgid)):
        m = mother[k]
        of[k] = k if abs(pdgid[k]) == _TAU else (of[m] if m >= 0 else -1)


@lean_kernel
def heavy_parents(pdgid: Int32Array, mother: Int32Array, of: IntArray) -> None:
    """Write for each particle the first charmed hadron or tau above it, or itself; -1 for none.

    For events without B mesons: the parameters are those of `b_mesons`.
    """
    for k in range(len(pdgid)):
        m = mother[k]
        above = of[m] if m >= 0 else -1
        if above < 0 and _is_heavy(abs(pdgid[k])):
            above = k
        if above == m and m >= 0 and pdgid[m] == pdgid[k]:
            above = k  # the last of copies
        of[k] = above


@lean_kernel
def other_parent(one: int, tracks: IntArray, of: IntArray) -> int:
    """Return the parent of the first of `tracks` that has another than `one`, -1 for none."""
    for k in tracks:
        if k >= 0 and of[k] >= 0 and of[k] != one:
            return int(of[k])
    return -1


@lean_kernel
def mark_ancestors(part: IntArray, mother: Int32Array, leads: BoolArray) -> None:
    """Mark the particles of a candidate and all they descend from.

    Parameters
    ----------
    part
        (N_PARTS,) indices in the event, -1 for none.
    mother
        Mothers of the particles of the event.
    leads
        (n,) receives the marks.
    """
    leads[:] = False
    for j in range(_N_PARTS):
        k = part[j]
        while k >= 0 and not leads[k]:
            leads[k] = True
            k = mother[k]


@lean_kernel
def write_chain(
    parent: int,
    pdgid: Int32Array,
    mother: Int32Array,
    of: IntArray,
    leads: BoolArray,
    out: Int32Array,
) -> None:
    """Write the PDG numbers of a chain of decays: parent, daughters, 0, parent, daughters, 0, ...

    The first is the decay of `parent`; those after it are of what the module names. Daughters are
    those with the largest numbers first. Photons are left out, but for one beside a single other
    daughter: charged particles radiate, and a D* -> D gamma should not look like a D* -> D. A
    chain that does not fit ends without a 0.

    Parameters
    ----------
    parent
        Index in the event, -1 for none.
    pdgid, mother
        Particles of the event.
    of
        (n,) `b_mesons` or `heavy_parents`.
    leads
        (n,) particles whose decays are followed.
    out
        (N_CHAIN,) receives the numbers, 0 beyond.
    """
    out[:] = 0
    if parent < 0:
        return
    n = 0
    for k in range(parent, len(pdgid)):
        if k != parent and not (of[k] == parent and leads[k] and _is_followed(abs(pdgid[k]))):
            continue
        massive, same = 0, False
        for j in range(k + 1, len(pdgid)):
            if mother[j] == k and pdgid[j] != _PHOTON:
                massive += 1
                same = same or pdgid[j] == pdgid[k]
        if massive == 0 or same:
            continue
        if n >= _N_CHAIN:
            return
        out[n] = pdgid[k]
        first = n + 1
        n = first
        for j in range(k + 1, len(pdgid)):
            if mother[j] != k or (pdgid[j] == _PHOTON and massive > 1):
                continue
            if n >= _N_CHAIN:
                return
            i = n
            while i > first and _goes_before(pdgid[j], out[i - 1]):
                out[i] = out[i - 1]
                i -= 1
            out[i] = pdgid[j]
            n += 1
        n += 1  # the 0


@lean_kernel
def _goes_before(a: int, b: int) -> bool:
    """Order PDG numbers by absolute value, particle before antiparticle."""
    return abs(a) > abs(b) or (abs(a) == abs(b) and a > b)


@lean_kernel
def _is_heavy(number: int) -> bool:
    """Return whether a particle, by its absolute number, is a tau or has one charm quark."""
    if number < 100:
        return number == _TAU
    quarks = number // 10 % 1000
    charm = 0
    for _ in range(3):
        charm += 1 if quarks % 10 == 4 else 0
        quarks //= 10
    return charm == 1


@lean_kernel
def _is_followed(number: int) -> bool:
    """Return whether the decay of a particle, by its absolute number, is part of a chain."""
    return number in (15, 411, 421, 431, 441, 443, 100443, 4122) or number in (4132, 4232, 4332)


@lean_kernel
def single_recoil(
    parent: int,
    kaon: int,
    lepton: int,
    pdgid: Int32Array,
    mother: Int32Array,
    status: Int8Array,
    of: IntArray,
) -> int:
    r"""Return the one particle that all of a B but kaon and lepton comes from, as a PDG number.

    If there is one, of mass m, the true recoil has a single mass, :math:`(p_B - p_K - p_\ell)^2 =
    m^2`, as for signal, where it is the tau. 0 is returned if there is none, if there is no B, or
    if the particles taken for kaon and lepton are not both of this B. Photons that come with the
    lepton or directly from the B do not count; they are radiated.

    Parameters
    ----------
    parent
        Index of the B of the signal side in the event, -1 for none.
    kaon, lepton
        Indices of what is taken for kaon and lepton, -1 where the signal has none.
    pdgid, mother, status
        Particles of the event.
    of
        (n,) `b_mesons`.
    """
    if parent < 0 or max(kaon, lepton) < 0:
        return 0
    for k in (kaon, lepton):
        if k >= 0 and of[k] != parent:
            return 0
    common = -1
    for k in range(parent + 1, len(pdgid)):
        if of[k] != parent or status[k] != _FINAL or k in (kaon, lepton):
            continue
        if pdgid[k] == _PHOTON and (mother[k] == parent or abs(pdgid[mother[k]]) in (11, 13)):
            continue
        common = k if common < 0 else _common_ancestor(common, k, mother)
    if common < 0 or common == parent:
        return 0
    for k in (kaon, lepton):
        if k >= 0 and _common_ancestor(common, k, mother) == common:
            return 0
    return int(pdgid[common])


@lean_kernel
def _common_ancestor(a: int, b: int, mother: Int32Array) -> int:
    """Return the last particle that two descend from, one of the two if it is the other's."""
    while a != b:
        if a > b:
            a = mother[a]
        else:
            b = mother[b]
    return a
