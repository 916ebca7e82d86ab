# A lake in one Azure resource group, for functions on an AKS cluster that is there already; its copy is in another region.

terraform {
  required_version = ">= 1.11"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = ">= 5.0, < 6.0"
    }
  }
}

provider "azurerm" {
  subscription_id     = var.subscription_id
  storage_use_azuread = true # the lake's accounts have no keys
  features {}
}

module "lake" {
  source              = "../../modules/azure"
  name                = var.name
  resource_group_name = var.resource_group_name
  backup_location     = var.backup_location
  oidc_issuer_url     = var.oidc_issuer_url
  customers           = var.customers
  postgres            = { subnet_id = var.subnet_id, private_dns_zone_id = var.private_dns_zone_id }
  postgres_password   = var.postgres_password
}

variable "subscription_id" {
  type        = string
  description = "Id of the subscription."
}
variable "name" {
  type        = string
  description = "Name of the lake."
}
variable "resource_group_name" {
  type        = string
  description = "Resource group that is there already."
}
variable "backup_location" {
  type        = string
  default     = "northeurope"
  description = "Region of the copy."
}
variable "oidc_issuer_url" {
  type        = string
  description = "OIDC issuer of the cluster."
}
variable "customers" {
  type        = map(object({ principals = optional(list(string), []) }))
  description = "Customers, and who of them puts uploads into the container."
}
variable "subnet_id" {
  type        = string
  description = "Subnet delegated to PostgreSQL, in a network that the cluster reaches."
}
variable "private_dns_zone_id" {
  type        = string
  description = "Its private DNS zone."
}
variable "postgres_password" {
  type        = string
  ephemeral   = true
  sensitive   = true
  description = "Password of PostgreSQL."
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
