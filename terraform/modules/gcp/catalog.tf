# The catalog: PostgreSQL on two zones, or one that is there already.

locals {
  postgres = var.postgres == null ? {} : { this = var.postgres }
  catalog_url = var.catalog_url != null ? var.catalog_url : join("", [
    for d in google_sql_database_instance.catalog : "postgres://medlake@${d.private_ip_address}/medlake?sslmode=require"
  ])
}

resource "google_sql_database_instance" "catalog" {
  for_each            = local.postgres
  project             = var.project
  name                = "${var.name}-catalog"
  region              = var.region
  database_version    = each.value.database_version
  deletion_protection = each.value.deletion_protection
  settings {
    edition                     = "ENTERPRISE"
    tier                        = each.value.tier
    availability_type           = "REGIONAL"
    disk_type                   = "PD_SSD"
    disk_autoresize             = true
    deletion_protection_enabled = each.value.deletion_protection
    ip_configuration {
      ipv4_enabled    = false
      private_network = each.value.network
      ssl_mode        = "ENCRYPTED_ONLY"
    }
    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7
      backup_retention_settings { retained_backups = each.value.backups }
    }
  }
}

resource "google_sql_database" "catalog" {
  for_each        = local.postgres
  project         = var.project
  name            = "medlake"
  instance        = google_sql_database_instance.catalog[each.key].name
  deletion_policy = "ABANDON" # it goes with the instance; before, its user still owns tables
}

resource "google_sql_user" "catalog" {
  for_each            = local.postgres
  project             = var.project
  name                = "medlake"
  instance            = google_sql_database_instance.catalog[each.key].name
  password_wo         = var.postgres_password
  password_wo_version = var.postgres_password_number
  deletion_policy     = "ABANDON"
}

resource "google_secret_manager_secret" "catalog" {
  for_each  = local.postgres
  project   = var.project
  secret_id = "${var.name}-catalog"
  replication {
    user_managed {
      replicas { location = var.region }
    }
  }
}

resource "google_secret_manager_secret_version" "catalog" {
  for_each               = local.postgres
  secret                 = google_secret_manager_secret.catalog[each.key].id
  secret_data_wo         = var.postgres_password
  secret_data_wo_version = var.postgres_password_number
}
