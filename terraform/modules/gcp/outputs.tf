# The same names as those of the other clouds' modules.

locals {
  environment = {
    MEDLAKE_BUCKET  = "gs://${module.lake.name}"
    MEDLAKE_EVENTS  = "gcppubsub://projects/${var.project}/subscriptions/${google_pubsub_subscription.arrivals.name}"
    MEDLAKE_CATALOG = local.catalog_url
    MEDLAKE_SECRETS = "gcpsecretmanager://projects/${var.project}/secrets/${var.name}-{flat}"
  }
}

output "bucket_url" {
  description = "The lake's bucket."
  value       = local.environment.MEDLAKE_BUCKET
}
output "backup_bucket_url" {
  description = "The bucket that medlake backup writes to."
  value       = "gs://${module.backup.name}"
}
output "events_url" {
  description = "The queue of arrivals, as gocloud.dev/pubsub names it."
  value       = local.environment.MEDLAKE_EVENTS
}
output "catalog_url" {
  description = "The catalog. PostgreSQL's password is not in it: PGPASSWORD."
  value       = local.environment.MEDLAKE_CATALOG
}
output "secrets_url" {
  description = "The store of secrets."
  value       = local.environment.MEDLAKE_SECRETS
}
output "environment" {
  description = "The variables of the functions that this module knows, for the ConfigMap medlake."
  value       = local.environment
}
output "identities" {
  description = "Identity of each role."
  value       = { for role, a in google_service_account.this : role => a.email }
}
output "annotations" {
  description = "Annotations of the service account of each role."
  value       = { for role, a in google_service_account.this : role => { "iam.gke.io/gcp-service-account" = a.email } }
}
output "senders" {
  description = "By customer: the condition under which the custom role of creating lets its holder put into the customer's folder."
  value       = module.rights.senders
}
output "key" {
  description = "The key that everything in the lake is encrypted with."
  value       = google_kms_crypto_key.this["lake"].id
}
output "audit" {
  description = "Where the trail of who used uploads is kept."
  value       = "gs://${module.audit.name}"
}
output "catalog_password" {
  description = "Name of the secret that holds PostgreSQL's password; empty with a catalog of your own."
  value       = join("", [for s in google_secret_manager_secret.catalog : s.id])
}
