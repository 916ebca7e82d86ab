# One service account an identity, and no right more than module access lists.

locals {
  objects = "projects/_/buckets/${module.lake.name}/objects/"

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
    module.access.roles[role].list ? { "${role} list" = { role = role, right = "list", expression = "" } } : {},
    [for right, terms in by : { for n, part in chunklist(terms, 12) : "${role} ${right} ${n + 1}" => {
      role = role, right = right, expression = contains(terms, "") ? "" : join(" || ", part)
    } }]...
  )]...)

  # Rights on the whole backup bucket.
  backup = merge([for role, r in module.access.roles : {
    for right in { none = [], read = ["list", "read"], write = ["list", "read", "write"] }[r.backup] : "${role} ${right}" => { role = role, right = right }
  }]...)

  senders = { for c in keys(var.customers) : c => "resource.name.startsWith(\"${local.objects}landing/${c}/\")" }
  sending = merge([for c, v in var.customers : { for p in v.principals : "${c} ${p}" => { customer = c, member = p } }]...)

  with = { for what in ["events", "secrets"] : what => toset([for role, r in module.access.roles : role if r[what]]) }
}

resource "google_service_account" "this" {
  for_each     = module.access.roles
  project      = var.project
  account_id   = "${var.name}-${each.key}"
  display_name = "${var.name}: ${each.key}"
}

resource "google_service_account_iam_member" "pod" {
  for_each           = google_service_account.this
  service_account_id = each.value.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${coalesce(var.workload_pool, "${var.project}.svc.id.goog")}[${var.namespace}/${each.key}]"
}

resource "google_project_iam_custom_role" "this" {
  for_each    = local.rights
  project     = var.project
  role_id     = "${replace(var.name, "-", "_")}_${each.key}"
  title       = "${var.name} ${each.key}"
  permissions = each.value
}

resource "google_storage_bucket_iam_member" "lake" {
  for_each = local.grants
  bucket   = module.lake.name
  role     = google_project_iam_custom_role.this[each.value.right].id
  member   = "serviceAccount:${google_service_account.this[each.value.role].email}"
  dynamic "condition" {
    for_each = each.value.expression == "" ? [] : [each.value.expression]
    content {
      title      = each.key
      expression = condition.value
    }
  }
}

resource "google_storage_bucket_iam_member" "backup" {
  for_each = local.backup
  bucket   = module.backup.name
  role     = google_project_iam_custom_role.this[each.value.right].id
  member   = "serviceAccount:${google_service_account.this[each.value.role].email}"
}

# A customer who writes to the bucket: new objects in the customer's own folder, and nothing else.
resource "google_storage_bucket_iam_member" "sender" {
  for_each = local.sending
  bucket   = module.lake.name
  role     = google_project_iam_custom_role.this["create"].id
  member   = each.value.member
  condition {
    title      = "sender ${each.value.customer}"
    expression = local.senders[each.value.customer]
  }
}

resource "google_pubsub_subscription_iam_member" "arrivals" {
  for_each     = local.with.events
  project      = var.project
  subscription = google_pubsub_subscription.arrivals.name
  role         = "roles/pubsub.subscriber"
  member       = "serviceAccount:${google_service_account.this[each.key].email}"
}

resource "google_project_iam_custom_role" "secrets" {
  project     = var.project
  role_id     = "${replace(var.name, "-", "_")}_secrets"
  title       = "${var.name} secrets"
  permissions = ["secretmanager.versions.access", "secretmanager.versions.get"]
}

# By prefix, so that an unknown name is answered as absent and not as forbidden.
resource "google_project_iam_member" "secrets" {
  for_each = local.with.secrets
  project  = var.project
  role     = google_project_iam_custom_role.secrets.id
  member   = "serviceAccount:${google_service_account.this[each.key].email}"
  condition {
    title      = "secrets of ${var.name}"
    expression = "resource.name.startsWith(\"projects/${data.google_project.here.number}/secrets/${var.name}-zip-\")"
  }
}

# Entries for the passwords of the zips; people or rotation fill them.
resource "google_secret_manager_secret" "zip" {
  for_each  = var.customers
  project   = var.project
  secret_id = "${var.name}-zip-${each.key}"
  replication {
    user_managed {
      replicas { location = var.region }
    }
  }
}
