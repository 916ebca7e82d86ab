# The lake's buckets and keys, and the trail of who used them.

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}
data "aws_region" "backup" { provider = aws.backup }

module "access" { source = "../access" }

locals {
  account   = data.aws_caller_identity.here.account_id
  partition = data.aws_partition.here.partition
  region    = data.aws_region.here.name
  trail_arn = "arn:${local.partition}:cloudtrail:${local.region}:${local.account}:trail/${var.name}"
}

resource "aws_kms_key" "lake" {
  description         = "${var.name}: the lake"
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Trail"
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = ["kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceArn" = local.trail_arn } }
      },
    ]
  })
}

resource "aws_kms_key" "backup" {
  provider            = aws.backup
  description         = "${var.name}: the backup"
  enable_key_rotation = true
}

module "lake" {
  source          = "./bucket"
  name            = "${var.name}-lake"
  key_arn         = aws_kms_key.lake.arn
  noncurrent_days = var.noncurrent_days
  cold            = { "landing/" = var.landing_days }
  deny_plain_http = var.deny_plain_http
  force_destroy   = var.force_destroy
}

module "backup" {
  source          = "./bucket"
  providers       = { aws = aws.backup }
  name            = "${var.name}-backup"
  key_arn         = aws_kms_key.backup.arn
  noncurrent_days = var.noncurrent_days
  deny_plain_http = var.deny_plain_http
  force_destroy   = var.force_destroy
}

module "audit" {
  source          = "./bucket"
  name            = "${var.name}-audit"
  key_arn         = aws_kms_key.lake.arn
  noncurrent_days = var.noncurrent_days
  expire_days     = var.audit_days
  deny_plain_http = var.deny_plain_http
  force_destroy   = var.force_destroy
  statements = [
    for s in [
      { Sid = "TrailLooks", Action = "s3:GetBucketAcl", Path = "" },
      { Sid = "TrailWrites", Action = "s3:PutObject", Path = "/AWSLogs/${local.account}/*" },
      ] : {
      Sid       = s.Sid
      Effect    = "Allow"
      Principal = { Service = "cloudtrail.amazonaws.com" }
      Action    = s.Action
      Resource  = "arn:${local.partition}:s3:::${var.name}-audit${s.Path}"
      Condition = { StringEquals = { "aws:SourceArn" = local.trail_arn } }
    }
  ]
}

# Every read and write of an upload, by whom.
resource "aws_cloudtrail" "lake" {
  name                       = var.name
  s3_bucket_name             = module.audit.id
  kms_key_id                 = aws_kms_key.lake.arn
  enable_log_file_validation = true
  advanced_event_selector {
    name = "uploads"
    field_selector {
      field  = "eventCategory"
      equals = ["Data"]
    }
    field_selector {
      field  = "resources.type"
      equals = ["AWS::S3::Object"]
    }
    field_selector {
      field       = "resources.ARN"
      starts_with = ["${module.lake.arn}/landing/"]
    }
  }
  depends_on = [module.audit]
}
