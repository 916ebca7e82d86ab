mock_provider "azurerm" {
  mock_data "azurerm_client_config" { defaults = { tenant_id = "00000000-0000-0000-0000-000000000001", object_id = "00000000-0000-0000-0000-000000000002" } }
  mock_data "azurerm_resource_group" { defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clinic", location = "westeurope" } }
  mock_resource "azurerm_key_vault" { defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clinic/providers/Microsoft.KeyVault/vaults/v" } }
  mock_resource "azurerm_key_vault_key" { defaults = { versionless_id = "https://v.vault.azure.net/keys/k", resource_versionless_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clinic/providers/Microsoft.KeyVault/vaults/v/keys/k" } }
  mock_resource "azurerm_key_vault_secret" { defaults = { versionless_id = "https://v.vault.azure.net/secrets/catalog" } }
  mock_resource "azurerm_user_assigned_identity" { defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clinic/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i", client_id = "00000000-0000-0000-0000-000000000004" } }
  mock_resource "azurerm_storage_account" { defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clinic/providers/Microsoft.Storage/storageAccounts/a" } }
  mock_resource "azurerm_storage_container" { defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clinic/providers/Microsoft.Storage/storageAccounts/a/blobServices/default/containers/c" } }
  mock_resource "azurerm_servicebus_namespace" { defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clinic/providers/Microsoft.ServiceBus/namespaces/n" } }
  mock_resource "azurerm_servicebus_topic" { defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clinic/providers/Microsoft.ServiceBus/namespaces/n/topics/t" } }
  mock_resource "azurerm_servicebus_subscription" { defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clinic/providers/Microsoft.ServiceBus/namespaces/n/topics/t/subscriptions/s" } }
  mock_resource "azurerm_eventgrid_system_topic" { defaults = { identity = { principal_id = "00000000-0000-0000-0000-000000000005" } } }
  mock_resource "azurerm_postgresql_flexible_server" { defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clinic/providers/Microsoft.DBforPostgreSQL/flexibleServers/p", fqdn = "clinic-catalog.postgres.database.azure.com" } }
}

variables {
  name                = "clinic"
  resource_group_name = "clinic"
  backup_location     = "northeurope"
  oidc_issuer_url     = "https://westeurope.oic.prod-aks.azure.com/t/i/"
  catalog_url         = "postgres://medlake@db.clinic.test/lake?sslmode=verify-full"
  customers           = { acme = { principals = ["00000000-0000-0000-0000-00000000000a"] }, lakeside = {} }
  postgres_password   = "not-in-any-state" # an ephemeral one is set in each run, or in none
}

run "least_privilege" {
  assert {
    condition     = { for k, g in azurerm_role_assignment.lake : k => g.condition == null ? "" : g.condition } == { for k, g in module.rights.grants : k => g.condition } && keys(azurerm_role_assignment.backup) == keys(module.rights.backup)
    error_message = "what module rights grants (its own tests say what), and no more"
  }
  assert {
    condition     = alltrue([for k, g in azurerm_role_assignment.lake : g.principal_id == azurerm_user_assigned_identity.this[split(" ", k)[0]].principal_id && g.role_definition_id == azurerm_role_definition.this[split(" ", k)[1]].role_definition_resource_id && (g.condition == null || g.condition_version == "2.0")])
    error_message = "to the identity of the role, by the custom role of the right"
  }
  assert {
    condition     = { for k, r in azurerm_role_definition.this : k => toset(flatten(r.permissions[*].data_actions)) } == { for k, a in module.rights.rights : k => toset(a) } && alltrue(flatten([for r in azurerm_role_definition.this : [for p in r.permissions : length(coalesce(p.actions, [])) == 0]]))
    error_message = "a custom role for each right"
  }
}

run "senders" {
  assert {
    condition     = [for s in azurerm_role_assignment.sender : [s.principal_id, s.condition == output.senders.acme, strcontains(s.condition, "StringStartsWith 'landing/acme/'")]] == [["00000000-0000-0000-0000-00000000000a", true, true]]
    error_message = "a customer puts into its own folder"
  }
  assert {
    condition     = keys(output.senders) == ["acme", "lakeside"]
    error_message = "each customer has one"
  }
}

run "pods" {
  assert {
    condition     = alltrue([for role, c in azurerm_federated_identity_credential.pod : c.subject == "system:serviceaccount:medlake:${role}" && c.audience == tolist(["api://AzureADTokenExchange"])])
    error_message = "an identity is that of one pod's account"
  }
  assert {
    condition     = keys(azurerm_role_assignment.arrivals) == ["ingest"] && keys(azurerm_role_assignment.secrets) == ["ingest", "operator"] && toset(keys(azurerm_key_vault_key.this)) == toset(["lake", "backup"])
    error_message = "events for ingest; passwords of zips for who opens them, in a vault without keys and other passwords"
  }
}

run "events" {
  assert {
    condition     = azurerm_eventgrid_system_topic_event_subscription.landing.included_event_types == tolist(["Microsoft.Storage.BlobCreated"]) && azurerm_eventgrid_system_topic_event_subscription.landing.subject_filter[0].subject_begins_with == "/blobServices/default/containers/lake/blobs/landing/" && azurerm_eventgrid_system_topic_event_subscription.landing.event_delivery_schema == "CloudEventSchemaV1_0"
    error_message = "what arrives in landing, and nothing else"
  }
  assert {
    condition     = azurerm_servicebus_subscription.ingest.max_delivery_count == 10 && azurerm_servicebus_subscription.ingest.lock_duration == "PT5M" && azurerm_servicebus_subscription.ingest.dead_lettering_on_message_expiration && azurerm_monitor_metric_alert.dead.criteria[0].threshold == 0
    error_message = "ten tries; dead letters are kept and tell"
  }
  assert {
    condition     = !azurerm_servicebus_namespace.this.local_auth_enabled
    error_message = "identities, not keys"
  }
}

run "trail_and_keys" {
  assert {
    condition     = toset([for l in azurerm_monitor_diagnostic_setting.lake.enabled_log : l.category]) == toset(["StorageRead", "StorageWrite", "StorageDelete"]) && endswith(azurerm_monitor_diagnostic_setting.lake.target_resource_id, "/blobServices/default")
    error_message = "each read, write and removal"
  }
  assert {
    condition     = alltrue([for v in azurerm_key_vault.this : v.purge_protection_enabled && v.rbac_authorization_enabled]) && { for k, v in azurerm_key_vault.this : k => v.location } == { lake = "westeurope", backup = "northeurope", zips = "westeurope" }
    error_message = "keys are kept, one in each region"
  }
}

run "outputs" {
  assert {
    condition = output.environment == {
      MEDLAKE_BUCKET            = "azblob://lake?storage_account=cliniclake"
      MEDLAKE_EVENTS            = "azuresb://clinic-arrivals?subscription=ingest"
      MEDLAKE_CATALOG           = "postgres://medlake@db.clinic.test/lake?sslmode=verify-full"
      MEDLAKE_SECRETS           = "file:///etc/medlake/secrets/{flat}"
      AZURE_STORAGE_ACCOUNT     = "cliniclake"
      AZURE_SERVICEBUS_HOSTNAME = "clinic-events.servicebus.windows.net"
    }
    error_message = "URLs as Medlake reads them"
  }
  assert {
    condition     = output.backup_bucket_url == "azblob://backup?storage_account=clinicbackup" && output.catalog_password == "" && length(azurerm_postgresql_flexible_server.catalog) == 0
    error_message = "the copy's account; no PostgreSQL beside one's own catalog"
  }
}

run "postgres" {
  variables {
    catalog_url = null
    postgres    = { subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets/pg", private_dns_zone_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/net/providers/Microsoft.Network/privateDnsZones/clinic.postgres.database.azure.com" }
  }
  assert {
    condition     = azurerm_postgresql_flexible_server.catalog["this"].high_availability[0].mode == "ZoneRedundant" && !azurerm_postgresql_flexible_server.catalog["this"].public_network_access_enabled && azurerm_management_lock.catalog["this"].lock_level == "CanNotDelete"
    error_message = "two zones, private, kept"
  }
  assert {
    condition     = output.catalog_url == "postgres://medlake@clinic-catalog.postgres.database.azure.com/medlake?sslmode=verify-full" && azurerm_postgresql_flexible_server.catalog["this"].administrator_password_wo == null && azurerm_key_vault_secret.catalog["this"].value_wo == null && output.catalog_password != ""
    error_message = "the password is in no URL and no state"
  }
}

run "no_password" {
  command = plan
  variables {
    postgres_password = null
    catalog_url       = null
    postgres          = { subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets/pg", private_dns_zone_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/net/providers/Microsoft.Network/privateDnsZones/clinic.postgres.database.azure.com" }
  }
  expect_failures = [var.postgres_password]
}

run "bad_values" {
  command = plan
  variables {
    name            = "Bad_Name"
    oidc_issuer_url = "http://plain.test"
    landing_days    = 1
    noncurrent_days = 400
    customers       = { "a/b" = {} }
    catalog_url     = null
  }
  expect_failures = [var.name, var.oidc_issuer_url, var.landing_days, var.noncurrent_days, var.customers, var.postgres]
}

run "an_account" {
  module { source = "./account" }
  variables {
    name            = "cliniclake"
    container       = "lake"
    location        = "westeurope"
    key_id          = "https://v.vault.azure.net/keys/k"
    identity_id     = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clinic/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
    noncurrent_days = 35
    cold            = { "landing/" = 90 }
    force_destroy   = false
  }
  assert {
    condition     = !azurerm_storage_account.this.allow_nested_items_to_be_public && azurerm_storage_container.this.container_access_type == "private" && !azurerm_storage_account.this.shared_access_key_enabled && !azurerm_storage_account.this.local_user_enabled && azurerm_storage_account.this.https_traffic_only_enabled
    error_message = "private, by identities and TLS only"
  }
  assert {
    condition     = azurerm_storage_account.this.customer_managed_key[0].key_vault_key_id == var.key_id && azurerm_storage_account.this.blob_properties[0].versioning_enabled && azurerm_storage_account.this.blob_properties[0].delete_retention_policy[0].days == 35 && azurerm_storage_account.this.blob_properties[0].delete_retention_policy[0].permanent_delete_enabled != true
    error_message = "encrypted and versioned, and nobody removes anything at once"
  }
  assert {
    condition     = [for r in azurerm_storage_management_policy.this.rule : r.name] == ["noncurrent", "coldlanding"] && azurerm_storage_management_policy.this.rule[1].filters[0].prefix_match == toset(["lake/landing/"]) && azurerm_management_lock.this[0].lock_level == "CanNotDelete"
    error_message = "nothing that is there expires"
  }
}

run "same_as_other_clouds" {
  module { source = "../../tests/outputs" }
  variables { lake = run.outputs }
}
