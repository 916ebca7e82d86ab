# It needs no provider.

variables {
  customers = ["acme", "lakeside"]
}

run "as_the_table_says" {
  command = plan
  assert {
    condition     = alltrue([for role, r in module.access.roles : r.list == (length(r.read) > 0)])
    error_message = "who lists also reads: Azure has one right for both"
  }
  assert {
    condition     = toset([for k, g in output.grants : k if g.condition == ""]) == toset([for role, r in module.access.roles : "${role} read" if contains(r.read, "")])
    error_message = "all keys are for those only who read everything"
  }
  assert {
    condition = alltrue(flatten([for role, r in module.access.roles : [for right, patterns in { read = r.read, write = concat(r.create, r.write), delete = r.delete } :
    length(flatten([for g in output.grants : regexall(":path\\] String", g.condition) if g.role == role && g.right == right])) == length([for p in distinct(patterns) : p if !contains(patterns, "")])]]))
    error_message = "a term for each pattern"
  }
  assert {
    condition     = toset([for k, g in output.grants : k if strcontains(g.condition, "'landing/")]) == toset(flatten([for role, r in module.access.roles : [for right, patterns in { read = r.read, write = concat(r.create, r.write), delete = r.delete } : "${role} ${right}" if contains(patterns, "landing/")]]))
    error_message = "uploads are for those whom the table names"
  }
  assert {
    condition     = toset(keys(output.backup)) == toset(["backup read", "backup write", "backup delete", "operator read"])
    error_message = "the copy is changed by backup alone"
  }
}

run "as_conditions_see_it" {
  command = plan
  assert {
    condition     = [for k, g in output.grants : [k, g.condition] if g.role == "gateway"] == [["gateway write", "((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write'}) AND !(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path] StringStartsWith 'landing/'))"]]
    error_message = "the gateway puts into landing, and has no other right"
  }
  assert {
    condition     = startswith(output.grants["ingest read"].condition, "((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'} AND NOT SubOperationMatches{'Blob.List'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path] String")
    error_message = "names are listed without a path"
  }
  assert {
    condition     = strcontains(output.grants["ingest write"].condition, "StringLike 'tables/*/data/*'") && strcontains(output.grants["commit write"].condition, "StringEquals 'hint'") && alltrue([for g in output.grants : length(g.condition) < 8000])
    error_message = "patterns and single keys, as long as a condition may be"
  }
  assert {
    condition     = keys(output.senders) == ["acme", "lakeside"] && alltrue([for c, s in output.senders : s == replace(output.grants["gateway write"].condition, "landing/", "landing/${c}/")])
    error_message = "a customer has its own folder"
  }
}

run "rights" {
  command = plan
  assert {
    condition     = toset(flatten(values(output.rights))) == toset([for a in ["add/action", "delete", "read", "write"] : "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${a}"])
    error_message = "rights on blobs only, and none on their versions"
  }
}
