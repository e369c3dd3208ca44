from __future__ import annotations

import numpy as np

from detector.cutflow import STAGES, CutFlow


def test_counts_are_of_events_that_got_at_least_so_far():
    passed = np.array([0, 0, 1, 3, 6, 8, 5], dtype=np.int8)
    assert CutFlow.from_passed(passed).counts == (7, 5, 4, 4, 3, 3, 2, 1, 1)


def test_cut_flows_of_blocks_add_up():
    a = CutFlow.from_passed(np.array([0, 8], dtype=np.int8))
    b = CutFlow.from_passed(np.array([8, 2, 1], dtype=np.int8))
    both = CutFlow.from_passed(np.array([0, 8, 8, 2, 1], dtype=np.int8))
    assert a + b == both
    assert CutFlow() + a == a


def test_no_events_count_as_zero():
    assert CutFlow.from_passed(np.empty(0, dtype=np.int8)) == CutFlow()
    assert str(CutFlow()).count("\n") == len(STAGES) - 1


def test_it_prints_a_line_a_requirement_with_the_share_that_is_left():
    flow = CutFlow.from_passed(np.array([0, 1, 8, 6], dtype=np.int8))
    lines = str(flow).splitlines()
    assert [line.split("  ")[0] for line in lines] == list(STAGES)
    assert lines[1].split()[-2:] == ["3", "75.0%"]
    assert flow.as_dict()["photons accepted"] == 2
