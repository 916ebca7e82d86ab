#!/usr/bin/env bash
# Terraform's part of the checks: the format, the tests of every module, and that the examples are valid. A module whose plugin
# can't be had is named and not tested; MEDLAKE_TERRAFORM_ALL=1 makes that a fault. terraformrc.sh says where plugins are found.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r terraform "$work"
bash tests/terraformrc.sh >"$work/rc"
mkdir "$work/plugins"
export TF_CLI_CONFIG_FILE="$work/rc" TF_PLUGIN_CACHE_DIR="$work/plugins" TF_IN_AUTOMATION=1 TF_CLI_ARGS=-no-color CHECKPOINT_DISABLE=1
cd "$work/terraform"
terraform fmt -check -recursive
untested=()
for dir in $(find modules -name '*.tftest.hcl' -printf '%h\n' | sed 's,/tests$,,' | sort -u) examples/*; do
  start=$SECONDS
  if ! terraform -chdir="$dir" init -input=false -backend=false >"$work/log" 2>&1; then
    # What is wrong with the module itself is a fault; that a plugin can't be had is not.
    grep -Eq 'Failed to query available provider packages|Failed to install provider' "$work/log" || { cat "$work/log"; exit 1; }
    untested+=("$dir")
    continue
  fi
  case $dir in
  modules/*) terraform -chdir="$dir" test >"$work/log" 2>&1 ;;
  *) terraform -chdir="$dir" validate >"$work/log" 2>&1 ;;
  esac || { cat "$work/log"; exit 1; }
  echo "$dir: $(grep -E '^Success' "$work/log") $((SECONDS - start))s"
done
[ ${#untested[@]} -eq 0 ] || {
  echo "NOT TESTED, the plugin can't be had: ${untested[*]}"
  [ -z "${MEDLAKE_TERRAFORM_ALL:-}" ]
}
