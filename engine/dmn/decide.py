"""Decides: a compiled decision file applied to process data, required decisions first (DMN 1.5, section 10.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from engine.dmn.compiled import Compiler, function_maker
from engine.dmn.errors import DmnError
from engine.dmn.itemtypes import Types
from engine.dmn.model import Box, Context, Decision, Definition, File, Item, Knowledge, Requirement, Service
from engine.dmn.parse import load
from engine.dmn.table import Sources
from engine.feel import from_json, to_json, types
from engine.feel.errors import FeelError
from engine.feel.runtime import FUEL, Check, Code, Frame, Run
from engine.feel.types import Type
from engine.feel.values import Function

BUDGET = 10 * FUEL
"""Steps all expressions of one decision may take together."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The clock where values are only tested."""
CHAIN = 30
"""Decisions that may require each other in a row."""


@dataclass(frozen=True)
class Result:
    """What was decided, as process data; the ids of the rules that fired; and those of every decision on the way."""

    value: Any
    rules: tuple[str, ...] = ()
    trail: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Evaluation(Run):
    """One run over a file: what was given, what was decided so far, which rules fired."""

    __slots__ = ("above", "fired", "given", "known", "trail")

    def __init__(self, now: datetime, given: Mapping[str, Any], known: Mapping[str, Any] | None = None) -> None:
        super().__init__(now, BUDGET)
        self.given = given
        self.known: dict[str, Any] = dict(known or {})
        self.above: list[str] = []
        self.fired: list[str] = []
        self.trail: dict[str, tuple[str, ...]] = {}


class Decisions:
    """A compiled file: decides any of its decisions. DmnError when its FEEL is wrong.

    `imports` are the compiled files it may use, by namespace. `lenient` follows the standard to the letter: what is wrong
    or undecided gives null.
    """

    def __init__(self, file: File, imports: Mapping[str, Decisions] | None = None, *, lenient: bool = False) -> None:
        self.file = file
        self._lenient = lenient
        self._imports = {name: imports[space] for name, space in file.imports.items() if imports and space in imports}
        self._spaces = {one.file.namespace: (name, one) for name, one in self._imports.items()}
        self._names: tuple[str, ...] = tuple(
            {*_names(file), *(name for one in self._imports.values() for name in one._names)}
        )
        plain = Sources(self._names, lenient=lenient)

        def narrow(values: str, kind: Type) -> Any:
            return _allowed(plain.cell("itemDefinition", values), kind)

        self.types: Types = Types(file, {name: one.types.own for name, one in self._imports.items()}, narrow)
        self._sources = Sources(self._names, self.types.known, lenient=lenient)
        self._decisions = {one.id: self._typed(one.id, one.box, one.type) for one in file.decisions.values()}
        self._functions = {one.id: self._maker(one) for one in file.knowledge.values()}

    def _compiler(self, owner: str) -> Compiler:
        return Compiler(owner, self._sources, self.types.find)

    def _typed(self, owner: str, box: Box | None, kind: str) -> Code:
        compiler = self._compiler(owner)
        return compiler.typed(compiler.code(box), kind)

    def _maker(self, one: Knowledge) -> Any:
        return function_maker(self._compiler(one.id), one.function, one.type)

    # -- deciding ---------------------------------------------------------------------------------------------------
    def decide(self, id_: str, scope: Mapping[str, Any], *, now: datetime) -> Result:
        """Decide one decision over process data; DmnError when it is unknown or its rows do not settle it."""
        if id_ not in self.file.decisions:
            raise DmnError(f"Decision {id_} is not in the file.")
        run = Evaluation(now, {name: from_json(value, now.tzinfo) for name, value in scope.items()})
        value = self.value(run, id_)
        run.weigh(value)
        return Result(to_json(value), run.trail.get(id_, ()), run.trail)

    def evaluate(self, id_: str, given: Mapping[str, Any], *, now: datetime) -> Any:
        """The FEEL value of a decision over FEEL values."""
        return self.value(Evaluation(now, given), id_)

    def serve(self, id_: str, given: Mapping[str, Any], *, now: datetime) -> Any:
        """The FEEL value of a decision service over FEEL values by name."""
        run = Evaluation(now, given)
        service = self.file.services[id_]
        return self._service(run, service, tuple(given.get(self._name_of(one)) for one in service.inputs))

    def value(self, run: Evaluation, id_: str) -> Any:
        """A decision's value within a run, decided once."""
        key = f"{self.file.namespace}#{id_}"
        if key in run.known:
            return run.known[key]
        decision = self.file.decisions.get(id_)
        if decision is None or key in run.above:
            raise DmnError(f"Decision {id_} is {'required by itself' if decision else 'not in the file'}.")
        if len(run.above) >= CHAIN:
            raise DmnError(f"Decision {id_} stands behind more than {CHAIN} others.")
        run.above.append(key)
        frame = self._frame(run, decision.needs)
        outer, run.fired = run.fired, []
        value = self._guarded(decision, frame)
        run.trail[id_] = tuple(run.fired)
        run.fired = outer
        run.above.pop()
        run.known[key] = value
        return value

    def _guarded(self, decision: Decision, frame: Frame) -> Any:
        try:
            return self._decisions[decision.id](frame)
        except FeelError as problem:
            if self._lenient:
                return None
            raise DmnError(f"Decision {decision.id}: {problem.detail}") from None
        except RecursionError:
            raise DmnError(f"Decision {decision.id} recurses too deeply.") from None

    def _frame(self, run: Evaluation, needs: Iterable[Requirement]) -> Frame:
        """The names an element may use: what it requires, and whatever was given that no input data declares."""
        declared = {one.name for one in self.file.data.values()}
        free = {name: value for name, value in run.given.items() if name not in declared}
        names: dict[str, Any] = {}
        for need in needs:
            owner, prefix = self, ""
            if need.namespace:
                prefix, owner = self._spaces.get(need.namespace, ("", self))
            name, value = owner._provide(run, need)
            if prefix:
                names.setdefault(prefix, {})[name] = value
            else:
                names[name] = value
        return Frame(names, Frame(free, None, run), run)

    def _provide(self, run: Evaluation, need: Requirement) -> tuple[str, Any]:
        if need.kind == "input" and need.id in self.file.data:
            one = self.file.data[need.id]
            return one.name, self._input(run, one.name, one.type, f"{self.file.namespace}#{need.id}")
        if need.kind == "decision" and need.id in self.file.decisions:
            return self.file.decisions[need.id].variable, self.value(run, need.id)
        if need.id in self.file.knowledge:
            model = self.file.knowledge[need.id]
            return model.name, self._knowledge(run, model)
        if need.id in self.file.services:
            service = self.file.services[need.id]
            return service.name, self._service_function(run, service)
        if need.id in self.file.data:
            return self._provide(run, Requirement("input", need.id))
        if self._lenient:
            return need.id, None
        raise DmnError(f"{need.id!r} is required but not in the file.")

    def _input(self, run: Evaluation, name: str, kind: str, key: str) -> Any:
        if key in run.known:
            return run.known[key]
        value = run.given.get(name)
        run.weigh(value)
        return types.coerce(value, self.types.find(kind))

    def _knowledge(self, run: Evaluation, model: Knowledge) -> Function:
        key = f"{self.file.namespace}#{model.id}"
        if key not in run.known:
            needs = [one for one in model.needs if one.id != model.id]
            frame = self._frame(run, needs) if len(run.above) < CHAIN else Frame({}, None, run)
            made: Function = self._functions[model.id](frame)
            if isinstance(frame.names, dict):
                frame.names[model.name] = made
            run.known[key] = made
        found: Function = run.known[key]
        return found

    # -- services ---------------------------------------------------------------------------------------------------
    def _name_of(self, need: Requirement) -> str:
        one = self.file.data.get(need.id)
        if one is not None:
            return one.name
        decision = self.file.decisions.get(need.id)
        return decision.variable if decision else need.id

    def _service_function(self, run: Evaluation, service: Service) -> Function:
        def call(_: Run, *values: Any) -> Any:
            return self._service(run, service, values) if len(values) == len(service.inputs) else None

        return Function(tuple(map(self._name_of, service.inputs)), call)

    def _service(self, run: Evaluation, service: Service, values: tuple[Any, ...]) -> Any:
        inner = Evaluation(run.now, {})
        inner.fuel, inner.stack, inner.above = run.fuel, run.stack - 40, list(run.above)
        inner.enter(0)
        for need, value in zip(service.inputs, values, strict=True):
            holder = self.file.data.get(need.id) or self.file.decisions.get(need.id)
            kind = self.types.find(holder.type) if holder else types.ANY
            held = types.coerce(value, kind)
            if held is None and value is not None:
                return None
            inner.known[f"{self.file.namespace}#{need.id}"] = held
        made = {self._name_of(one): self.value(inner, one.id) for one in service.outputs}
        run.fuel = inner.fuel
        value = made if len(made) != 1 else next(iter(made.values()))
        return types.coerce(value, self.types.find(service.type))


