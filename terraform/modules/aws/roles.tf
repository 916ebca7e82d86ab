# One role an identity, and no right more than module access lists.

module "rights" {
  source     = "./rights"
  lake_arn   = module.lake.arn
  backup_arn = module.backup.arn
}

locals {
  issuer = split("oidc-provider/", var.oidc_provider_arn)[1]

  statements = { for role, r in module.access.roles : role => concat(module.rights.statements[role], [
    for s in [
      { Sid = "Key", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = concat([aws_kms_key.lake.arn], r.backup == "none" ? [] : [aws_kms_key.backup.arn]) },
      { Sid = "Events", Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"], Resource = r.events ? [aws_sqs_queue.arrivals.arn] : [] },
      # By prefix, so that an unknown name is answered as absent and not as forbidden.
      { Sid = "Secrets", Action = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"], Resource = r.secrets ? ["arn:${local.partition}:secretsmanager:${local.region}:${local.account}:secret:${var.name}/*"] : [] },
      {
        Sid      = "Catalog"
        Action   = ["glue:GetDatabase", "glue:CreateDatabase", "glue:UpdateDatabase", "glue:GetTable", "glue:GetTables", "glue:CreateTable", "glue:UpdateTable", "glue:DeleteTable"]
        Resource = r.catalog && var.catalog == "glue" ? concat(["${local.glue}:catalog"], [for d in local.glue_databases : "${local.glue}:database/${d}"], [for d in local.glue_databases : "${local.glue}:table/${d}/*"]) : []
      },
    ] : merge(s, { Effect = "Allow" }) if length(s.Resource) > 0
  ]) }
}

resource "aws_iam_role" "this" {
  for_each = module.access.roles
  name     = "${var.name}-${each.key}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = var.oidc_provider_arn }
      Condition = { StringEquals = {
        "${local.issuer}:sub" = "system:serviceaccount:${var.namespace}:${each.key}"
        "${local.issuer}:aud" = "sts.amazonaws.com"
      } }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = module.access.roles
  name     = "lake"
  role     = aws_iam_role.this[each.key].id
  policy   = jsonencode({ Version = "2012-10-17", Statement = local.statements[each.key] })
}

# A customer who writes to the bucket: into the customer's own folder, and nothing else.
resource "aws_iam_policy" "sender" {
  for_each = var.customers
  name     = "${var.name}-sender-${each.key}"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["s3:PutObject", "s3:AbortMultipartUpload"], Resource = "${module.lake.arn}/landing/${each.key}/*" },
      { Effect = "Allow", Action = ["kms:GenerateDataKey", "kms:Decrypt"], Resource = aws_kms_key.lake.arn },
    ]
  })
}

resource "aws_iam_role" "sender" {
  for_each = { for c, v in var.customers : c => v if length(v.principals) > 0 }
  name     = "${var.name}-sender-${each.key}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = each.value.principals } }]
  })
}

resource "aws_iam_role_policy_attachment" "sender" {
  for_each   = aws_iam_role.sender
  role       = each.value.name
  policy_arn = aws_iam_policy.sender[each.key].arn
}

# Entries for the passwords of the zips; people or rotation fill them.
resource "aws_secretsmanager_secret" "zip" {
  for_each                = var.customers
  name                    = "${var.name}/zip/${each.key}"
  kms_key_id              = aws_kms_key.lake.arn
  recovery_window_in_days = var.force_destroy ? 0 : 30
}
