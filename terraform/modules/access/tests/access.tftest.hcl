# The table itself: it needs no provider.

run "uploads_are_safe" {
  command = plan
  assert {
    condition     = toset([for n, r in output.roles : n if anytrue([for p in r.delete : p == "" || startswith(p, "landing/")])]) == toset(["operator"])
    error_message = "only an operator, to erase, may remove uploads"
  }
  assert {
    condition     = alltrue([for r in output.roles : alltrue([for p in r.write : p != "" && !startswith(p, "landing/")])])
    error_message = "nobody writes over uploads"
  }
  assert {
    condition     = toset([for n, r in output.roles : n if anytrue([for p in r.create : startswith(p, "landing/")])]) == toset(["gateway", "operator"])
    error_message = "only the gateway adds uploads, and erase a rewritten one"
  }
}

run "the_log_is_safe" {
  command = plan
  assert {
    condition     = alltrue([for r in output.roles : alltrue([for p in r.delete : p != "" && !anytrue([for k in ["log/", "folded/", "loads/", "arrivals/", "schemas/", "hint", "gaps"] : startswith(p, k)])])])
    error_message = "nobody removes the log, records or schemas"
  }
  assert {
    condition     = toset([for n, r in output.roles : n if contains(r.write, "log/")]) == toset(["maintain", "operator"])
    error_message = "entries of the log are replaced by maintain alone, which folds them, and by erase"
  }
  assert {
    condition     = toset([for n, r in output.roles : n if contains(r.delete, "tables/")]) == toset(["maintain", "operator"])
    error_message = "data files are removed by maintain alone"
  }
}

run "each_sees_what_it_needs" {
  command = plan
  assert {
    condition     = length(output.roles.gateway.read) + length(output.roles.gateway.delete) == 0 && !output.roles.gateway.list
    error_message = "the gateway only adds"
  }
  assert {
    condition     = toset([for n, r in output.roles : n if anytrue([for p in r.read : p == "" || startswith(p, "landing/")])]) == toset(["ingest", "sweep", "backup", "operator"])
    error_message = "uploads are read by those who open or copy them, and by sweep, which must ask for their versions"
  }
  assert {
    condition     = toset([for n, r in output.roles : n if r.secrets]) == toset(["ingest", "operator"])
    error_message = "passwords are for those who open uploads"
  }
  assert {
    condition     = [for n, r in output.roles : n if r.events] == ["ingest"]
    error_message = "only ingest takes events"
  }
  assert {
    condition     = alltrue([for r in output.roles : !(r.backup == "write" && contains(r.delete, "landing/"))])
    error_message = "nobody can remove both the lake and its copy"
  }
  assert {
    condition     = alltrue([for r in output.roles : alltrue([for p in r.delete : anytrue([for of in r.read : startswith(p, of)])])])
    error_message = "who deletes an object may ask for it first"
  }
}
