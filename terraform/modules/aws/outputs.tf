# The same names as those of the other clouds' modules.

locals {
  environment = {
    MEDLAKE_BUCKET  = "s3://${module.lake.id}?region=${local.region}"
    MEDLAKE_EVENTS  = "awssqs://${split("://", aws_sqs_queue.arrivals.url)[1]}?region=${local.region}"
    MEDLAKE_CATALOG = local.catalog_url
    MEDLAKE_SECRETS = "awssecretsmanager://${var.name}/{name}?region=${local.region}"
    AWS_REGION      = local.region
  }
}

output "bucket_url" {
  description = "The lake's bucket."
  value       = local.environment.MEDLAKE_BUCKET
}
output "backup_bucket_url" {
  description = "The bucket that medlake backup writes to."
  value       = "s3://${module.backup.id}?region=${data.aws_region.backup.name}"
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
  value       = { for role, r in aws_iam_role.this : role => r.arn }
}
output "annotations" {
  description = "Annotations of the service account of each role."
  value       = { for role, r in aws_iam_role.this : role => { "eks.amazonaws.com/role-arn" = r.arn } }
}
output "senders" {
  description = "By customer: the policy that lets its holder put into the customer's folder."
  value       = { for c, p in aws_iam_policy.sender : c => p.arn }
}
output "key" {
  description = "The key that everything in the lake is encrypted with."
  value       = aws_kms_key.lake.arn
}
output "audit" {
  description = "Where the trail of who used uploads is kept."
  value       = "s3://${module.audit.id}"
}
output "catalog_password" {
  description = "Name of the secret that holds PostgreSQL's password; empty with Glue."
  value       = join("", [for d in aws_db_instance.catalog : join("", d.master_user_secret[*].secret_arn)])
}
