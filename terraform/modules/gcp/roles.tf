# One service account an identity, and no right more than module access lists.

module "rights" {
  source    = "./rights"
  bucket    = module.lake.name
  customers = keys(var.customers)
}

locals {
  sending = merge([for c, v in var.customers : { for p in v.principals : "${c} ${p}" => { customer = c, member = p } }]...)
  with    = { for what in ["events", "secrets"] : what => toset([for role, r in module.access.roles : role if r[what]]) }
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
  for_each    = module.rights.rights
  project     = var.project
  role_id     = "${replace(var.name, "-", "_")}_${each.key}"
  title       = "${var.name} ${each.key}"
  permissions = each.value
}

resource "google_storage_bucket_iam_member" "lake" {
  for_each = module.rights.grants
  bucket   = module.lake.name
  role     = google_project_iam_custom_role.this[each.value.right].id
  member   = "serviceAccount:${google_service_account.this[each.value.role].email}"
  dynamic "condition" {
    for_each = each.value.condition == "" ? [] : [each.value.condition]
    content {
      title      = each.key
      expression = condition.value
    }
  }
}

resource "google_storage_bucket_iam_member" "backup" {
  for_each = module.rights.backup
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
    expression = module.rights.senders[each.value.customer]
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
