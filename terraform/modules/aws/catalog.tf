# The catalog: PostgreSQL on two zones, or Glue, whose databases Medlake makes itself.

locals {
  postgres       = var.catalog == "postgres" ? { this = var.postgres } : {}
  glue_prefix    = "${replace(var.name, "-", "_")}_"
  glue_databases = [for n in ["lake", "ops", "mart"] : "${local.glue_prefix}${n}"]
  glue           = "arn:${local.partition}:glue:${local.region}:${local.account}"
  catalog_url = var.catalog == "glue" ? "glue://?region=${local.region}&prefix=${local.glue_prefix}" : join("", [
    for d in aws_db_instance.catalog : "postgres://medlake@${d.endpoint}/medlake?sslmode=require"
  ])
}

resource "aws_db_subnet_group" "catalog" {
  for_each   = local.postgres
  name       = "${var.name}-catalog"
  subnet_ids = each.value.subnet_ids
}

resource "aws_security_group" "catalog" {
  for_each    = local.postgres
  name        = "${var.name}-catalog"
  description = "PostgreSQL of the lake, for the functions"
  vpc_id      = each.value.vpc_id
  ingress {
    description     = "the functions"
    protocol        = "tcp"
    from_port       = 5432
    to_port         = 5432
    security_groups = each.value.client_security_groups
  }
}

resource "aws_db_instance" "catalog" {
  for_each                    = local.postgres
  identifier                  = "${var.name}-catalog"
  engine                      = "postgres"
  engine_version              = each.value.engine_version
  instance_class              = each.value.instance_class
  allocated_storage           = 20
  max_allocated_storage       = 200
  storage_type                = "gp3"
  storage_encrypted           = true
  kms_key_id                  = aws_kms_key.lake.arn
  db_name                     = "medlake"
  username                    = "medlake"
  manage_master_user_password = true
  multi_az                    = true
  publicly_accessible         = false
  db_subnet_group_name        = aws_db_subnet_group.catalog[each.key].name
  vpc_security_group_ids      = [aws_security_group.catalog[each.key].id]
  backup_retention_period     = each.value.backup_retention_period
  deletion_protection         = each.value.deletion_protection
  auto_minor_version_upgrade  = true
  copy_tags_to_snapshot       = true
  skip_final_snapshot         = var.force_destroy
  final_snapshot_identifier   = "${var.name}-catalog-last"
}