def _allowed(check: Check, kind: Type) -> Any:
    def test(value: Any) -> bool:
        run = Run(EPOCH)
        frame = Frame({"?": value}, None, run)
        if isinstance(value, list) and kind.name == "list":
            return all(check(frame, one) is True for one in value)
        return check(frame, value) is True

    return test


def _names(file: File) -> set[str]:
    """Every name of the file that FEEL may meet."""
    found = {one.name for one in file.data.values()} | {one.name for one in file.knowledge.values()}
    found |= {one.variable for one in file.decisions.values()} | {one.name for one in file.services.values()}
    found |= set(file.imports)
    for item in file.items:
        found |= _item_names(item)
    for decision in file.decisions.values():
        found |= _box_names(decision.box)
    for model in file.knowledge.values():
        found |= _box_names(model.function)
    return {name for name in found if name and not name.isidentifier()}


def _item_names(item: Item) -> set[str]:
    return {one.name for one in item.components} | {name for one in item.components for name in _item_names(one)}


def _box_names(box: Any) -> set[str]:
    """Names of entries, parameters, columns and outputs anywhere in a box."""
    found: set[str] = set()
    stack = [box]
    while stack:
        one = stack.pop()
        if isinstance(one, tuple):
            stack.extend(one)
        elif hasattr(one, "__dataclass_fields__"):
            found |= {getattr(one, name) for name in ("name", "variable") if hasattr(one, name)}
            found |= set(getattr(one, "columns", ()))
            stack.extend(getattr(one, name) for name in one.__dataclass_fields__)
    return found


def decide_file(xml: bytes, decision: str | None, inputs: Mapping[str, Any], *, now: datetime) -> Any:
    """Decide over JSON inputs; without a name, the file's only decision or its last one."""
    file = load(xml)
    if not file.decisions:
        raise DmnError("The file holds no decision.")
    return Decisions(file).decide(decision or list(file.decisions)[-1], inputs, now=now).value


__all__ = ["Context", "Decisions", "Definition", "Result", "decide_file"]
