#!/usr/bin/env bash
# Runs every fuzz target of the module for the given time each: tests/fuzz.sh 10s
set -euo pipefail
cd "$(dirname "$0")/.."
grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' shared functions local | while read -r file; do
  grep -oE '^func Fuzz[A-Za-z0-9]+' "$file" | while read -r _ name; do
    echo "-- $(dirname "$file") $name"
    go test -run '^$' -fuzz "^$name\$" -fuzztime "${1:-10s}" -fuzzminimizetime 1s "./$(dirname "$file")"
  done
done
