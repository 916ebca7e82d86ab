# What each role may do with objects, as statements of IAM. It needs no provider, so a check can hand these very statements
# to another store that reads them.

module "access" { source = "../../access" }

locals {
  # A pattern of the table as ARNs: below the lake's bucket, "" and what ends in "/" with all that follows.
  arns = { for role, r in module.access.roles : role => {
    for of, patterns in { read = r.read, write = concat(r.create, r.write), delete = r.delete } :
    of => [for p in distinct(patterns) : "${var.lake_arn}/${p}${p == "" || endswith(p, "/") ? "*" : ""}"]
  } }

  # No statement allows s3:DeleteObjectVersion: what is deleted can be brought back for a while.
  statements = { for role, r in module.access.roles : role => [
    for s in [
      { Sid = "List", Action = ["s3:ListBucket"], Resource = r.list ? [var.lake_arn] : [] },
      { Sid = "Read", Action = ["s3:GetObject", "s3:GetObjectVersion"], Resource = local.arns[role].read },
      { Sid = "Write", Action = ["s3:PutObject", "s3:AbortMultipartUpload"], Resource = local.arns[role].write },
      { Sid = "Delete", Action = ["s3:DeleteObject"], Resource = local.arns[role].delete },
      { Sid = "BackupList", Action = ["s3:ListBucket"], Resource = r.backup == "none" ? [] : [var.backup_arn] },
      { Sid = "BackupRead", Action = ["s3:GetObject", "s3:GetObjectVersion"], Resource = r.backup == "none" ? [] : ["${var.backup_arn}/*"] },
      { Sid = "BackupWrite", Action = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"], Resource = r.backup == "write" ? ["${var.backup_arn}/*"] : [] },
    ] : merge(s, { Effect = "Allow" }) if length(s.Resource) > 0
  ] }
}
