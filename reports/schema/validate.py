#!/usr/bin/env python3
"""Holds documents against the published schemas: report.json against report.schema.json, JSON lines (.jsonl) line by line
against record.schema.json.   validate.py [--strict] FILE...
--strict refuses keys that the schemas do not name as well: for this project's own tests, since a reader ignores them.
Prints a line for each breach. Exits 0, 3 where one was found, 2 for bad input, 77 where jsonschema is not installed."""

import argparse
import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    print("schema: not executed: Python's jsonschema is not installed (python3-jsonschema)")
    sys.exit(77)

HERE = pathlib.Path(__file__).resolve().parent


def closed(schema):
    """The same schema with every object that names its keys closed to others."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: closed(value) for key, value in schema.items()}
    if "properties" in schema and schema.get("type") == "object" and "$defs" not in schema or "report:" in schema.get("$id", ""):
        out["additionalProperties"] = False
    return out


def validators(strict):
    """A validator for each schema. The report's gets the definitions it takes from the records' as its own: how a reference to
    another file is resolved has changed from one version of jsonschema to the next."""
    texts = {name: (HERE / f"{name}.schema.json").read_text(encoding="utf-8") for name in ("record", "report")}
    record = json.loads(texts["record"])
    report = json.loads(texts["report"].replace(record["$id"] + "#", "#"))
    report["$defs"].update(record["$defs"])
    schemas = {"record": record, "report": report}
    if strict:
        schemas = {name: closed(schema) for name, schema in schemas.items()}
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    return {name: jsonschema.Draft202012Validator(schema) for name, schema in schemas.items()}


def breaches(path, validator):
    """(where, what) for each document of a file that does not fit."""
    text = path.read_text(encoding="utf-8")
    documents = enumerate(text.splitlines(), 1) if path.suffix == ".jsonl" else [(None, text)]
    for line, document in documents:
        where = str(path) if line is None else f"{path}:{line}"
        try:
            value = json.loads(document)
        except json.JSONDecodeError as error:
            yield where, f"no JSON: {error}"
            continue
        worst = jsonschema.exceptions.best_match(validator.iter_errors(value))
        if worst is not None:
            at = "/".join(map(str, worst.absolute_path))
            yield where, f"{at or 'the document'}: {worst.message[:300]}"


def main():
    options = argparse.ArgumentParser(description="Documents against the published schemas.")
    options.add_argument("--strict", action="store_true", help="refuse keys that the schemas do not name")
    options.add_argument("files", nargs="+", type=pathlib.Path)
    given = options.parse_args()
    found = 0
    made = validators(given.strict)
    for path in given.files:
        try:
            for where, what in breaches(path, made["record" if path.suffix == ".jsonl" else "report"]):
                print(f"{where}: {what}")
                found += 1
        except (OSError, UnicodeDecodeError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            return 2
    print(f"schema: {len(given.files)} files, {found} breaches")
    return 3 if found else 0


if __name__ == "__main__":
    sys.exit(main())
