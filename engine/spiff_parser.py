"""From the models of a bundle to executable specifications (BPMN 2.0 with the spiffworkflow extension namespace)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser, full_tag
from SpiffWorkflow.bpmn.parser.event_parsers import (
    BoundaryEventParser,
    EndEventParser,
    EventBasedGatewayParser,
    EventDefinitionParser,
    IntermediateCatchEventParser,
    IntermediateThrowEventParser,
    ReceiveTaskParser,
    SendTaskParser,
    StartEventParser,
)
from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
from SpiffWorkflow.bpmn.parser.task_parsers import (
    CallActivityParser,
    ConditionalGatewayParser,
    GatewayParser,
    ScriptTaskParser,
    SubWorkflowParser,
)
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.specs.data_spec import TaskDataReference
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask

from engine import spiff, spiff_events, spiff_gateways, spiff_instances
from engine.errors import LianyiError
from engine.lower import SPLIT, lower

NS = {
    "bpmn": "http://www.omg.org/spec/BPMN/20100524/MODEL",
    "spiff": "http://spiffworkflow.org/bpmn/schema/1.0/core",
}


class ModelBroken(LianyiError):
    """The model cannot be executed."""

    code = "model_broken"
    status = 422
    advice = "Run `lianyi lint` on the model and correct what it names."


def read(top: str, files: Mapping[str, bytes]) -> spiff.Specs:
    """The specifications of the process `top` and of all it reaches; `files` are the bundle's, by name.

    Raises ModelBroken with file and element when a construct has no executable form.
    """
    parser = _Parser()
    safe = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)
    try:
        for name in sorted(files):
            if name.endswith(".bpmn"):
                parser.add_bpmn_xml(lower(etree.fromstring(files[name], safe)), name)
        spec = parser.get_spec(top)
        processes = parser.get_subprocess_specs(top)
    except ValidationException as error:
        where = f"{error.file_name or '?'}:{error.line_number or '?'} {error.tag or ''} {error.id or ''}"
        raise ModelBroken(f"{where}: {error}") from error
    except (etree.XMLSyntaxError, spiff.Stuck) as error:
        raise ModelBroken(str(error)) from error
    for one in [spec, *processes.values()]:
        one.data_objects.clear()
        _connect_loops(one)
    mutable = any(one.start.trigger_specs for one in [spec, *processes.values()])
    return spiff.Specs(spec, processes, mutable)


def _connect_loops(spec: Any) -> None:
    """SpiffWorkflow connects a multi-instance to its instances when it starts; a loaded one must find it connected."""
    for one in spec.task_specs.values():
        if isinstance(one, LoopTask):
            child = spec.task_specs[one.task_spec]
            if not child.completed_event.is_connected(one.merge_child):
                child.completed_event.connect(one.merge_child)


def _extension(node: Any, path: str) -> Any:
    found = node.find(f"bpmn:extensionElements/{path}", NS)
    return found if found is not None else None


def properties(node: Any) -> dict[str, str]:
    """The spiffworkflow properties of an element."""
    found = node.findall("bpmn:extensionElements/spiff:properties/spiff:property", NS)
    return {one.get("name"): one.get("value", "") for one in found}


class _Nodes(TaskParser):
    """What our parsers share: properties, document order, names of our loop classes."""

    STANDARD_LOOP_CLASS = spiff_instances.Loop
    PARALLEL_MI_CLASS = spiff_instances.ParallelInstances
    SEQUENTIAL_MI_CLASS = spiff_instances.SequentialInstances

    def get_position(self, node: Any = None) -> dict[str, float]:  # noqa: ARG002 - the interface
        """Everywhere the same: flows keep the order of the document, not of the drawing."""
        return {"x": 0.0, "y": 0.0}

    def create_task(self) -> Any:
        """The task specification with the properties of its element."""
        task = super().create_task()
        task.properties = properties(self.node)
        return task

    def create_data_spec(self, item: Any, cls: Any) -> Any:
        """Data items are known by their name."""
        name = item.get("name") or item.get("id")
        return cls(name, name)

    def parse_incoming_data_references(self) -> list[Any]:
        """Data associations carry nothing here: every task of a process sees its data."""
        return []

    def parse_outgoing_data_references(self) -> list[Any]:
        """See `parse_incoming_data_references`."""
        return []


class _Task(_Nodes):
    pass


class _Script(_Nodes, ScriptTaskParser):
    def create_task(self) -> Any:
        task = super().create_task()
        spiff.script_lines(task.script or "")
        return task


class _Service(_Nodes):
    def create_task(self) -> Any:
        task = super().create_task()
        operator = _extension(self.node, "spiff:serviceTaskOperator")
        if operator is None:
            self.raise_validation_exception("A service task needs a serviceTaskOperator")
        task.operation = operator.get("id")
        task.result_variable = operator.get("resultVariable") or None
        found = operator.findall("spiff:parameters/spiff:parameter", NS)
        task.parameters = {one.get("id"): one.get("value", "") for one in found}
        return task


class _Rule(_Nodes):
    def create_task(self) -> Any:
        task = super().create_task()
        decision = _extension(self.node, "spiff:calledDecisionId")
        if decision is None or not decision.text:
            self.raise_validation_exception("A business rule task needs a calledDecisionId")
        task.decision = decision.text.strip()
        return task


class _Gateway(_Nodes, GatewayParser):
    def create_task(self) -> Any:
        """A gateway that stands in no drawing has no name in one."""
        task = super().create_task()
        if self.node.get("id", "").endswith(SPLIT):
            task.bpmn_id = None
        return task


class _Conditional(_Nodes, ConditionalGatewayParser):
    pass


class _Sub(_Nodes, SubWorkflowParser):
    pass


class _Call(_Nodes, CallActivityParser):
    pass


class _Events(_Nodes, EventDefinitionParser):
    """Event definitions of ours; `_create_task` is SpiffWorkflow's common constructor."""

    def parse_timer_event(self, event: Any) -> Any:
        for tag in ("timeDate", "timeDuration", "timeCycle"):
            found = event.find(f"bpmn:{tag}", NS)
            if found is not None and found.text:
                return spiff_events.Timer(self.bpmn_id, found.text, cycle=tag == "timeCycle")
        return self.raise_validation_exception("A timer needs a date, a duration or a cycle")

    def parse_message_event(self, message_event: Any) -> Any:
        root = message_event.getroottree()
        reference = message_event.get("messageRef")
        message = root.find(f".//bpmn:message[@id='{reference}']", NS) if reference else None
        if message is None or not message.get("name"):
            return self.raise_validation_exception(f"There is no message {reference}")
        own = [_extension(self.node, f"spiff:{tag}") for tag in ("messagePayload", "messageVariable")]
        far = [_extension(message, f"spiff:{tag}") for tag in ("messagePayload", "messageVariable")]
        payload, variable = ((a if a is not None else b) for a, b in zip(own, far, strict=True))
        return spiff_events.Message(
            self.bpmn_id,
            message.get("name"),
            payload.text if payload is not None else None,
            variable.text.strip() if variable is not None and variable.text else None,
            properties(self.node).get("correlation"),
        )

    def parse_error_event(self, error_event: Any) -> Any:
        return self._fault(error_event, "error", "errorRef", "errorCode")

    def parse_escalation_event(self, escalation_event: Any) -> Any:
        return self._fault(escalation_event, "escalation", "escalationRef", "escalationCode")

    def _fault(self, event: Any, kind: str, reference: str, code: str) -> Any:
        declared = event.getroottree().find(f".//bpmn:{kind}[@id='{event.get(reference)}']", NS)
        return spiff_events.Fault(self.bpmn_id, kind, declared.get(code) if declared is not None else None)

    def _create_task(self, event_definition: Any, cancel_activity: Any = None, parallel: Any = None) -> Any:
        task = super()._create_task(event_definition, cancel_activity, parallel)
        task.properties = properties(self.node)
        return task


