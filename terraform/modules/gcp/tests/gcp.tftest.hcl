mock_provider "google" {
  mock_data "google_project" { defaults = { number = "123456789012" } }
  mock_data "google_storage_project_service_account" { defaults = { email_address = "service-123456789012@gs-project-accounts.iam.gserviceaccount.com" } }
  mock_resource "google_kms_key_ring" { defaults = { id = "projects/clinic-1/locations/r/keyRings/k" } }
  mock_resource "google_kms_crypto_key" { defaults = { id = "projects/clinic-1/locations/r/keyRings/k/cryptoKeys/c" } }
  mock_resource "google_service_account" { defaults = { name = "projects/clinic-1/serviceAccounts/a@clinic-1.iam.gserviceaccount.com" } } # emails are random, so each is another
  mock_resource "google_sql_database_instance" { defaults = { private_ip_address = "10.20.0.3" } }
  mock_resource "google_pubsub_topic" { defaults = { id = "projects/clinic-1/topics/t" } }
  mock_resource "google_secret_manager_secret" { defaults = { id = "projects/clinic-1/secrets/s" } }
  mock_resource "google_logging_project_sink" { defaults = { writer_identity = "serviceAccount:sink@clinic-1.iam.gserviceaccount.com" } }
}

variables {
  name              = "clinic"
  project           = "clinic-1"
  region            = "europe-west3"
  backup_region     = "europe-west4"
  catalog_url       = "postgres://medlake@db.clinic.test/lake?sslmode=verify-full"
  customers         = { acme = { principals = ["serviceAccount:acme@acme-1.iam.gserviceaccount.com"] }, lakeside = {} }
  postgres_password = "not-in-any-state" # an ephemeral one is set in each run, or in none
}

run "least_privilege" {
  assert {
    condition     = { for k, g in google_storage_bucket_iam_member.lake : k => join("", g.condition[*].expression) } == { for k, g in module.rights.grants : k => g.condition } && keys(google_storage_bucket_iam_member.backup) == keys(module.rights.backup)
    error_message = "what module rights grants (its own tests say what), and no more"
  }
  assert {
    condition     = alltrue([for k, g in google_storage_bucket_iam_member.lake : g.member == "serviceAccount:${google_service_account.this[split(" ", k)[0]].email}" && g.role == google_project_iam_custom_role.this[split(" ", k)[1]].id]) && { for k, r in google_project_iam_custom_role.this : k => toset(r.permissions) } == { for k, p in module.rights.rights : k => toset(p) }
    error_message = "to the account of the role, by the custom role of the right"
  }
}

run "senders" {
  assert {
    condition     = [for s in google_storage_bucket_iam_member.sender : [s.member, s.condition[0].expression]] == [["serviceAccount:acme@acme-1.iam.gserviceaccount.com", "resource.name.startsWith(\"projects/_/buckets/clinic-lake/objects/landing/acme/\")"]]
    error_message = "a customer adds to its own folder and sees nothing"
  }
  assert {
    condition     = google_storage_bucket_iam_member.sender["acme serviceAccount:acme@acme-1.iam.gserviceaccount.com"].role == google_project_iam_custom_role.this["create"].id && keys(output.senders) == ["acme", "lakeside"]
    error_message = "by the right to create"
  }
}

run "pods" {
  assert {
    condition     = alltrue([for role, m in google_service_account_iam_member.pod : m.member == "serviceAccount:clinic-1.svc.id.goog[medlake/${role}]" && m.role == "roles/iam.workloadIdentityUser"])
    error_message = "a service account is the identity of one pod's account"
  }
  assert {
    condition     = keys(google_pubsub_subscription_iam_member.arrivals) == ["ingest"] && keys(google_project_iam_member.secrets) == ["ingest", "operator"] && google_project_iam_member.secrets["ingest"].condition[0].expression == "resource.name.startsWith(\"projects/123456789012/secrets/clinic-zip-\")"
    error_message = "events for ingest, passwords of zips for who opens them"
  }
}

run "events" {
  assert {
    condition     = google_storage_notification.landing.object_name_prefix == "landing/" && google_storage_notification.landing.event_types == toset(["OBJECT_FINALIZE"]) && google_storage_notification.landing.payload_format == "JSON_API_V1"
    error_message = "what arrives in landing, and nothing else"
  }
  assert {
    condition     = google_pubsub_subscription.arrivals.ack_deadline_seconds == 600 && google_pubsub_subscription.arrivals.dead_letter_policy[0].max_delivery_attempts == 10 && google_pubsub_subscription.arrivals.expiration_policy[0].ttl == "" && google_pubsub_subscription.dead.expiration_policy[0].ttl == ""
    error_message = "ten tries, and subscriptions stay"
  }
  assert {
    condition     = google_pubsub_topic_iam_member.this["arrivals"].member == "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com" && google_pubsub_topic_iam_member.this["dead"].member == google_pubsub_subscription_iam_member.agent.member && google_pubsub_subscription_iam_member.agent.member == "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
    error_message = "the store publishes, Pub/Sub moves dead letters"
  }
  assert {
    condition     = google_monitoring_alert_policy.arrivals["dead"].conditions[0].condition_threshold[0].threshold_value == 0 && strcontains(google_monitoring_alert_policy.arrivals["dead"].conditions[0].condition_threshold[0].filter, "\"clinic-arrivals-dead\"")
    error_message = "dead letters tell"
  }
}

