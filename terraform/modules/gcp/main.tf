# The lake's buckets and keys, and the trail of who used them.

data "google_project" "here" { project_id = var.project }
data "google_storage_project_service_account" "here" { project = var.project }

module "access" { source = "../access" }

locals {
  storage_agent = "serviceAccount:${data.google_storage_project_service_account.here.email_address}"
  regions       = { lake = var.region, backup = var.backup_region }
}

# Rings and keys are never gone from a project: another lake of the same name finds them there.
resource "google_kms_key_ring" "this" {
  for_each = local.regions
  project  = var.project
  name     = "${var.name}-${each.key}"
  location = each.value
}

resource "google_kms_crypto_key" "this" {
  for_each        = local.regions
  name            = each.key
  key_ring        = google_kms_key_ring.this[each.key].id
  rotation_period = "7776000s"
}

resource "google_kms_crypto_key_iam_member" "storage" {
  for_each      = local.regions
  crypto_key_id = google_kms_crypto_key.this[each.key].id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = local.storage_agent
}

module "lake" {
  source          = "./bucket"
  name            = "${var.name}-lake"
  project         = var.project
  location        = var.region
  key             = google_kms_crypto_key_iam_member.storage["lake"].crypto_key_id
  noncurrent_days = var.noncurrent_days
  cold            = { "landing/" = var.landing_days }
  force_destroy   = var.force_destroy
}

module "backup" {
  source          = "./bucket"
  name            = "${var.name}-backup"
  project         = var.project
  location        = var.backup_region
  key             = google_kms_crypto_key_iam_member.storage["backup"].crypto_key_id
  noncurrent_days = var.noncurrent_days
  force_destroy   = var.force_destroy
}

module "audit" {
  source          = "./bucket"
  name            = "${var.name}-audit"
  project         = var.project
  location        = var.region
  key             = google_kms_crypto_key_iam_member.storage["lake"].crypto_key_id
  noncurrent_days = var.noncurrent_days
  expire_days     = var.audit_days
  force_destroy   = var.force_destroy
}

# Every read and write of an upload, by whom.
resource "google_project_iam_audit_config" "storage" {
  project = var.project
  service = "storage.googleapis.com"
  audit_log_config { log_type = "DATA_READ" }
  audit_log_config { log_type = "DATA_WRITE" }
}

resource "google_logging_project_sink" "audit" {
  name                   = "${var.name}-audit"
  project                = var.project
  destination            = "storage.googleapis.com/${module.audit.name}"
  filter                 = "protoPayload.serviceName=\"storage.googleapis.com\" AND protoPayload.resourceName:\"projects/_/buckets/${module.lake.name}/objects/landing/\""
  unique_writer_identity = true
}

resource "google_storage_bucket_iam_member" "audit" {
  bucket = module.audit.name
  role   = "roles/storage.objectCreator"
  member = google_logging_project_sink.audit.writer_identity
}
