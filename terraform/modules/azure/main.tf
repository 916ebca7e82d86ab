# The lake's accounts, vaults and keys, and the trail of who used them.

data "azurerm_client_config" "here" {}
data "azurerm_resource_group" "here" { name = var.resource_group_name }

module "access" { source = "../access" }

locals {
  location = data.azurerm_resource_group.here.location
  short    = replace(var.name, "-", "")
  regions  = { lake = local.location, backup = var.backup_location }
  vaults   = merge(local.regions, { zips = local.location }) # who opens uploads reads all of zips, and nothing else
}

resource "azurerm_key_vault" "this" {
  for_each                   = local.vaults
  name                       = "${var.name}-${each.key}"
  resource_group_name        = var.resource_group_name
  location                   = each.value
  tenant_id                  = data.azurerm_client_config.here.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = true
  purge_protection_enabled   = true
}

# Who applies this makes the keys, and the secret with PostgreSQL's password.
resource "azurerm_role_assignment" "keeper" {
  for_each             = local.regions
  scope                = azurerm_key_vault.this[each.key].id
  role_definition_name = "Key Vault Administrator"
  principal_id         = data.azurerm_client_config.here.object_id
}

resource "azurerm_key_vault_key" "this" {
  for_each     = local.regions
  name         = each.key
  key_vault_id = azurerm_role_assignment.keeper[each.key].scope
  key_type     = "RSA"
  key_size     = 3072
  key_opts     = ["wrapKey", "unwrapKey"]
  rotation_policy {
    automatic { time_after_creation = "P90D" }
  }
}

resource "azurerm_user_assigned_identity" "storage" {
  for_each            = local.regions
  name                = "${var.name}-storage-${each.key}"
  resource_group_name = var.resource_group_name
  location            = each.value
}

resource "azurerm_role_assignment" "storage" {
  for_each             = local.regions
  scope                = azurerm_key_vault_key.this[each.key].resource_versionless_id
  role_definition_name = "Key Vault Crypto Service Encryption User"
  principal_id         = azurerm_user_assigned_identity.storage[each.key].principal_id
}

module "lake" {
  source              = "./account"
  name                = "${local.short}lake"
  container           = "lake"
  resource_group_name = var.resource_group_name
  location            = local.location
  key_id              = azurerm_key_vault_key.this["lake"].versionless_id
  identity_id         = azurerm_user_assigned_identity.storage["lake"].id
  noncurrent_days     = var.noncurrent_days
  cold                = { "landing/" = var.landing_days }
  force_destroy       = var.force_destroy
  depends_on          = [azurerm_role_assignment.storage]
}

module "backup" {
  source              = "./account"
  name                = "${local.short}backup"
  container           = "backup"
  resource_group_name = var.resource_group_name
  location            = var.backup_location
  key_id              = azurerm_key_vault_key.this["backup"].versionless_id
  identity_id         = azurerm_user_assigned_identity.storage["backup"].id
  noncurrent_days     = var.noncurrent_days
  force_destroy       = var.force_destroy
  depends_on          = [azurerm_role_assignment.storage]
}

module "audit" {
  source              = "./account"
  name                = "${local.short}audit"
  container           = "audit"
  resource_group_name = var.resource_group_name
  location            = local.location
  key_id              = azurerm_key_vault_key.this["lake"].versionless_id
  identity_id         = azurerm_user_assigned_identity.storage["lake"].id
  noncurrent_days     = var.noncurrent_days
  expire_days         = var.audit_days
  keys                = true # Azure Monitor may write by them
  force_destroy       = var.force_destroy
  depends_on          = [azurerm_role_assignment.storage]
}

# Every read, write and removal in the lake's account, by whom.
resource "azurerm_monitor_diagnostic_setting" "lake" {
  name               = "${var.name}-audit"
  target_resource_id = "${module.lake.id}/blobServices/default"
  storage_account_id = module.audit.id
  enabled_log { category = "StorageRead" }
  enabled_log { category = "StorageWrite" }
  enabled_log { category = "StorageDelete" }
}
