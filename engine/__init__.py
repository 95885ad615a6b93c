"""What runs it: definitions, instances, jobs, timers, messages, history; the only room that imports SpiffWorkflow."""

from engine.api import Engine
from engine.clock import Clock, SystemClock, TestClock
from engine.db import Base, Database, connect
from engine.definitions import Definition
from engine.errors import Busy, LianyiError, NotFound, Refused, Stale
from engine.ids import uuid7
from engine.jobs import Worker
from engine.model import Bundle, LintRefused
from engine.operations import BpmnError, Call, Effect, NotDone, Operation, Permanent, Signature, Type, Unknown
from engine.tx import Tx
from engine.values import canonical, digest
from engine.waits import Takers

__all__ = [
    "Base",
    "BpmnError",
    "Bundle",
    "Busy",
    "Call",
    "Clock",
    "Database",
    "Definition",
    "Effect",
    "Engine",
    "LianyiError",
    "LintRefused",
    "NotDone",
    "NotFound",
    "Operation",
    "Permanent",
    "Refused",
    "Signature",
    "Stale",
    "SystemClock",
    "Takers",
    "TestClock",
    "Tx",
    "Type",
    "Unknown",
    "Worker",
    "canonical",
    "connect",
    "digest",
    "uuid7",
]
