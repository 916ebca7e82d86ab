# Uploads that arrive: account -> Event Grid -> Service Bus, and what ten tries could not take -> its dead letters.

resource "azurerm_servicebus_namespace" "this" {
  name                = "${var.name}-events"
  resource_group_name = var.resource_group_name
  location            = local.location
  sku                 = "Standard"
  local_auth_enabled  = false
}

resource "azurerm_servicebus_topic" "arrivals" {
  name                = "${var.name}-arrivals"
  namespace_id        = azurerm_servicebus_namespace.this.id
  default_message_ttl = "P14D"
}

resource "azurerm_servicebus_subscription" "ingest" {
  name                                 = "ingest"
  topic_id                             = azurerm_servicebus_topic.arrivals.id
  max_delivery_count                   = 10
  lock_duration                        = "PT5M" # Azure's most
  default_message_ttl                  = "P14D"
  dead_lettering_on_message_expiration = true
}

resource "azurerm_eventgrid_system_topic" "lake" {
  name                = "${var.name}-lake"
  resource_group_name = var.resource_group_name
  location            = local.location
  source_resource_id  = module.lake.id
  topic_type          = "Microsoft.Storage.StorageAccounts"
  identity { type = "SystemAssigned" }
}

resource "azurerm_role_assignment" "events" {
  scope                = azurerm_servicebus_topic.arrivals.id
  role_definition_name = "Azure Service Bus Data Sender"
  principal_id         = azurerm_eventgrid_system_topic.lake.identity[0].principal_id
}

resource "azurerm_eventgrid_system_topic_event_subscription" "landing" {
  name                  = "arrivals"
  system_topic          = azurerm_eventgrid_system_topic.lake.name
  resource_group_name   = var.resource_group_name
  event_delivery_schema = "CloudEventSchemaV1_0"
  service_bus_topic_id  = azurerm_servicebus_topic.arrivals.id
  included_event_types  = ["Microsoft.Storage.BlobCreated"]
  subject_filter {
    subject_begins_with = "/blobServices/default/containers/lake/blobs/landing/"
    case_sensitive      = true
  }
  delivery_identity { type = "SystemAssigned" }
  retry_policy {
    event_time_to_live    = 1440
    max_delivery_attempts = 30
  }
  depends_on = [azurerm_role_assignment.events]
}

# The bus tells no age of its oldest message: how long arrivals wait is an alarm of infra/monitoring.
resource "azurerm_monitor_metric_alert" "dead" {
  name                = "${var.name}-arrivals-dead"
  resource_group_name = var.resource_group_name
  scopes              = [azurerm_servicebus_namespace.this.id]
  description         = "Arrivals that ten tries could not take."
  severity            = 2
  criteria {
    metric_namespace = "Microsoft.ServiceBus/namespaces"
    metric_name      = "DeadletteredMessages"
    aggregation      = "Maximum"
    operator         = "GreaterThan"
    threshold        = 0
    dimension {
      name     = "EntityName"
      operator = "Include"
      values   = [azurerm_servicebus_topic.arrivals.name]
    }
  }
  dynamic "action" {
    for_each = var.action_groups
    content { action_group_id = action.value }
  }
}
