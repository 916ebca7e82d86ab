# One identity a role, and no right more than module access lists.

locals {
  blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
  path  = "@Resource[${local.blobs}:path]"

  # No role has deleteBlobVersion or permanentDelete: what is deleted can be brought back for noncurrent_days.
  rights = {
    read   = ["${local.blobs}/read"]
    write  = ["${local.blobs}/write", "${local.blobs}/add/action"]
    delete = ["${local.blobs}/delete"]
  }

  # A blob above some size is put in blocks, which takes the right to write over, too: Azure, as AWS, does not tell them apart.
  wanted = { for role, r in module.access.roles : role => { read = r.read, write = concat(r.create, r.write), delete = r.delete } }

  # Each pattern as a condition sees it.
  seen = { for role, by in local.wanted : role => { for right, patterns in by : right => [
    for p in distinct(patterns) : "${local.path} ${
      strcontains(p, "*") ? "StringLike '${p}*'" : endswith(p, "/") ? "StringStartsWith '${p}'" : "StringEquals '${p}'"
    }"] if length(patterns) > 0
  } }

  # Blobs are listed by the right to read; a name has no path there to look at.
  asks = { for right, actions in local.rights : right => join(" AND ", [for a in actions : "!(ActionMatches{'${a}'}${right == "read" ? " AND NOT SubOperationMatches{'Blob.List'}" : ""})"]) }

  grants = merge([for role, by in local.seen : { for right, terms in by : "${role} ${right}" => {
    role      = role
    right     = right
    condition = contains(local.wanted[role][right], "") ? null : "((${local.asks[right]}) OR (${join(" OR ", terms)}))"
  } }]...)

  # Rights on the whole backup container.
  backup = merge([for role, r in module.access.roles : {
    for right in { none = [], read = ["read"], write = ["read", "write", "delete"] }[r.backup] : "${role} ${right}" => { role = role, right = right }
  }]...)

  senders = { for c in keys(var.customers) : c => "((${local.asks.write}) OR (${local.path} StringStartsWith 'landing/${c}/'))" }
  sending = merge([for c, v in var.customers : { for p in v.principals : "${c} ${p}" => { customer = c, principal = p } }]...)

  with = { for what in ["events", "secrets"] : what => toset([for role, r in module.access.roles : role if r[what]]) }
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
  for_each = local.rights
  name     = "${var.name} ${each.key}"
  scope    = data.azurerm_resource_group.here.id
  permissions { data_actions = each.value }
}

resource "azurerm_role_assignment" "lake" {
  for_each           = local.grants
  scope              = module.lake.container_id
  role_definition_id = azurerm_role_definition.this[each.value.right].role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.this[each.value.role].principal_id
  principal_type     = "ServicePrincipal"
  condition          = each.value.condition
  condition_version  = each.value.condition == null ? null : "2.0"
}

resource "azurerm_role_assignment" "backup" {
  for_each           = local.backup
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
  condition          = local.senders[each.value.customer]
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
