"""The worklist on the real engine: a form's process fields move the instance, its text does not reach it."""

from __future__ import annotations

import importlib.resources
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from argon2 import PasswordHasher

from engine import Bundle, Database, Engine, Signature, TestClock, Type
from engine.operations import Effect
from tasks.cases.service import Cases, NewCase
from tasks.people.service import People
from tasks.worklist.service import Worklist

MARKER = "张三丰左肺磨玻璃结节"
DEFINITIONS = 'xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core"'
MODEL = f"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions {DEFINITIONS} id="d" targetNamespace="t">
  <bpmn:process id="small" isExecutable="true">
    <bpmn:startEvent id="start"><bpmn:outgoing>a</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="approve"/>
    <bpmn:userTask id="approve" name="医务审批"><bpmn:extensionElements><spiffworkflow:properties>
      <spiffworkflow:property name="name_en" value="Approve"/><spiffworkflow:property name="form" value="approve"/>
      <spiffworkflow:property name="role" value="&quot;approver&quot;"/><spiffworkflow:property name="scope" value="case.from"/>
      <spiffworkflow:property name="due" value="duration(&quot;PT2H&quot;)"/>
    </spiffworkflow:properties></bpmn:extensionElements><bpmn:incoming>a</bpmn:incoming><bpmn:outgoing>b</bpmn:outgoing></bpmn:userTask>
    <bpmn:sequenceFlow id="b" sourceRef="approve" targetRef="end"/>
    <bpmn:endEvent id="end"><bpmn:incoming>b</bpmn:incoming></bpmn:endEvent>
  </bpmn:process>
</bpmn:definitions>""".encode()


def test_submission_moves_the_instance_and_leaves_the_text_behind(db: Database, clock: TestClock) -> None:
    people = People(db, clock, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    cases = Cases(db, clock, people)
    engine = Engine(db, {"x.y": Signature("x.y", Effect.LOCAL, {"case": Type.TEXT})}, clock)
    worklist = Worklist(db, clock, engine, cases)
    hospital = people.create_hospital("QH", "青禾县人民医院", "Qinghe County Hospital", "primary")
    he = people.create_account("he", "何演示", hospital, ["applicant"])
    gao = people.create_account("gao", "高审批", hospital, ["approver"])
    form = importlib.resources.files("forms").joinpath("approve.form.json").read_bytes()
    with engine.db.transaction() as session:  # a toy without a diagram, which a release would refuse
        bundle = Bundle("small", {"small.bpmn": MODEL, "approve.form.json": form})
        engine.definitions.release(session, bundle, actor="test", at=engine.clock.now())
    with db.transaction() as session:
        case_id: UUID = cases.open(session, NewCase("RC", he, hospital, patient_name="王示例")).id
    data = {"case": {"id": str(case_id), "from": str(hospital)}}
    with engine.start(
        "small", tenant=hospital, business_key=str(case_id), data=data, key="s", actor=str(he), instance_id=case_id
    ):
        pass
    with db.read() as session:
        actor = people.actor(session, gao)
        (row,) = worklist.inbox(session, actor)
        assert (row.form, row.name, row.name_en, row.due) == (
            "approve",
            "医务审批",
            "Approve",
            clock.now() + timedelta(hours=2),
        )
        assert row.case is not None
        assert row.case.id == case_id
        assert worklist.open_task(session, actor, row.task_id).form.id == "approve"
    worklist.claim(actor, row.task_id)
    handed_in = {"decision": "reject", "comment": MARKER}
    done = worklist.submit(actor, row.task_id, handed_in, "k")
    assert worklist.submit(actor, row.task_id, handed_in, "k").submission_id == done.submission_id
    with db.read() as session:
        assert worklist.inbox(session, actor) == []
        assert session.execute(sa.text("select status from instance")).scalar_one() == "completed"
        assert worklist.submissions(session, case_id)[0].data["comment"] == MARKER
        dump = str(
            [
                session.execute(sa.text(f"select * from {t}")).all()
                for t in ("instance", "history", "job", "command_log")
            ]
        )
        assert MARKER not in dump
        assert MARKER.encode() not in session.execute(sa.text("select state from instance")).scalar_one()
