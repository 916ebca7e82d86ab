variable "name" {
  type        = string
  description = "Name of the lake; buckets, topic, keys and service accounts begin with it. Bucket names are unique in the world."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "The name is 3 to 20 characters of a-z, 0-9 and -: a service account has 30 with its role."
  }
}
variable "project" {
  type        = string
  description = "Id of the project."
}
variable "region" {
  type        = string
  description = "Region of the lake, as europe-west3."
  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "One region: a key cannot be where a bucket of two or of a continent is."
  }
}
variable "backup_region" {
  type        = string
  description = "Region of its copy: another one."
  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.backup_region)) && var.backup_region != var.region
    error_message = "One region, and not that of the lake."
  }
}
variable "customers" {
  type        = map(object({ principals = optional(list(string), []) }))
  default     = {}
  description = "Customer to the members (serviceAccount:…, principal://…) that may put that customer's uploads into the bucket themselves; none: they come by a gateway."
  validation {
    condition     = alltrue([for c in keys(var.customers) : can(regex("^[a-z0-9][a-z0-9_-]{0,62}$", c))])
    error_message = "A customer is a word of a-z, 0-9, _ and -."
  }
  validation {
    condition     = alltrue(flatten([for c in values(var.customers) : [for p in c.principals : !startswith(p, "all")]]))
    error_message = "Not everybody: name them."
  }
}
variable "workload_pool" {
  type        = string
  default     = null
  description = "Workload identity pool of the Kubernetes cluster that runs the functions; none: that of the project."
}
variable "namespace" {
  type        = string
  default     = "medlake"
  description = "Namespace of the functions."
}
variable "catalog_url" {
  type        = string
  default     = null
  description = "A catalog of your own (postgres://, https:// or others that Medlake opens), without its password; none: Cloud SQL."
}
variable "postgres" {
  type = object({
    network             = string
    tier                = optional(string, "db-custom-2-7680")
    database_version    = optional(string, "POSTGRES_17")
    deletion_protection = optional(bool, true)
    backups             = optional(number, 35)
  })
  default     = null
  description = "Id of the network that reaches PostgreSQL, with private services access; must be set if there is no catalog_url."
  validation {
    condition     = (var.postgres == null) != (var.catalog_url == null)
    error_message = "Either PostgreSQL here, which needs a network, or catalog_url."
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
  description = "Days after which uploads move to a colder class. They never expire."
  validation {
    condition     = var.landing_days >= 30
    error_message = "Replays read recent uploads: 30 days or more."
  }
}
variable "noncurrent_days" {
  type        = number
  default     = 35
  description = "Days for which what was deleted or written over can be brought back; an erasure is complete seven days after them."
  validation {
    condition     = var.noncurrent_days >= 1
    error_message = "One day or more."
  }
}
variable "audit_days" {
  type        = number
  default     = 2190
  description = "Days for which the trail of who read and wrote uploads is kept: six years."
}
variable "notification_channels" {
  type        = list(string)
  default     = []
  description = "Ids of Cloud Monitoring's channels that are told of alarms."
}
variable "force_destroy" {
  type        = bool
  default     = false
  description = "Destroy buckets with what is in them. For tests."
}
