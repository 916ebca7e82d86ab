# A lake on a Kubernetes of one's own: any store that speaks S3, and PostgreSQL by its operator or anywhere. No cloud account.

terraform {
  required_version = ">= 1.11"
  required_providers {
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = ">= 3.2.1, < 4.0"
    }
  }
}

provider "kubernetes" {
  config_path    = var.kubeconfig
  config_context = var.context
}

module "functions" {
  source        = "../../modules/kubernetes"
  manifests     = [for f in var.manifests : file(f)]
  image         = var.image
  environment   = merge({ MEDLAKE_BUCKET = var.bucket_url }, { for k, v in { MEDLAKE_CATALOG = var.catalog_url } : k => v if v != null }, var.environment)
  secrets       = var.secrets
  secret_values = var.secret_values
  wait          = var.wait
}

variable "kubeconfig" {
  type        = string
  default     = "~/.kube/config"
  description = "File that tells where the cluster is and who you are there."
}
variable "context" {
  type        = string
  default     = null
  description = "Context of that file; none: its current one."
}
variable "manifests" {
  type        = list(string)
  description = "Files made by kubectl kustomize: of infra/knative/overlays/onprem, and of infra/postgres if its operator runs here."
}
variable "image" {
  type        = string
  description = "The image by its digest."
}
variable "bucket_url" {
  type        = string
  description = "s3://BUCKET?region=us-east-1&endpoint=https://HOST:9000&use_path_style=true"
}
variable "catalog_url" {
  type        = string
  default     = null
  description = "postgres://USER@HOST/DB?sslmode=verify-full, without the password; none: the one of infra/postgres."
}
variable "environment" {
  type        = map(string)
  default     = {}
  description = "Further variables of the functions, as MEDLAKE_METRICS_ENDPOINT."
}
variable "secrets" {
  type        = map(number)
  default     = { catalog = 1, store = 1, passwords = 1 }
  description = "Secrets to make; raise a number when its values change. None of them if an operator fills them."
}
variable "secret_values" {
  type        = map(map(string))
  default     = {}
  ephemeral   = true
  sensitive   = true
  description = "By secret, its keys and values: catalog (username, password), store (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), passwords (zip-CUSTOMER)."
}
variable "wait" {
  type        = bool
  default     = true
  description = "Wait until the new revisions are ready."
}

output "bucket_url" {
  description = "The lake's bucket."
  value       = module.functions.bucket_url
}
output "catalog_url" {
  description = "The catalog."
  value       = module.functions.catalog_url
}
output "environment" {
  description = "All variables of the functions."
  value       = module.functions.environment
}
output "ingest_url" {
  description = "Where the store's webhook posts to."
  value       = module.functions.ingest_url
}
output "revisions" {
  description = "What runs, by Service."
  value       = module.functions.revisions
}