class _Start(_Events, StartEventParser):
    def create_task(self) -> Any:
        """A process is started by its caller, by a message or by the clock; inside, its start event is just passed."""
        task = self._create_task(NoneEventDefinition())
        self.spec.start.connect(task)
        return task


class _End(_Events, EndEventParser):
    create_task = EndEventParser.create_task


class _Catch(_Events, IntermediateCatchEventParser):
    create_task = IntermediateCatchEventParser.create_task


class _Throw(_Events, IntermediateThrowEventParser):
    create_task = IntermediateThrowEventParser.create_task


class _Send(_Events, SendTaskParser):
    create_task = SendTaskParser.create_task


class _Receive(_Events, ReceiveTaskParser):
    create_task = ReceiveTaskParser.create_task


class _Boundary(_Events, BoundaryEventParser):
    create_task = BoundaryEventParser.create_task


class _EventGateway(_Events, EventBasedGatewayParser):
    def create_task(self) -> Any:
        return self._create_task(spiff_events.FirstOf(self.bpmn_id))


class _Process(ProcessParser):
    def _index_process_nodes(self) -> None:
        """Only BPMN elements: a parameter of the extension namespace may carry the id of a node."""
        super()._index_process_nodes()
        self.nodes_by_id = {one.get("id"): one for one in self.node.iter(f"{{{NS['bpmn']}}}*") if one.get("id")}

    def create_spec(self) -> spiff_gateways.ProcessSpec:
        if not self.process_executable:
            raise ValidationException(f"Process {self.bpmn_id} is not executable", self.node, self.filename)
        spec = spiff_gateways.ProcessSpec(name=self.bpmn_id, description=self.get_name(), filename=self.filename)
        for kind, attribute in (("dataInput", "takes"), ("dataOutput", "gives")):
            found = self.node.findall(f"bpmn:ioSpecification/bpmn:{kind}", NS)
            setattr(spec, attribute, tuple(one.get("name") or one.get("id") for one in found))
        return spec

    def parse_io_spec(self) -> None:
        """Call activities read `takes` and `gives` instead."""
        return

    def parse_data_object(self, obj: Any) -> Any:
        return TaskDataReference(obj.get("id"), obj.get("name"))


