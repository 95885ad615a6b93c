"""Every table belongs to a hospital, or says why not."""

from __future__ import annotations

import importlib
import pkgutil

import tasks
from engine import tables
from engine.db import Base, Uuid

REASONS = {
    "definition": "models belong to the alliance and hold no patient data",
    "hospital": "is the tenant",
    "department": "hospital_id; no patient data",
    "account": "hospital_id; no patient data",
    "assignment": "hospital_id, or the whole platform; no patient data",
    "agreement": "between two hospitals; no patient data",
    "shift": "hospital_id; no patient data",
    "substitution": "between two people; no patient data",
    "login": "belongs to an account; no patient data",
    "login_failure": "a hashed name and an address; nobody is logged in",
    "case_party": "key of a case and its hospitals; this is the visibility",
    "case_person": "key of a case and its people; this is the visibility",
    "person": "an identifier across hospitals, nothing else",
}


def test_every_table_has_a_tenant_or_a_reason() -> None:
    assert tables.history.c.tenant is not None
    for module in pkgutil.walk_packages(tasks.__path__, "tasks."):
        if module.name.endswith(".models"):
            importlib.import_module(module.name)
    bare = []
    for name, table in Base.metadata.tables.items():
        tenant = table.c.get("tenant")
        if tenant is None or tenant.nullable:
            bare.append(name)
        else:
            assert isinstance(tenant.type, Uuid), name
    assert sorted(set(bare) - set(REASONS)) == []


def test_foreign_identifiers_have_our_type() -> None:
    for table in Base.metadata.tables.values():
        for column in table.c:
            if column.name.endswith("_id") and "uuid" in type(column.type).__name__.lower():
                assert isinstance(column.type, Uuid), column
