"""Reads every table of a lake with PyIceberg and with DuckDB, and compares counts and sums with medlake sql.

No table may hold equality deletes. usage: read.py MEDLAKE DIR
"""

import json
import os
import subprocess
import sys
from decimal import Decimal
from importlib.util import find_spec

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.types import DateType, DecimalType, DoubleType, LongType, StringType, TimestamptzType


def load_extension(db, name):
    package = os.path.dirname(find_spec(f"duckdb_extension_{name}").origin)
    db.execute(f"LOAD '{package}/extensions/v{duckdb.__version__}/{name}.duckdb_extension'")


def figures(schema):
    """SQL figures of a table: its rows, and for each column its values and a sum of what can be summed."""
    out = ["count(*)"]
    for f in schema.fields:
        c = f'"{f.name}"'
        out.append(f"count({c})")
        if isinstance(f.field_type, (LongType, DecimalType)):
            out.append(f"sum({c})")
        elif isinstance(f.field_type, StringType):
            out.append(f"sum(length({c}))")
        elif isinstance(f.field_type, DoubleType):
            out.append(f"round(sum({c}), 4)")
        elif isinstance(f.field_type, DateType):
            out.append(f"sum(datediff('day', DATE '1970-01-01', {c}))")
        elif isinstance(f.field_type, TimestamptzType):
            out.append(f"sum(epoch_us({c})::HUGEINT)")
    return out


def arrow_figures(data: pa.Table):
    out = [data.num_rows]
    for name in data.column_names:
        col = data[name]
        out.append(len(col) - col.null_count)
        t = col.type
        if pa.types.is_string(t) or pa.types.is_large_string(t):
            out.append(pc.sum(pc.utf8_length(col)).as_py())
        elif pa.types.is_float64(t):
            s = pc.sum(col).as_py()
            out.append(None if s is None else round(s, 4))
        elif pa.types.is_date32(t):
            out.append(pc.sum(col.cast(pa.int32()).cast(pa.int64())).as_py())
        elif pa.types.is_timestamp(t):
            # sums of microseconds pass 64 bits: add them in Python
            out.append(sum(v for v in col.cast(pa.int64()).to_pylist() if v is not None) if len(col) - col.null_count else None)
        elif not pa.types.is_boolean(t):
            out.append(pc.sum(col).as_py())
    return out


def plain(values):
    return [None if v is None else str(Decimal(str(v)).normalize()) for v in values]


def main():
    medlake, home = sys.argv[1:]
    catalog = SqlCatalog("lake", uri=f"sqlite:///{home}/catalog.db", warehouse=f"file://{home}")
    db = duckdb.connect()
    load_extension(db, "avro")
    load_extension(db, "iceberg")
    db.execute("SET TimeZone = 'UTC'")
    tables, bad, rows = 0, 0, 0
    for namespace in sorted(catalog.list_namespaces()):
        for identifier in sorted(catalog.list_tables(namespace)):
            table = catalog.load_table(identifier)
            name = ".".join(f'"{p}"' for p in identifier)
            wanted = figures(table.schema())
            cells = ", ".join(f"({x})::VARCHAR AS c{i}" for i, x in enumerate(wanted))
            ours = json.loads(subprocess.check_output([medlake, "sql", "--data", home, "--as", "json", f"SELECT {cells} FROM {name}"]))[0]
            ours = plain(ours.values())
            arrow = plain(arrow_figures(table.scan().to_arrow()))
            duck = plain(db.execute(f"SELECT {cells} FROM iceberg_scan('{table.metadata_location}')").fetchone())
            same = ours == arrow == duck
            now = table.current_snapshot()
            if now and any(e.data_file.content == 2 for m in now.manifests(table.io) for e in m.fetch_manifest_entry(table.io)):
                print(f"{name}: has equality deletes")
                bad += 1
            tables, rows = tables + 1, rows + int(float(ours[0]))
            if not same:
                bad += 1
                for x, a, b, c in zip(wanted, ours, arrow, duck):
                    if not a == b == c:
                        print(f"{name}: {x}: medlake {a}, PyIceberg {b}, DuckDB {c}")
    print(f"{tables} tables, {rows} rows: medlake, PyIceberg and DuckDB agree on {tables - bad}, differ on {bad}")
    if bad or not rows:
        sys.exit(1)


main()
