output "id" {
  description = "Id of the storage account."
  value       = azurerm_storage_account.this.id
}
output "name" {
  description = "Name of the storage account."
  value       = azurerm_storage_account.this.name
}
output "container_id" {
  description = "Id of the container."
  value       = azurerm_storage_container.this.id
}
output "url" {
  description = "The container, as gocloud.dev/blob names it."
  value       = "azblob://${var.container}?storage_account=${azurerm_storage_account.this.name}"
}
