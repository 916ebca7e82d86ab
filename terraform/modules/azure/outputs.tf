# The same names as those of the other clouds' modules.

locals {
  environment = {
    MEDLAKE_BUCKET            = module.lake.url
    MEDLAKE_EVENTS            = "azuresb://${azurerm_servicebus_topic.arrivals.name}?subscription=${azurerm_servicebus_subscription.ingest.name}"
    MEDLAKE_CATALOG           = local.catalog_url
    MEDLAKE_SECRETS           = "file:///etc/medlake/secrets/{flat}"
    AZURE_STORAGE_ACCOUNT     = module.lake.name
    AZURE_SERVICEBUS_HOSTNAME = "${azurerm_servicebus_namespace.this.name}.servicebus.windows.net"
  }
}

output "bucket_url" {
  description = "The lake's container."
  value       = local.environment.MEDLAKE_BUCKET
}
output "backup_bucket_url" {
  description = "The container that medlake backup writes to."
  value       = module.backup.url
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
  description = "Where ingest finds passwords of uploads: an operator copies them from the vault."
  value       = local.environment.MEDLAKE_SECRETS
}
output "environment" {
  description = "The variables of the functions that this module knows, for the ConfigMap medlake."
  value       = local.environment
}
output "identities" {
  description = "Identity of each role."
  value       = { for role, i in azurerm_user_assigned_identity.this : role => i.id }
}
output "annotations" {
  description = "Annotations of the service account of each role."
  value       = { for role, i in azurerm_user_assigned_identity.this : role => { "azure.workload.identity/client-id" = i.client_id } }
}
output "senders" {
  description = "By customer: the condition under which the custom role of writing lets its holder put into the customer's folder."
  value       = module.rights.senders
}
output "key" {
  description = "The key that everything in the lake is encrypted with."
  value       = azurerm_key_vault_key.this["lake"].versionless_id
}
output "audit" {
  description = "Where the trail of who used uploads is kept."
  value       = "https://${module.audit.name}.blob.core.windows.net"
}
output "catalog_password" {
  description = "Name of the secret that holds PostgreSQL's password; empty with a catalog of your own."
  value       = join("", [for s in azurerm_key_vault_secret.catalog : s.versionless_id])
}
