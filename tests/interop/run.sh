#!/usr/bin/env bash
# Lets PyIceberg and DuckDB's own Iceberg reader read every table of a lake and compares them with medlake sql: after the
# demo with its merges, and again after compaction, a replay, a restore and a rebuild of the catalog.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q -r tests/interop/requirements.txt
go build -o "$work/medlake" ./local
medlake() { local command=$1; shift; "$work/medlake" "$command" --data "$work/lake" "$@" >>"$work/out.txt"; }
compare() { printf '%-18s' "$1"; "$work/venv/bin/python" tests/interop/read.py "$work/medlake" "$work/lake"; }

medlake demo --once --listen 127.0.0.1:0
compare "demo:"
before=$(date -u +%Y-%m-%dT%H:%M:%SZ)
sleep 1
for i in 1 2 3 4 5 6 7 8 9; do
	printf 'visit_no|fac_code|mrn|event|event_dt|dob|bed\nER-%s|F1|7|A08|07/0%s/2025 10:00||X-%s\n' $((i % 5 + 1)) "$i" "$i" >"$work/visits.csv"
	gzip -c "$work/visits.csv" >"$work/visits.csv.gz"
	medlake load --customer acme --as "visits/more-$i.csv.gz" "$work/visits.csv.gz"
done
compare "nine more merges:"
medlake maintain
compare "maintained:"
medlake replay --feed visits_csv --reason test
compare "replayed:"
medlake restore --to "$before" --later drop --reason test
compare "restored:"
rm "$work/lake/catalog.db"
medlake rebuild
compare "rebuilt:"
