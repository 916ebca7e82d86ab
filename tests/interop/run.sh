#!/usr/bin/env bash
# Lets PyIceberg and DuckDB's own Iceberg reader read every table the demo made and compares them with medlake sql.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q -r tests/interop/requirements.txt
go build -o "$work/medlake" ./local
"$work/medlake" demo --once --data "$work/lake" >"$work/demo.txt"
"$work/venv/bin/python" tests/interop/read.py "$work/medlake" "$work/lake"
