# Names that the clouds' modules have, too.

output "bucket_url" {
  description = "The lake's bucket."
  value       = local.environment.MEDLAKE_BUCKET
}
output "events_url" {
  description = "The queue that ingest pulls from; empty if the store's webhook posts to ingest_url."
  value       = lookup(local.environment, "MEDLAKE_EVENTS", "")
}
output "catalog_url" {
  description = "The catalog. PostgreSQL's password is not in it: Secret catalog."
  value       = local.environment.MEDLAKE_CATALOG
}
output "secrets_url" {
  description = "Where ingest finds passwords of uploads."
  value       = local.environment.MEDLAKE_SECRETS
}
output "environment" {
  description = "All variables of the functions, as the ConfigMap medlake has them."
  value       = local.environment
}
output "identities" {
  description = "Identity of each role: the subject of its service account's tokens."
  value       = { for role in keys(local.accounts) : role => "system:serviceaccount:${local.namespace}:${role}" }
}
output "annotations" {
  description = "Annotations of the service account of each role."
  value       = { for role in keys(local.accounts) : role => lookup(var.annotations, role, {}) }
}
output "ingest_url" {
  description = "Where a store in this cluster posts its events."
  value       = "http://ingest.${local.namespace}.svc.cluster.local"
}
output "revisions" {
  description = "By Service, the name of the revision that this image, environment and secrets make."
  value       = local.revisions
}
