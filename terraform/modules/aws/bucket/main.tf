# One private bucket: encrypted, versioned, reached over TLS only.

resource "aws_s3_bucket" "this" {
  bucket        = var.name
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id
  rule { object_ownership = "BucketOwnerEnforced" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.key_arn
    }
    bucket_key_enabled = true
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  # What was deleted or written over is gone for good after this: an erasure is complete only then.
  rule {
    id     = "noncurrent"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration { noncurrent_days = var.noncurrent_days }
    abort_incomplete_multipart_upload { days_after_initiation = 3 }
    dynamic "expiration" {
      for_each = var.expire_days == null ? [1] : []
      content { expired_object_delete_marker = true }
    }
    dynamic "expiration" {
      for_each = var.expire_days == null ? [] : [1]
      content { days = var.expire_days }
    }
  }

  dynamic "rule" {
    for_each = var.cold
    content {
      id     = "cold ${rule.key}"
      status = "Enabled"
      filter { prefix = rule.key } # S3 leaves objects below 128 KiB where they are
      transition {
        days          = rule.value
        storage_class = "GLACIER_IR"
      }
    }
  }
  depends_on = [aws_s3_bucket_versioning.this]
}

locals {
  tls = !var.deny_plain_http ? [] : [{
    Sid       = "TLSOnly"
    Effect    = "Deny"
    Principal = "*"
    Action    = "s3:*"
    Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }]
  statements = [for s in concat(local.tls, var.statements) : jsonencode(s)]
}

resource "aws_s3_bucket_policy" "this" {
  count  = length(var.statements) > 0 || var.deny_plain_http ? 1 : 0
  bucket = aws_s3_bucket.this.id
  policy = "{\"Version\":\"2012-10-17\",\"Statement\":[${join(",", local.statements)}]}"
}
