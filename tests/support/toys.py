"""Toy models: how tests write, release, start and look at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from engine import Bundle, Call, Database, Effect, Engine, Operation, Signature, TestClock, Type, Worker, uuid7
from engine.tables import instance, wait

Toy = Callable[..., Bundle]
TENANT = uuid7()

EXT = "<bpmn:extensionElements><spiffworkflow:properties>{}</spiffworkflow:properties>{}</bpmn:extensionElements>"


def prop(name: str, value: str) -> str:
    return f'<spiffworkflow:property name="{name}" value="{value}"/>'


def user(node: str, **given: str) -> str:
    return f'<bpmn:userTask id="{node}">{EXT.format("".join(prop(k, v) for k, v in given.items()), "")}</bpmn:userTask>'


def service(node: str, operation: str, result: str = "r", **args: str) -> str:
    rows = "".join(f'<spiffworkflow:parameter id="{k}" type="text" value="{v}"/>' for k, v in args.items())
    call = (
        f'<spiffworkflow:serviceTaskOperator id="{operation}" resultVariable="{result}">'
        f"<spiffworkflow:parameters>{rows}</spiffworkflow:parameters></spiffworkflow:serviceTaskOperator>"
    )
    return f'<bpmn:serviceTask id="{node}">{EXT.format("", call)}</bpmn:serviceTask>'


def sigs(*given: Signature) -> dict[str, Signature]:
    return {one.id: one for one in given}


def start(
    engine: Engine, process: str, data: Mapping[str, Any] | None = None, *, bk: str = "case-1", key: str = "k"
) -> UUID:
    with engine.start(process, tenant=TENANT, business_key=bk, data=data or {}, key=key, actor="t") as tx:
        return tx.instance_id


def release(engine: Engine, bundle: Bundle) -> None:
    """Release a toy without the check, which would ask for drawings and names."""
    with engine.db.transaction() as session:
        engine.definitions.release(session, bundle, actor="t", at=engine.clock.now())


def waits(db: Database, instance_id: UUID | None = None) -> list[Any]:
    with db.read() as session:
        rows = session.execute(sa.select(wait).order_by(wait.c.id)).all()
    return [row for row in rows if instance_id in (None, row.instance_id)]


def nodes(db: Database, instance_id: UUID | None = None) -> list[str]:
    return sorted(row.node for row in waits(db, instance_id))


def status(db: Database, instance_id: UUID) -> str:
    with db.read() as session:
        return str(session.execute(sa.select(instance.c.status).where(instance.c.id == instance_id)).scalar_one())


def rows(db: Database, table: Any) -> list[Any]:
    with db.read() as session:
        return list(session.execute(sa.select(table).order_by(*table.primary_key.columns)).all())


def complete(
    engine: Engine, instance_id: UUID, node: str, data: Mapping[str, Any] | None = None, key: str = ""
) -> None:
    task = next(row.task_id for row in waits(engine.db, instance_id) if row.node == node and row.kind == "user")
    with engine.begin(instance_id, key or str(uuid7()), actor="t") as tx:
        tx.complete(task, data or {})


LOOP = """
<bpmn:startEvent id="s"/>
<bpmn:exclusiveGateway id="m"/>
<bpmn:scriptTask id="inc"><bpmn:script>case.n = case.n + 1</bpmn:script></bpmn:scriptTask>
<bpmn:userTask id="u"/>
<bpmn:exclusiveGateway id="x"/>
<bpmn:endEvent id="e"/>
s>m
m>inc
inc>u
u>x
x>m?again
x>e*
"""


def ringing(db: Database, clock: TestClock, effect: Effect = Effect.IDEMPOTENT) -> tuple[Engine, Worker, list[Call]]:
    """A worker with one operation, `t.ring`, and the calls it got."""
    calls: list[Call] = []
    signature = Signature("t.ring", effect, {"n": Type.ANY}, {"n": Type.NUMBER})
    engine = Engine(db, sigs(signature), clock)

    def run(call: Call) -> dict[str, Any]:
        calls.append(call)
        return {"n": len(calls)}

    return engine, Worker(engine, {"t.ring": Operation(signature, run)}, name="w"), calls
