# A lake in one AWS account, for functions on an EKS cluster that is there already; its copy is in another region.

terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 6.0"
    }
  }
}

provider "aws" {
  region = var.region
  default_tags { tags = { lake = var.name } }
}

provider "aws" {
  alias  = "backup"
  region = var.backup_region
  default_tags { tags = { lake = var.name } }
}

module "lake" {
  source            = "../../modules/aws"
  providers         = { aws = aws, aws.backup = aws.backup }
  name              = var.name
  customers         = var.customers
  oidc_provider_arn = var.oidc_provider_arn
  catalog           = var.catalog
  postgres          = var.postgres
  deny_plain_http   = var.deny_plain_http
  force_destroy     = var.force_destroy
}

variable "name" {
  type        = string
  description = "Name of the lake."
}
variable "region" {
  type        = string
  default     = "eu-west-1"
  description = "Region of the lake."
}
variable "backup_region" {
  type        = string
  default     = "eu-central-1"
  description = "Region of its copy."
}
variable "oidc_provider_arn" {
  type        = string
  description = "ARN of the cluster's OIDC provider in IAM."
}
variable "customers" {
  type        = map(object({ principals = optional(list(string), []) }))
  description = "Customers, and who of them puts uploads into the bucket."
}
variable "catalog" {
  type        = string
  default     = "postgres"
  description = "postgres or glue."
}
variable "postgres" {
  type        = any
  default     = null
  description = "VPC, subnets and client security groups of PostgreSQL; see the module."
}
variable "deny_plain_http" {
  type        = bool
  default     = true
  description = "Off only against an emulator."
}
variable "force_destroy" {
  type        = bool
  default     = false
  description = "For tests."
}

output "environment" {
  description = "For the ConfigMap of the functions."
  value       = module.lake.environment
}
output "annotations" {
  description = "For the service accounts."
  value       = module.lake.annotations
}
output "backup_bucket_url" {
  description = "What medlake backup is given."
  value       = module.lake.backup_bucket_url
}
