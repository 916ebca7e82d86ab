# One private bucket: encrypted, versioned, with IAM alone to say who may use it.

resource "google_storage_bucket" "this" {
  name                        = var.name
  project                     = var.project
  location                    = upper(var.location)
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.force_destroy

  encryption { default_kms_key_name = var.key }
  versioning { enabled = true }

  # Who may delete may also delete an older version. What goes that way, and what the rules below remove, can be brought back
  # for seven days more.
  soft_delete_policy { retention_duration_seconds = 604800 }

  # What was deleted or written over leaves after this: an erasure is complete only then.
  lifecycle_rule {
    action { type = "Delete" }
    condition {
      days_since_noncurrent_time = var.noncurrent_days
      with_state                 = "ARCHIVED"
    }
  }
  lifecycle_rule {
    action { type = "AbortIncompleteMultipartUpload" }
    condition { age = 3 }
  }
  dynamic "lifecycle_rule" {
    for_each = var.expire_days == null ? [] : [var.expire_days]
    content {
      action { type = "Delete" }
      condition {
        age        = lifecycle_rule.value
        with_state = "LIVE"
      }
    }
  }
  dynamic "lifecycle_rule" {
    for_each = var.cold
    content {
      action {
        type          = "SetStorageClass"
        storage_class = "ARCHIVE"
      }
      condition {
        age            = lifecycle_rule.value
        matches_prefix = [lifecycle_rule.key]
        with_state     = "LIVE"
      }
    }
  }
}
