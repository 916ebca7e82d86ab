# The catalog: PostgreSQL on two zones, or one that is there already.

locals {
  postgres = var.postgres == null ? {} : { this = var.postgres }
  catalog_url = var.catalog_url != null ? var.catalog_url : join("", [
    for d in azurerm_postgresql_flexible_server.catalog : "postgres://medlake@${d.fqdn}/medlake?sslmode=verify-full"
  ])
}

resource "azurerm_postgresql_flexible_server" "catalog" {
  for_each                          = local.postgres
  name                              = "${var.name}-catalog"
  resource_group_name               = var.resource_group_name
  location                          = local.location
  version                           = each.value.version
  sku_name                          = each.value.sku_name
  storage_mb                        = 32768
  auto_grow_enabled                 = true
  backup_retention_days             = each.value.backup_retention_days
  delegated_subnet_id               = each.value.subnet_id
  private_dns_zone_id               = each.value.private_dns_zone_id
  public_network_access_enabled     = false
  administrator_login               = "medlake"
  administrator_password_wo         = var.postgres_password
  administrator_password_wo_version = var.postgres_password_number
  high_availability { mode = "ZoneRedundant" }
  lifecycle {
    ignore_changes = [zone, high_availability[0].standby_availability_zone] # a failover changes places
  }
}

resource "azurerm_postgresql_flexible_server_database" "catalog" {
  for_each  = local.postgres
  name      = "medlake"
  server_id = azurerm_postgresql_flexible_server.catalog[each.key].id
}

resource "azurerm_management_lock" "catalog" {
  for_each   = var.force_destroy ? {} : local.postgres
  name       = "kept"
  scope      = azurerm_postgresql_flexible_server.catalog[each.key].id
  lock_level = "CanNotDelete"
}

resource "azurerm_key_vault_secret" "catalog" {
  for_each         = local.postgres
  name             = "catalog"
  key_vault_id     = azurerm_role_assignment.keeper["lake"].scope
  value_wo         = var.postgres_password
  value_wo_version = var.postgres_password_number
}
