# One private container in an account of its own: encrypted, versioned, opened by identities alone, over TLS alone.

resource "azurerm_storage_account" "this" {
  name                            = var.name
  resource_group_name             = var.resource_group_name
  location                        = var.location
  account_tier                    = "Standard"
  account_replication_type        = "ZRS"
  allow_nested_items_to_be_public = false
  https_traffic_only_enabled      = true
  min_tls_version                 = "TLS1_2"
  shared_access_key_enabled       = var.keys
  local_user_enabled              = false
  default_to_oauth_authentication = true

  identity {
    type         = "UserAssigned"
    identity_ids = [var.identity_id]
  }
  customer_managed_key {
    key_vault_key_id          = var.key_id
    user_assigned_identity_id = var.identity_id
  }
  blob_properties {
    versioning_enabled = true
    # What is deleted for good by a rule below or by hand can be brought back for so long.
    delete_retention_policy { days = var.noncurrent_days }
    container_delete_retention_policy { days = var.noncurrent_days }
  }
}

resource "azurerm_storage_container" "this" {
  name                  = var.container
  storage_account_id    = azurerm_storage_account.this.id
  container_access_type = "private"
}

resource "azurerm_management_lock" "this" {
  count      = var.force_destroy ? 0 : 1
  name       = "kept"
  scope      = azurerm_storage_account.this.id
  lock_level = "CanNotDelete"
}

resource "azurerm_storage_management_policy" "this" {
  storage_account_id = azurerm_storage_account.this.id

  # Azure counts a version's age from its writing, not from its end: so versions go at once, and are kept as deleted ones.
  rule {
    name    = "noncurrent"
    enabled = true
    filters { blob_types = ["blockBlob", "appendBlob"] }
    actions {
      version { delete_after_days_since_creation = 1 }
    }
  }
  dynamic "rule" {
    for_each = var.expire_days == null ? [] : [var.expire_days]
    content {
      name    = "expire"
      enabled = true
      filters { blob_types = ["blockBlob", "appendBlob"] }
      actions {
        base_blob { delete_after_days_since_modification_greater_than = rule.value }
      }
    }
  }
  dynamic "rule" {
    for_each = var.cold
    content {
      name    = "cold${replace(rule.key, "/[^a-z0-9]/", "")}"
      enabled = true
      filters {
        blob_types   = ["blockBlob"]
        prefix_match = ["${azurerm_storage_container.this.name}/${rule.key}"]
      }
      actions {
        base_blob { tier_to_cold_after_days_since_modification_greater_than = rule.value }
      }
    }
  }
}