run "trail_and_keys" {
  assert {
    condition     = toset([for c in google_project_iam_audit_config.storage.audit_log_config : c.log_type]) == toset(["DATA_READ", "DATA_WRITE"]) && strcontains(google_logging_project_sink.audit.filter, "projects/_/buckets/clinic-lake/objects/landing/") && google_logging_project_sink.audit.destination == "storage.googleapis.com/clinic-audit"
    error_message = "each read and write of an upload"
  }
  assert {
    condition     = { for k, r in google_kms_key_ring.this : k => r.location } == { lake = "europe-west3", backup = "europe-west4" } && alltrue([for k in google_kms_crypto_key.this : k.rotation_period == "7776000s"])
    error_message = "keys turn, one in each region"
  }
}

run "outputs" {
  assert {
    condition = output.environment == {
      MEDLAKE_BUCKET  = "gs://clinic-lake"
      MEDLAKE_EVENTS  = "gcppubsub://projects/clinic-1/subscriptions/clinic-arrivals"
      MEDLAKE_CATALOG = "postgres://medlake@db.clinic.test/lake?sslmode=verify-full"
      MEDLAKE_SECRETS = "gcpsecretmanager://projects/clinic-1/secrets/clinic-{flat}"
    }
    error_message = "URLs as Medlake reads them"
  }
  assert {
    condition     = output.catalog_password == "" && length(google_sql_database_instance.catalog) == 0 && google_secret_manager_secret.zip["acme"].secret_id == "clinic-zip-acme"
    error_message = "no PostgreSQL beside one's own catalog; secrets by the name that the URL makes"
  }
}

run "postgres" {
  variables {
    catalog_url = null
    postgres    = { network = "projects/clinic-1/global/networks/n" }
  }
  assert {
    condition     = google_sql_database_instance.catalog["this"].settings[0].availability_type == "REGIONAL" && !google_sql_database_instance.catalog["this"].settings[0].ip_configuration[0].ipv4_enabled && google_sql_database_instance.catalog["this"].settings[0].ip_configuration[0].ssl_mode == "ENCRYPTED_ONLY" && google_sql_database_instance.catalog["this"].settings[0].deletion_protection_enabled
    error_message = "two zones, private, encrypted, kept"
  }
  assert {
    condition     = google_sql_database_instance.catalog["this"].settings[0].backup_configuration[0].point_in_time_recovery_enabled
    error_message = "any minute can be brought back"
  }
  assert {
    condition     = output.catalog_url == "postgres://medlake@10.20.0.3/medlake?sslmode=require" && google_sql_user.catalog["this"].password_wo == null && google_secret_manager_secret_version.catalog["this"].secret_data_wo == null
    error_message = "the password is in no URL and no state"
  }
}

run "no_password" {
  command = plan
  variables {
    postgres_password = null
    catalog_url       = null
    postgres          = { network = "projects/clinic-1/global/networks/n" }
  }
  expect_failures = [var.postgres_password]
}

run "bad_values" {
  command = plan
  variables {
    name         = "Bad_Name"
    region       = "EU"
    landing_days = 1
    customers    = { "a/b" = { principals = ["allUsers"] } }
    postgres     = { network = "n" }
  }
  expect_failures = [var.name, var.region, var.landing_days, var.customers, var.postgres]
}

run "copy_beside_the_lake" {
  command         = plan
  expect_failures = [var.backup_region]
  variables { backup_region = "europe-west3" }
}

run "a_bucket" {
  module { source = "./bucket" }
  variables {
    name            = "clinic-lake"
    project         = "clinic-1"
    location        = "europe-west3"
    key             = "projects/clinic-1/locations/europe-west3/keyRings/k/cryptoKeys/c"
    noncurrent_days = 35
    cold            = { "landing/" = 90 }
    force_destroy   = false
  }
  assert {
    condition     = google_storage_bucket.this.public_access_prevention == "enforced" && google_storage_bucket.this.uniform_bucket_level_access
    error_message = "private"
  }
  assert {
    condition     = google_storage_bucket.this.encryption[0].default_kms_key_name == var.key && google_storage_bucket.this.versioning[0].enabled && google_storage_bucket.this.soft_delete_policy[0].retention_duration_seconds == 604800
    error_message = "encrypted and versioned, and nobody removes anything at once"
  }
  assert {
    condition     = [for r in google_storage_bucket.this.lifecycle_rule : one(r.condition).days_since_noncurrent_time if one(r.action).type == "Delete"] == [35] && alltrue([for r in google_storage_bucket.this.lifecycle_rule : one(r.condition).with_state == "ARCHIVED" if one(r.action).type == "Delete"])
    error_message = "nothing that is there expires"
  }
}

run "same_as_other_clouds" {
  module { source = "../../tests/outputs" }
  variables { lake = run.outputs }
}
