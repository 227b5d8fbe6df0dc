"""PortOne's schema: its published OpenAPI description, as a judge of answers.

The file is PortOne's and not part of this repository. PORTONE_OPENAPI says where it is.
"""

import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Optional

import jsonschema

ROOT = Path(__file__).resolve().parents[3]
PLACE = Path(os.environ.get("PORTONE_OPENAPI", str(ROOT.parent / "shared/portone/openapi-v2.json")))

FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _date_time(text: object) -> bool:
    return not isinstance(text, str) or ("T" in text and datetime.fromisoformat(text).tzinfo is not None)


@FORMATS.checks("int64")
def _int64(number: object) -> bool:
    return not isinstance(number, int) or -(2**63) <= number < 2**63


@FORMATS.checks("int32")
def _int32(number: object) -> bool:
    return not isinstance(number, int) or -(2**31) <= number < 2**31


def _judged_by_kind(schema: Any) -> Any:
    """The schema with every discriminator carried out.

    JSON Schema knows none: an answer would fit several alternatives of a `oneOf`, or be told nothing of use.
    """
    if isinstance(schema, list):
        return [_judged_by_kind(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: _judged_by_kind(part) for name, part in schema.items()}
    if not isinstance(schema.get("discriminator"), dict) or "oneOf" not in schema:
        return schema
    member, kinds = schema["discriminator"]["propertyName"], schema["discriminator"]["mapping"]
    cases = [
        {"if": {"properties": {member: {"const": kind}}}, "then": {"$ref": target}}
        for kind, target in kinds.items()
    ]
    return {"type": "object", "required": [member], "properties": {member: {"enum": list(kinds)}}, "allOf": cases}


class Schema:
    """The judge."""

    def __init__(self, text: str) -> None:
        document = json.loads(text)
        self._operations: list[tuple[str, str, re.Pattern[str], dict[str, Any]]] = []
        for path, methods in document["paths"].items():
            pattern = re.compile(re.sub(r"\\?\{[^}]+\\?\}", "[^/]+", path) + "$")
            for method, operation in methods.items():
                self._operations.append((method.upper(), path, pattern, operation["responses"]))
        self._kinds = document["components"]["schemas"]
        self._components = {"schemas": _judged_by_kind(self._kinds)}

    @classmethod
    def load(cls) -> Optional["Schema"]:
        """PortOne's schema, if it is there."""
        return cls(PLACE.read_text(encoding="utf-8")) if PLACE.is_file() else None

    def operation(self, method: str, path: str) -> str:
        """`GET /payments/{paymentId}` for a call of it."""
        return f"{method} {self._find(method, path)[0]}"

    def _find(self, method: str, path: str) -> tuple[str, dict[str, Any]]:
        bare = path.split("?")[0]
        found = [(it, responses) for known, it, pattern, responses in self._operations if known == method and pattern.match(bare)]
        if not found:
            raise AssertionError(f"PortOne has no {method} {bare}")
        # A path without parameters comes first, as in any router.
        return min(found, key=lambda it: it[0].count("{"))

    def faults(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """What in this answer is not as PortOne says. Empty if all of it is."""
        template, responses = self._find(method, path)
        response = responses.get(str(status))
        if response is None:
            return [f"{method} {template} never answers {status}"]
        schema = response["content"]["application/json"]["schema"]
        judge = jsonschema.Draft202012Validator(
            {**_judged_by_kind(schema), "components": self._components}, format_checker=FORMATS
        )
        faults = [f"{error.json_path}: {error.message[:300]}" for error in judge.iter_errors(body)]
        return faults + self._wrong_status(schema, status, body)

    def _wrong_status(self, schema: dict[str, Any], status: int, body: Any) -> list[str]:
        """An error type belongs to one status, which the schema says beside the type."""
        if status < 400:
            return []
        union = self._kinds[schema["$ref"].rsplit("/", 1)[1]]
        target = union.get("discriminator", {}).get("mapping", {}).get(body.get("type"))
        if target is None:
            return []
        own = self._kinds[target.rsplit("/", 1)[1]].get("x-portone-status-code")
        return [] if own in (None, status) else [f"{body['type']} belongs to {own}, not to {status}"]
