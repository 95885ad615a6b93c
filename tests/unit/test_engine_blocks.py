"""Random models against an oracle: the same waits after every step, with and without saving between them."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime

from blocks import ASK, BLOCKS, BOTH, COUNT, GUARD, LOOP, MANY, ROW, Block, Drawing, Oracle
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine import runner, state
from engine.model import Bundle, lint
from engine.runner import Run
from engine.spiff import Context, Specs
from engine.spiff_events import listening
from engine.spiff_parser import read

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
UNDRAWN = {"no_diagram", "no_shape", "lost_shape", "no_name", "no_name_en", "large", "no_form", "nobody", "loop_without_wait",
           "pointless_gateway", "unset_input", "unknown_name", "recursive_call"}  # fmt: skip
"""What lint may say of models that nobody drew and nobody is named in."""


MOST = 80
"""Steps one model is followed."""


def _waits(run: Run) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for task in runner.open_tasks(run.workflow):
        if task.task_spec.manual:
            found["task", str(task.task_spec.bpmn_id)] += 1
        else:
            found.update(("message", str(one.message)) for one in listening(task) if one.kind == "message")
    return found


def _act(run: Run, what: tuple[str, str]) -> None:
    kind, name = what
    if kind == "message":
        assert run.message(name, "case-1", None)
        return
    task = next(t for t in runner.open_tasks(run.workflow) if t.task_spec.bpmn_id == name)
    run.complete_user(task.id, {})


def _again(run: Run, specs: Specs) -> Run:
    lent = Context(NOW, "case-1")
    return runner.resume(state.load(state.dump(run.workflow), specs, lent), lent)


_ASK, _COUNT = Block(ASK), Block(COUNT)
_THREE = Block(BOTH, (_ASK, _ASK, _ASK))


@example(Block(LOOP, (Block(BOTH, (_COUNT, _COUNT)),), 2), 0)  # a join's earlier round
@example(Block(BOTH, (_ASK, Block(LOOP, (_THREE,), 2))), 0)  # the same beside something that is open
@example(Block(GUARD, (_ASK, Block(MANY, (), 1))), 1)  # several instances behind a boundary event
@example(Block(GUARD, (Block(ROW, (_ASK, _COUNT, _ASK)), _ASK)), 79804)  # what an ended sub-process counted
@example(
    Block(LOOP, (Block(BOTH, (Block(LOOP, (_COUNT,), 1), Block(LOOP, (_COUNT,), 3))),), 2), 0
)  # cut between taking and merging
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(block=BLOCKS, seed=st.integers(0, 2**32))
def test_random_models_do_what_they_say(block: Block, seed: int) -> None:
    chance = random.Random(seed)
    drawing = Drawing(block)
    files = {"a.bpmn": drawing.xml().encode()}
    found = lint(Bundle("a", files), {})
    assert {one.rule for one in found if one.severity == "error"} <= UNDRAWN, found
    specs = read("a", files)
    oracle = Oracle(drawing.block, drawing.names)
    plain = runner.create(specs, drawing.data, Context(NOW, "case-1"))
    plain.to_quiescence()
    saved = _again(plain, specs)
    for _ in range(MOST):
        assert _waits(plain) == oracle.waits()
        assert _waits(saved) == oracle.waits()
        assert plain.completed == saved.completed == oracle.done
        if oracle.done:
            break
        what = chance.choice(sorted(oracle.waits()))
        oracle.act(what)
        _act(plain, what)
        _act(saved, what)
        saved = _again(saved, specs) if not saved.completed else saved
    assert plain.held == []
    if oracle.done:
        for data in (plain.workflow.data, saved.workflow.data):
            assert {name: data[name] for name in drawing.data if name.startswith("c")} == {
                name: oracle.counted[name] for name in drawing.data if name.startswith("c")
            }
