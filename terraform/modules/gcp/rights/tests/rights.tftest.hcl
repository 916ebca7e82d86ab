# It needs no provider.

variables {
  bucket    = "clinic-lake"
  customers = ["acme", "lakeside"]
}

run "as_the_table_says" {
  command = plan
  assert {
    condition     = toset([for k, g in output.grants : k if g.condition == "" && g.right != "list"]) == toset([for role, r in module.access.roles : "${role} read 1" if contains(r.read, "")]) && toset([for g in output.grants : g.role if g.right == "list"]) == toset([for role, r in module.access.roles : role if r.list])
    error_message = "all keys are for those only who read everything, names for who lists"
  }
  assert {
    condition     = alltrue(flatten([for role, r in module.access.roles : [for right in ["read", "create", "write", "delete"] : length(flatten([for g in output.grants : split(" || ", g.condition) if g.role == role && g.right == right])) == length(distinct(r[right]))]]))
    error_message = "a term for each pattern, and no pattern is lost where a condition is cut"
  }
  assert {
    condition     = alltrue([for k, g in output.grants : length(split(" || ", g.condition)) <= 12 && length(k) <= 100])
    error_message = "conditions as long as they may be"
  }
  assert {
    condition     = toset([for g in output.grants : "${g.role} ${g.right}" if strcontains(g.condition, "/landing/")]) == toset(flatten([for role, r in module.access.roles : [for right in ["read", "create", "write", "delete"] : "${role} ${right}" if contains(r[right], "landing/")]]))
    error_message = "uploads are for those whom the table names"
  }
  assert {
    condition     = toset(keys(output.backup)) == toset(["backup list", "backup read", "backup write", "operator list", "operator read"])
    error_message = "the copy is changed by backup alone"
  }
}

run "as_conditions_see_it" {
  command = plan
  assert {
    condition     = [for k, g in output.grants : [k, g.condition] if g.role == "gateway"] == [["gateway create 1", "resource.name.startsWith(\"projects/_/buckets/clinic-lake/objects/landing/\")"]]
    error_message = "the gateway puts into landing, and has no other right"
  }
  assert {
    condition     = strcontains(output.grants["ingest create 1"].condition, "resource.name.extract(\"projects/_/buckets/clinic-lake/objects/tables/{x}/data/\") != \"\"") && strcontains(output.grants["commit write 1"].condition, "resource.name == \"projects/_/buckets/clinic-lake/objects/hint\"")
    error_message = "patterns and single keys"
  }
  assert {
    condition     = alltrue(flatten([for g in output.grants : [for t in compact(split(" || ", g.condition)) : can(regex("^resource[.]name([.]startsWith[(]\"[^\"*{]+/\"[)]|[.]extract[(]\"[^\"*]+{x}[^\"*]*/\"[)] != \"\"| == \"[^\"*{]+\")$", t)) && strcontains(t, "\"projects/_/buckets/clinic-lake/objects/")]]))
    error_message = "each term is of a form that IAM reads, and about this bucket"
  }
  assert {
    condition     = output.senders == { for c in ["acme", "lakeside"] : c => "resource.name.startsWith(\"projects/_/buckets/clinic-lake/objects/landing/${c}/\")" }
    error_message = "a customer has its own folder"
  }
}

run "rights" {
  command = plan
  assert {
    condition     = alltrue(flatten([for r in output.rights : [for p in r : startswith(p, "storage.objects.")]])) && output.rights.create == ["storage.objects.create"] && [for r, p in output.rights : r if contains(p, "storage.objects.delete")] == ["delete", "write"]
    error_message = "rights on objects only; who creates cannot write over"
  }
}
