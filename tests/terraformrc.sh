#!/usr/bin/env bash
# Prints a configuration of Terraform's CLI: plugins that lie in a folder of this machine come from there, others from their
# registry. Folders are laid out as filesystem mirrors are; the first that has a plugin is taken: $MEDLAKE_TERRAFORM_MIRROR,
# what `go run ./terraform/tests/plugins` has built, Terraform's own places, /opt. A configuration of one's own comes first.
set -euo pipefail
shopt -s nullglob
for own in "${TF_CLI_CONFIG_FILE:-}" ~/.terraformrc; do
  [ ! -f "$own" ] || exec cat "$own"
done
declare -A taken
echo 'provider_installation {'
for mirror in ${MEDLAKE_TERRAFORM_MIRROR:+"$MEDLAKE_TERRAFORM_MIRROR"} "${XDG_CACHE_HOME:-$HOME/.cache}/medlake-terraform" \
  ~/.terraform.d/plugins /usr/local/share/terraform/plugins /usr/share/terraform/plugins /opt/*; do
  here=''
  for plugin in "$mirror"/*/hashicorp/*/; do
    name="hashicorp/$(basename "$plugin")"
    versions=("$plugin"*/*/terraform-provider-*)
    [ -z "${taken[$name]:-}" ] && [ ${#versions[@]} -gt 0 ] || continue
    taken[$name]=1 here+="\"$name\", "
  done
  [ -z "$here" ] || printf '  filesystem_mirror {\n    path    = "%s"\n    include = [%s]\n  }\n' "$mirror" "${here%, }"
done
printf '  direct { exclude = [%s] }\n}\n' "$(printf '"%s", ' "${!taken[@]}" | sed 's/"", //; s/, $//')"