class _Parser(BpmnParser):
    PROCESS_PARSER_CLASS = _Process
    PARSER_CLASSES = {  # noqa: RUF012 - read only
        full_tag(tag): pair
        for tag, pair in {
            "startEvent": (_Start, spiff_events.StartEvent),
            "endEvent": (_End, spiff_events.EndEvent),
            "task": (_Task, spiff.NoneTask),
            "userTask": (_Task, spiff.UserTask),
            "manualTask": (_Task, spiff.ManualTask),
            "serviceTask": (_Service, spiff.ServiceTask),
            "businessRuleTask": (_Rule, spiff.BusinessRuleTask),
            "scriptTask": (_Script, spiff.ScriptTask),
            "sendTask": (_Send, spiff_events.SendTask),
            "receiveTask": (_Receive, spiff_events.ReceiveTask),
            "exclusiveGateway": (_Conditional, spiff_gateways.ExclusiveGateway),
            "inclusiveGateway": (_Conditional, spiff_gateways.InclusiveGateway),
            "parallelGateway": (_Gateway, spiff_gateways.ParallelGateway),
            "eventBasedGateway": (_EventGateway, spiff_events.EventBasedGateway),
            "subProcess": (_Sub, spiff.SubProcess),
            "callActivity": (_Call, spiff.CallActivity),
            "intermediateCatchEvent": (_Catch, spiff_events.CatchEvent),
            "intermediateThrowEvent": (_Throw, spiff_events.ThrowEvent),
            "boundaryEvent": (_Boundary, spiff_events.BoundaryEvent),
        }.items()
    }
