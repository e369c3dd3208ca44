from __future__ import annotations

import itertools

import decay_trees
import numpy as np
import pytest
from decay_trees import P, d0, event, make_block, mass2, pi0, signal, tag

from detector.combinations import N_PARTS
from detector.true_decays import (
    N_CHAIN,
    b_mesons,
    heavy_parents,
    mark_ancestors,
    other_parent,
    single_recoil,
    write_chain,
)
from simgen.events import FINAL

B_PLUS = {
    "signal": signal(2),
    "rho": signal(4, tau_sign=-1),
    "D+": P(521, [P(411, [P(-321), P(211), P(211)]), P(321), P(-211)]),
    "D* K pi": P(521, [P(-423, [d0().conjugate(), P(22)]), P(321), pi0()]),
    "D mu": P(521, [P(-421, [P(321), P(-211), pi0()]), P(-13), P(14)]),
    "J/psi": P(521, [P(443, [P(13), P(-13)]), P(321)]),
    "K pi pi": P(521, [P(321), P(211), P(-211)]),
    "radiating": P(521, [P(321), P(15, [P(-211), P(16)]), P(-13, [P(-13), P(22)]), P(22)]),
}


@pytest.fixture(autouse=True)
def masses(monkeypatch):
    monkeypatch.setitem(decay_trees.MASS, 13, 0.1056583755)


def one(tree, total, n=1):
    block = make_block(tree, n, np.random.default_rng(3), total=total)
    k = block.offsets[1]
    return block, block.pdgid[:k].copy(), block.mother[:k].copy(), block.status[:k].copy()


def final_below(ancestor, mother, status):
    found = set()
    for k in range(ancestor + 1, len(mother)):
        m = k
        while m > ancestor:
            m = mother[m]
        if m == ancestor and status[k] == FINAL:
            found.add(k)
    return found or {ancestor}


@pytest.mark.parametrize("name", [n for n in B_PLUS if n != "radiating"])
def test_single_recoil_agrees_with_sets_of_final_particles_and_with_momenta(name, total):
    """For all pairs of charged particles of the event, from the right side or not."""
    block, pdgid, mother, status = one(event(B_PLUS[name], tag("D* -> D pi")), total)
    of = np.zeros(len(pdgid), dtype=np.int64)
    b_mesons(pdgid, mother, of)
    b = int(np.flatnonzero(pdgid == 521)[0])
    charged = [k for k in range(len(pdgid)) if abs(pdgid[k]) in (11, 13, 211, 321)]
    all_of_b, some = final_below(b, mother, status), 0
    for kaon, lepton in itertools.permutations(charged, 2):
        found = single_recoil(b, kaon, lepton, pdgid, mother, status, of)
        rest = all_of_b - {kaon, lepton}
        alone = [
            k for k in range(b + 1, len(pdgid)) if final_below(k, mother, status) == rest
        ] if {kaon, lepton} < all_of_b else []  # fmt: skip
        assert found == (pdgid[alone[-1]] if alone else 0)
        if alone:
            some += 1
            recoil = block.p4[b] - block.p4[kaon] - block.p4[lepton]
            expected = decay_trees.MASS[abs(found)]
            assert mass2(recoil) == pytest.approx(expected**2, abs=1e-9)
    assert some > 0 or name in ("D mu", "D* K pi")


def test_radiated_photons_do_not_count(total):
    _, pdgid, mother, status = one(event(B_PLUS["radiating"], tag()), total)
    of = np.zeros(len(pdgid), dtype=np.int64)
    b_mesons(pdgid, mother, of)
    b, kaon = (int(np.flatnonzero(pdgid == x)[0]) for x in (521, 321))
    muon = int(np.flatnonzero(pdgid == -13)[1])
    assert single_recoil(b, kaon, muon, pdgid, mother, status, of) == 15
    assert single_recoil(b, -1, muon, pdgid, mother, status, of) == 0
    assert single_recoil(-1, kaon, muon, pdgid, mother, status, of) == 0


def chain(tree, total, taken, *, with_b=True):
    """Chains of the first and the second parent, if the final particles `taken` are used."""
    _, pdgid, mother, status = one(tree, total)
    of, leads = np.zeros(len(pdgid), dtype=np.int64), np.zeros(len(pdgid), dtype=np.bool_)
    (b_mesons if with_b else heavy_parents)(pdgid, mother, of)
    part = np.full(N_PARTS, -1, dtype=np.int64)
    used = [k for k in range(len(pdgid)) if status[k] == FINAL and pdgid[k] in taken]
    part[: len(used)] = used
    mark_ancestors(part, mother, leads)
    first = other_parent(-1, part, of)
    out = []
    for parent in (first, other_parent(first, part, of)):
        numbers = np.full(N_CHAIN, 7, dtype=np.int32)
        write_chain(parent, pdgid, mother, of, leads, numbers)
        out.append(numbers.tolist())
    return out


def padded(*numbers):
    return [*numbers, *[0] * (N_CHAIN - len(numbers))]


def test_chains_follow_weak_decays_that_lead_to_tracks(total):
    tree = event(B_PLUS["D* K pi"], tag("D* -> D pi"))
    with_kaons, with_pion = (chain(tree, total, taken) for taken in ((321, -321), (211,)))
    b = (521, -423, 321, 111, 0)
    assert with_kaons[0] == padded(*b, -421, 321, -211, 0)  # the D* is passed over
    assert with_kaons[1] == padded(-521, 413, -14, 13, 0, 421, -321, 211, 0)
    assert with_pion[0] == with_kaons[1]
    assert chain(tree, total, (13,))[0] == padded(-521, 413, -14, 13, 0)


def test_chains_without_a_b_begin_with_charm_or_a_tau(total):
    charm = P(300553, [P(413, [d0(), P(211)]), P(-411, [P(321), P(-211), P(-211)]), P(321)])
    found = chain(charm, total, (-321, 321), with_b=False)
    assert found[0] == padded(413, 421, 211, 0, 421, -321, 211, 0)
    assert found[1] == padded(-411, 321, -211, -211, 0)
    taus = P(300553, [P(15, [P(15, [P(-211), P(16)]), P(22)]), P(-15, [P(-13), P(14), P(-16)])])
    found = chain(taus, total, (-211, -13), with_b=False)
    assert found[0] == padded(15, -211, 16, 0)  # what it radiated into
    assert found[1] == padded(-15, -16, 14, -13, 0)
    assert chain(P(300553, [P(211), P(-211)]), total, (211,), with_b=False) == [padded()] * 2


def test_a_photon_is_written_where_it_is_not_radiated(total):
    charm = P(300553, [P(423, [d0(), P(22)]), P(-421, [P(321), P(-13), P(14), P(22)])])
    found = chain(charm, total, (-321, 321), with_b=False)
    assert found[0] == padded(423, 421, 22, 0, 421, -321, 211, 0)
    assert found[1] == padded(-421, 321, 14, -13, 0)


@pytest.mark.parametrize(("pairs", "end"), [(18, [0, 421]), (19, [12, 12]), (20, [12, 12])])
def test_a_chain_that_does_not_fit_has_no_end(pairs, end, total):
    many = P(521, [P(421, [P(-321), P(211), pi0()]), *[P(12), P(-12)] * pairs])
    found, _ = chain(event(many, tag()), total, (-321,))
    assert found[:3] == [521, 421, 12]
    assert [abs(x) for x in found[38:]] == end
