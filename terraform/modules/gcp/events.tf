# Uploads that arrive: bucket -> topic -> subscription, and what ten tries could not take -> dead letters.

locals {
  pubsub_agent = "serviceAccount:service-${data.google_project.here.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  topics       = { arrivals = "${var.name}-arrivals", dead = "${var.name}-arrivals-dead" }
}

resource "google_pubsub_topic" "this" {
  for_each = local.topics
  project  = var.project
  name     = each.value
  message_storage_policy { allowed_persistence_regions = [var.region] }
}

resource "google_pubsub_topic_iam_member" "this" {
  for_each = { arrivals = local.storage_agent, dead = local.pubsub_agent }
  project  = var.project
  topic    = google_pubsub_topic.this[each.key].name
  role     = "roles/pubsub.publisher"
  member   = each.value
}

resource "google_storage_notification" "landing" {
  bucket             = module.lake.name
  topic              = google_pubsub_topic.this["arrivals"].id
  payload_format     = "JSON_API_V1"
  event_types        = ["OBJECT_FINALIZE"]
  object_name_prefix = "landing/"
  depends_on         = [google_pubsub_topic_iam_member.this]
}

resource "google_pubsub_subscription" "arrivals" {
  project                    = var.project
  name                       = local.topics.arrivals
  topic                      = google_pubsub_topic.this["arrivals"].id
  ack_deadline_seconds       = 600 # one large zip takes minutes
  message_retention_duration = "1209600s"
  expiration_policy { ttl = "" }
  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.this["dead"].id
    max_delivery_attempts = 10
  }
}

# Pub/Sub itself takes a message off, to make it a dead letter.
resource "google_pubsub_subscription_iam_member" "agent" {
  project      = var.project
  subscription = google_pubsub_subscription.arrivals.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

# A topic keeps nothing: dead letters lie here for people.
resource "google_pubsub_subscription" "dead" {
  project                    = var.project
  name                       = local.topics.dead
  topic                      = google_pubsub_topic.this["dead"].id
  message_retention_duration = "2678400s"
  expiration_policy { ttl = "" }
}

locals {
  alarms = {
    dead = { subscription = google_pubsub_subscription.dead.name, metric = "num_undelivered_messages", over = 0, text = "Arrivals that ten tries could not take." }
    old  = { subscription = google_pubsub_subscription.arrivals.name, metric = "oldest_unacked_message_age", over = 900, text = "An arrival has waited for 15 minutes." }
  }
}

resource "google_monitoring_alert_policy" "arrivals" {
  for_each              = local.alarms
  project               = var.project
  display_name          = "${var.name}-arrivals-${each.key}"
  combiner              = "OR"
  notification_channels = var.notification_channels
  documentation { content = each.value.text }
  conditions {
    display_name = each.value.text
    condition_threshold {
      filter          = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${each.value.subscription}\" AND metric.type=\"pubsub.googleapis.com/subscription/${each.value.metric}\""
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.over
      duration        = "0s"
      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }
}
