mock_provider "aws" {
  mock_data "aws_caller_identity" { defaults = { account_id = "123456789012" } }
  mock_data "aws_partition" { defaults = { partition = "aws" } }
  mock_data "aws_region" { defaults = { name = "eu-west-1" } }
  mock_resource "aws_kms_key" { defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/1" } }
  mock_resource "aws_s3_bucket" { defaults = { arn = "arn:aws:s3:::bucket" } }
  mock_resource "aws_sqs_queue" { defaults = { arn = "arn:aws:sqs:eu-west-1:123456789012:q", url = "https://sqs.eu-west-1.amazonaws.com/123456789012/q" } }
  mock_resource "aws_iam_role" { defaults = { arn = "arn:aws:iam::123456789012:role/r" } }
  mock_resource "aws_iam_policy" { defaults = { arn = "arn:aws:iam::123456789012:policy/p" } }
}

mock_provider "aws" {
  alias = "backup"
  mock_data "aws_region" { defaults = { name = "eu-central-1" } }
  mock_resource "aws_kms_key" { defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/2" } }
  mock_resource "aws_s3_bucket" { defaults = { arn = "arn:aws:s3:::copy" } }
}

variables {
  name              = "clinic"
  catalog           = "glue"
  oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example/id/1"
  customers         = { acme = { principals = ["arn:aws:iam::210987654321:root"] }, lakeside = {} }
}

run "least_privilege" {
  assert {
    condition     = alltrue([for p in aws_iam_role_policy.this : alltrue([for s in jsondecode(p.policy).Statement : s.Effect == "Allow" && alltrue([for a in s.Action : !strcontains(a, "*")]) && alltrue([for r in s.Resource : r != "*"])])])
    error_message = "no wildcard action, and no resource that is everything"
  }
  assert {
    condition     = alltrue([for p in aws_iam_role_policy.this : !strcontains(p.policy, "DeleteObjectVersion")])
    error_message = "nobody removes versions"
  }
  assert {
    condition     = alltrue([for s in jsondecode(aws_iam_role_policy.this["ingest"].policy).Statement : alltrue([for r in s.Resource : !strcontains(r, "/landing/")]) if s.Sid != "Read"])
    error_message = "ingest only reads uploads"
  }
  assert {
    condition     = flatten([for s in jsondecode(aws_iam_role_policy.this["gateway"].policy).Statement : s.Resource if startswith(s.Action[0], "s3:")]) == ["arn:aws:s3:::bucket/landing/*"]
    error_message = "the gateway reaches landing only"
  }
  assert {
    condition     = alltrue([for c, p in aws_iam_policy.sender : [for s in jsondecode(p.policy).Statement : s.Resource if startswith(s.Action[0], "s3:")] == ["arn:aws:s3:::bucket/landing/${c}/*"] && !strcontains(p.policy, "GetObject") && !strcontains(p.policy, "ListBucket")])
    error_message = "a customer puts into its own folder and sees nothing"
  }
  assert {
    condition     = keys(aws_iam_role.sender) == ["acme"]
    error_message = "only who writes itself has a role"
  }
}

run "events" {
  assert {
    condition     = aws_s3_bucket_notification.landing.queue[0].filter_prefix == "landing/" && tolist(aws_s3_bucket_notification.landing.queue[0].events) == tolist(["s3:ObjectCreated:*"])
    error_message = "what arrives in landing, and nothing else"
  }
  assert {
    condition     = jsondecode(aws_sqs_queue.arrivals.redrive_policy).maxReceiveCount == 10 && aws_cloudwatch_metric_alarm.arrivals["dead"].threshold == 0
    error_message = "dead letters are kept and tell"
  }
  assert {
    condition     = aws_kms_key.lake.enable_key_rotation && aws_kms_key.backup.enable_key_rotation && aws_cloudtrail.lake.enable_log_file_validation
    error_message = "keys turn, the trail is proved"
  }
}

run "outputs" {
  assert {
    condition = output.environment == {
      MEDLAKE_BUCKET  = output.bucket_url
      MEDLAKE_EVENTS  = output.events_url
      MEDLAKE_CATALOG = output.catalog_url
      MEDLAKE_SECRETS = output.secrets_url
      AWS_REGION      = "eu-west-1"
    }
    error_message = "the environment is what the functions read"
  }
  assert {
    condition     = output.events_url == "awssqs://sqs.eu-west-1.amazonaws.com/123456789012/q?region=eu-west-1" && output.catalog_url == "glue://?region=eu-west-1&prefix=clinic_"
    error_message = "URLs as Medlake reads them"
  }
}

run "same_as_other_clouds" {
  module { source = "../../tests/outputs" }
  variables { lake = run.outputs }
}

run "postgres" {
  variables {
    catalog  = "postgres"
    postgres = { vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"], client_security_groups = ["sg-1"] }
  }
  assert {
    condition     = aws_db_instance.catalog["this"].multi_az && aws_db_instance.catalog["this"].storage_encrypted && !aws_db_instance.catalog["this"].publicly_accessible && aws_db_instance.catalog["this"].deletion_protection
    error_message = "two zones, encrypted, private, kept"
  }
  assert {
    condition     = !strcontains(output.catalog_url, ":@") && startswith(output.catalog_url, "postgres://medlake@")
    error_message = "no password in the URL"
  }
}

run "bad_values" {
  command = plan
  variables {
    name         = "Bad_Name"
    landing_days = 1
    customers    = { "a/b" = {} }
  }
  expect_failures = [var.name, var.landing_days, var.customers]
}

run "a_bucket" {
  module { source = "./bucket" }
  variables {
    name            = "clinic-lake"
    key_arn         = "arn:aws:kms:eu-west-1:123456789012:key/1"
    noncurrent_days = 35
    cold            = { "landing/" = 90 }
  }
  assert {
    condition     = aws_s3_bucket_public_access_block.this.block_public_acls && aws_s3_bucket_public_access_block.this.block_public_policy && aws_s3_bucket_public_access_block.this.ignore_public_acls && aws_s3_bucket_public_access_block.this.restrict_public_buckets
    error_message = "private"
  }
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms" && aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "encrypted and versioned"
  }
  assert {
    condition     = alltrue(flatten([for r in aws_s3_bucket_lifecycle_configuration.this.rule : [for e in r.expiration : try(e.days, 0) == 0 || e.days == null]]))
    error_message = "nothing that is there expires"
  }
  assert {
    condition     = strcontains(aws_s3_bucket_policy.this[0].policy, "aws:SecureTransport")
    error_message = "TLS only"
  }
}
