# What each role may do with blobs, as custom roles and conditions on paths. It needs no provider.

module "access" { source = "../../access" }

locals {
  blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
  path  = "@Resource[${local.blobs}:path]"

  # No role has deleteBlobVersion or permanentDelete: what is deleted can be brought back for noncurrent_days.
  rights = {
    read   = ["${local.blobs}/read"]
    write  = ["${local.blobs}/write", "${local.blobs}/add/action"]
    delete = ["${local.blobs}/delete"]
  }

  # A blob above some size is put in blocks, which takes the right to write over, too: Azure, as AWS, does not tell them apart.
  wanted = { for role, r in module.access.roles : role => { read = r.read, write = concat(r.create, r.write), delete = r.delete } }

  # Each pattern as a condition sees it.
  seen = { for role, by in local.wanted : role => { for right, patterns in by : right => [
    for p in distinct(patterns) : "${local.path} ${
      strcontains(p, "*") ? "StringLike '${p}*'" : endswith(p, "/") ? "StringStartsWith '${p}'" : "StringEquals '${p}'"
    }"] if length(patterns) > 0
  } }

  # Blobs are listed by the right to read; a name has no path there to look at.
  asks = { for right, actions in local.rights : right => join(" AND ", [for a in actions : "!(ActionMatches{'${a}'}${right == "read" ? " AND NOT SubOperationMatches{'Blob.List'}" : ""})"]) }

  grants = merge([for role, by in local.seen : { for right, terms in by : "${role} ${right}" => {
    role      = role
    right     = right
    condition = contains(local.wanted[role][right], "") ? "" : "((${local.asks[right]}) OR (${join(" OR ", terms)}))"
  } }]...)

  backup = merge([for role, r in module.access.roles : {
    for right in { none = [], read = ["read"], write = ["read", "write", "delete"] }[r.backup] : "${role} ${right}" => { role = role, right = right }
  }]...)
}
