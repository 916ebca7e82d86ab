# What each cloud's module gives, as a type: their tests hand their outputs to this module.

terraform {
  required_version = ">= 1.9"
}

module "access" { source = "../../modules/access" }

variable "lake" {
  type = object({
    bucket_url        = string
    backup_bucket_url = string
    events_url        = string
    catalog_url       = string
    secrets_url       = string
    environment       = map(string)
    identities        = map(string)
    annotations       = map(map(string))
    senders           = map(string)
    key               = string
    audit             = string
    catalog_password  = string
  })
  description = "All outputs of the module."
  validation {
    condition = alltrue([for variable, value in {
      MEDLAKE_BUCKET  = var.lake.bucket_url
      MEDLAKE_EVENTS  = var.lake.events_url
      MEDLAKE_CATALOG = var.lake.catalog_url
      MEDLAKE_SECRETS = var.lake.secrets_url
    } : try(var.lake.environment[variable], null) == value])
    error_message = "The environment is what the functions read."
  }
  validation {
    condition     = toset(keys(var.lake.identities)) == toset(keys(module.access.roles)) && toset(keys(var.lake.annotations)) == toset(keys(module.access.roles))
    error_message = "Each role has its identity and its annotations."
  }
  validation {
    condition     = alltrue([for u in [var.lake.bucket_url, var.lake.backup_bucket_url, var.lake.events_url, var.lake.catalog_url, var.lake.secrets_url] : can(regex("^[a-z0-9]+://", u)) && !can(regex("://[^/@]*:[^/@]+@", u))])
    error_message = "URLs, and no password in one."
  }
  validation {
    condition     = strcontains(var.lake.secrets_url, "{name}") || strcontains(var.lake.secrets_url, "{flat}")
    error_message = "The URL of the secrets says where a name belongs."
  }
  validation {
    condition     = var.lake.bucket_url != var.lake.backup_bucket_url && alltrue([for v in [var.lake.key, var.lake.audit] : v != ""])
    error_message = "The copy is another bucket; key and trail have a name."
  }
}
