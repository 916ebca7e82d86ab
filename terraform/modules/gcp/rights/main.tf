# What each role may do with objects, as custom roles and conditions of IAM. It needs no provider.

module "access" { source = "../../access" }

locals {
  objects = "projects/_/buckets/${var.bucket}/objects/"

  # To put over what is there takes storage.objects.delete, too: who may only create cannot. Names are listed on the bucket.
  rights = {
    list   = ["storage.objects.list"]
    read   = ["storage.objects.get"]
    create = ["storage.objects.create"]
    write  = ["storage.objects.create", "storage.objects.delete"]
    delete = ["storage.objects.delete"]
  }

  # Each pattern as a condition sees it. The name of an object is the bucket's, then the key; {x} is one character or more.
  seen = { for role, r in module.access.roles : role => { for right in ["read", "create", "write", "delete"] : right => [
    for p in distinct(r[right]) :
    p == "" ? "" :
    strcontains(p, "*") ? "resource.name.extract(\"${local.objects}${replace(p, "*", "{x}")}\") != \"\"" :
    endswith(p, "/") ? "resource.name.startsWith(\"${local.objects}${p}\")" :
    "resource.name == \"${local.objects}${p}\""
  ] } }

  # A condition holds twelve "or" at most: longer lists become several grants.
  grants = merge([for role, by in local.seen : merge(
    module.access.roles[role].list ? { "${role} list" = { role = role, right = "list", condition = "" } } : {},
    [for right, terms in by : { for n, part in chunklist(terms, 12) : "${role} ${right} ${n + 1}" => {
      role = role, right = right, condition = contains(terms, "") ? "" : join(" || ", part)
    } }]...
  )]...)

  backup = merge([for role, r in module.access.roles : {
    for right in { none = [], read = ["list", "read"], write = ["list", "read", "write"] }[r.backup] : "${role} ${right}" => { role = role, right = right }
  }]...)
}
