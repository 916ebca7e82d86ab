variable "name" {
  type        = string
  description = "Name of the lake; accounts, vaults, bus, identities and database begin with it. Those of accounts and vaults are unique in the world."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,15}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "The name is 3 to 17 characters of a-z, 0-9 and -: a vault has 24 with its purpose."
  }
}
variable "resource_group_name" {
  type        = string
  description = "Resource group that everything is in; its region is the lake's."
}
variable "backup_location" {
  type        = string
  description = "Region of the copy: another one."
}
variable "customers" {
  type        = map(object({ principals = optional(list(string), []) }))
  default     = {}
  description = "Customer to the object ids of Entra ID that may put that customer's uploads into the container themselves; none: they come by a gateway."
  validation {
    condition     = alltrue([for c in keys(var.customers) : can(regex("^[a-z0-9][a-z0-9_-]{0,62}$", c))])
    error_message = "A customer is a word of a-z, 0-9, _ and -."
  }
}
variable "oidc_issuer_url" {
  type        = string
  description = "URL of the OIDC issuer of the Kubernetes cluster that runs the functions."
  validation {
    condition     = startswith(var.oidc_issuer_url, "https://")
    error_message = "The issuer is an https:// URL."
  }
}
variable "namespace" {
  type        = string
  default     = "medlake"
  description = "Namespace of the functions."
}
variable "catalog_url" {
  type        = string
  default     = null
  description = "A catalog of your own (postgres://, https:// or others that Medlake opens), without its password; none: PostgreSQL Flexible Server."
}
variable "postgres" {
  type = object({
    subnet_id             = string
    private_dns_zone_id   = string
    sku_name              = optional(string, "GP_Standard_D2ds_v5")
    version               = optional(string, "17")
    backup_retention_days = optional(number, 35)
  })
  default     = null
  description = "Subnet delegated to PostgreSQL, and its private DNS zone; must be set if there is no catalog_url."
  validation {
    condition     = (var.postgres == null) != (var.catalog_url == null)
    error_message = "Either PostgreSQL here, which needs a subnet and a zone, or catalog_url."
  }
}
variable "postgres_password" {
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
  description = "Password of PostgreSQL's user medlake; neither plan nor state keeps it, so it is given each time."
  validation {
    condition     = var.postgres == null || var.postgres_password != null
    error_message = "PostgreSQL needs a password."
  }
}
variable "postgres_password_number" {
  type        = number
  default     = 1
  description = "Raised when that password changes."
}
variable "landing_days" {
  type        = number
  default     = 90
  description = "Days after which uploads move to a colder tier. They never expire."
  validation {
    condition     = var.landing_days >= 30
    error_message = "Replays read recent uploads: 30 days or more."
  }
}
variable "noncurrent_days" {
  type        = number
  default     = 35
  description = "Days for which what was deleted or written over can be brought back; an erasure is complete two days after them."
  validation {
    condition     = var.noncurrent_days >= 1 && var.noncurrent_days <= 365
    error_message = "1 to 365 days."
  }
}
variable "audit_days" {
  type        = number
  default     = 2190
  description = "Days for which the trail of who read and wrote uploads is kept: six years."
}
variable "action_groups" {
  type        = list(string)
  default     = []
  description = "Ids of Azure Monitor's action groups that are told of alarms."
}
variable "force_destroy" {
  type        = bool
  default     = false
  description = "No locks against deletion by others. For tests."
}
