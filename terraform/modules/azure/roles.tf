# One identity a role, and no right more than module access lists.

module "rights" {
  source    = "./rights"
  customers = keys(var.customers)
}

locals {
  sending = merge([for c, v in var.customers : { for p in v.principals : "${c} ${p}" => { customer = c, principal = p } }]...)
  with    = { for what in ["events", "secrets"] : what => toset([for role, r in module.access.roles : role if r[what]]) }
}

resource "azurerm_user_assigned_identity" "this" {
  for_each            = module.access.roles
  name                = "${var.name}-${each.key}"
  resource_group_name = var.resource_group_name
  location            = local.location
}

resource "azurerm_federated_identity_credential" "pod" {
  for_each                  = azurerm_user_assigned_identity.this
  name                      = "pod"
  user_assigned_identity_id = each.value.id
  issuer                    = var.oidc_issuer_url
  subject                   = "system:serviceaccount:${var.namespace}:${each.key}"
  audience                  = ["api://AzureADTokenExchange"]
}

resource "azurerm_role_definition" "this" {
  for_each = module.rights.rights
  name     = "${var.name} ${each.key}"
  scope    = data.azurerm_resource_group.here.id
  permissions { data_actions = each.value }
}

resource "azurerm_role_assignment" "lake" {
  for_each           = module.rights.grants
  scope              = module.lake.container_id
  role_definition_id = azurerm_role_definition.this[each.value.right].role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.this[each.value.role].principal_id
  principal_type     = "ServicePrincipal"
  condition          = each.value.condition == "" ? null : each.value.condition
  condition_version  = each.value.condition == "" ? null : "2.0"
}

resource "azurerm_role_assignment" "backup" {
  for_each           = module.rights.backup
  scope              = module.backup.container_id
  role_definition_id = azurerm_role_definition.this[each.value.right].role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.this[each.value.role].principal_id
  principal_type     = "ServicePrincipal"
}

# A customer who writes to the container: into the customer's own folder, and nothing else.
resource "azurerm_role_assignment" "sender" {
  for_each           = local.sending
  scope              = module.lake.container_id
  role_definition_id = azurerm_role_definition.this["write"].role_definition_resource_id
  principal_id       = each.value.principal
  condition          = module.rights.senders[each.value.customer]
  condition_version  = "2.0"
}

resource "azurerm_role_assignment" "arrivals" {
  for_each             = local.with.events
  scope                = azurerm_servicebus_subscription.ingest.id
  role_definition_name = "Azure Service Bus Data Receiver"
  principal_id         = azurerm_user_assigned_identity.this[each.key].principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "secrets" {
  for_each             = local.with.secrets
  scope                = azurerm_key_vault.this["zips"].id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.this[each.key].principal_id
  principal_type       = "ServicePrincipal"
}
