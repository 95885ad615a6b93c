"""An activity done several times: once for each item of a list or each number below one, all at a time or one by one."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs import defaults as base
from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine import feel
from engine.merge import merge_branches
from engine.model.types import MOST_PARALLEL, MOST_SEQUENTIAL
from engine.spiff import Holding, Stuck, decide, evaluate_json, inputs
from engine.values import Json


class _Instances(Holding):
    """Counts the instances, and gathers what each gives: its output item, or what it changed."""

    most: int
    cardinality: str
    condition: str | None
    data_input: Any
    data_output: Any
    input_item: Any
    output_item: Any

    def _count(self, my_task: Task) -> int:
        """How many instances there are to be. Stuck where nobody can count them."""
        if self.data_input is not None:
            source, value = self.data_input.bpmn_id, my_task.data.get(self.data_input.bpmn_id)
            count = len(value) if isinstance(value, list) else None
        else:
            source, value = self.cardinality, evaluate_json(my_task, self.cardinality)
            count = value if isinstance(value, int) and not isinstance(value, bool) else None
        if count is None or not 0 <= count <= self.most:
            seen = inputs(my_task, feel.compile(source).names)
            raise Stuck("expression", "loop_count", f"{source} gives no list or number of 0 to {self.most}", seen)
        return count

    def _gather_anew(self, my_task: Task) -> None:
        """An empty output list: what an earlier round gave does not count in this one. A list updated in place stays."""
        if self.data_output is not None and not self._in_place:
            my_task.data = {**my_task.data, self.data_output.bpmn_id: []}

    @property
    def _in_place(self) -> bool:
        both = self.data_input, self.data_output
        return None not in both and self.data_input.bpmn_id == self.data_output.bpmn_id

    def _item(self, my_task: Task, index: int) -> Json:
        """The item of an instance: the element of the list, or its number."""
        if self.data_input is None:
            return index
        items = my_task.data.get(self.data_input.bpmn_id)
        if not isinstance(items, list) or index >= len(items):
            source = self.data_input.bpmn_id
            raise Stuck("expression", "loop_count", f"{source} became shorter than it was", inputs(my_task, [source]))
        item: Json = items[index]
        return item

    def _merge(self, child: Task) -> None:
        """Take over what a finished instance gives; no list is changed in place, for others hold it too."""
        parent = child.parent
        if self.data_output is None or self.output_item is None:
            private = {item.bpmn_id for item in (self.input_item, self.output_item) if item is not None}
            child.data = {name: value for name, value in child.data.items() if name not in private}
            merged = merge_branches(parent.parent.data, [parent.data, child.data])
            parent.data, child.data = merged, merged
            return
        name, item = self.data_output.bpmn_id, child.data.get(self.output_item.bpmn_id)
        gathered = [*(parent.data.get(name) or ())]
        if self._in_place:
            gathered[child.internal_data["key_or_index"]] = item
        else:
            gathered.append(item)
        parent.data = {**parent.data, name: gathered}

    def _enough(self, child: Task) -> bool:
        """Whether what this instance gave ends the others. Stuck when that is neither true nor false."""
        return self.condition is not None and decide(child, self.condition)


class ParallelInstances(_Instances, base.ParallelMultiInstanceTask):
    """All at a time."""

    most = MOST_PARALLEL

    def create_children(self, my_task: Task) -> None:
        """One instance for each item (SpiffWorkflow calls this when a token arrives)."""
        count = self._count(my_task)
        self._gather_anew(my_task)
        for index in range(count):
            self.create_child(my_task, self._item(my_task, index), index)

    def merge_child(self, workflow: Any, child: Task) -> None:  # noqa: ARG002 - the interface
        """Merge one finished instance (SpiffWorkflow calls this when it completes)."""
        my_task = child.parent
        self._merge(child)
        my_task.internal_data["merged"].append(str(child.id))
        if self._enough(child):
            for other in self._instances(my_task):
                other.cancel()
            my_task._set_state(TaskState.READY)
        elif self.children_complete(my_task):
            my_task._set_state(TaskState.READY)


class SequentialInstances(_Instances, base.SequentialMultiInstanceTask):
    """One after the other. What is finished is cut off by compaction, so the tenth and the thousandth cost the same."""

    most = MOST_SEQUENTIAL

    def _reached(self, my_task: Task) -> bool | None:
        BpmnTaskSpec._update_hook(self, my_task)
        count = self._count(my_task)
        self._gather_anew(my_task)
        my_task.internal_data |= {"count": count, "done": 0}
        if count == 0:
            return True
        self.create_child(my_task, self._item(my_task, 0), 0)
        my_task._set_state(TaskState.STARTED)
        return None

    def merge_child(self, workflow: Any, child: Task) -> None:  # noqa: ARG002 - the interface
        """Merge the finished instance and begin the next (SpiffWorkflow calls this when one completes)."""
        my_task = child.parent
        count, done = self._progress(my_task)
        self._merge(child)
        my_task.internal_data.clear()
        my_task.internal_data |= {"count": count, "done": done + 1}
        if done + 1 == count or self._enough(child):
            my_task._set_state(TaskState.READY)
        else:
            self.create_child(my_task, self._item(my_task, done + 1), done + 1)

    def _progress(self, my_task: Task) -> tuple[int, int]:
        """How many there are and how many are done; states of earlier versions kept what remains instead."""
        kept = my_task.internal_data
        if "count" in kept:
            return kept["count"], kept["done"]
        if "remaining" in kept:
            count = self._count(my_task)
            return count, count - len(kept["remaining"]) - 1
        return kept["cardinality"], kept["current"] - 1


class Loop(Holding, base.StandardLoopTask):
    """An activity repeated while a condition holds."""
