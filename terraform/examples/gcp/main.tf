# A lake in one Google project, for functions on a GKE cluster that is there already; its copy is in another region.

terraform {
  required_version = ">= 1.11"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 8.0, < 9.0"
    }
  }
}

provider "google" {
  project        = var.project
  region         = var.region
  default_labels = { lake = var.name }
}

module "lake" {
  source            = "../../modules/gcp"
  name              = var.name
  project           = var.project
  region            = var.region
  backup_region     = var.backup_region
  customers         = var.customers
  postgres          = { network = var.network }
  postgres_password = var.postgres_password
}

variable "name" {
  type        = string
  description = "Name of the lake."
}
variable "project" {
  type        = string
  description = "Id of the project."
}
variable "region" {
  type        = string
  default     = "europe-west3"
  description = "Region of the lake."
}
variable "backup_region" {
  type        = string
  default     = "europe-west4"
  description = "Region of its copy."
}
variable "customers" {
  type        = map(object({ principals = optional(list(string), []) }))
  description = "Customers, and who of them puts uploads into the bucket."
}
variable "network" {
  type        = string
  description = "Id of the cluster's network, with private services access."
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
