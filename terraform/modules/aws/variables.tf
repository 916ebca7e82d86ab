variable "name" {
  type        = string
  description = "Name of the lake; buckets, queue, key and roles begin with it. Bucket names are unique in the world."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,28}[a-z0-9]$", var.name))
    error_message = "The name is 3 to 30 characters of a-z, 0-9 and -."
  }
}
variable "customers" {
  type        = map(object({ principals = optional(list(string), []) }))
  default     = {}
  description = "Customer to the ARNs that may put that customer's uploads into the bucket themselves; none: they come by a gateway."
  validation {
    condition     = alltrue([for c in keys(var.customers) : can(regex("^[a-z0-9][a-z0-9_-]{0,62}$", c))])
    error_message = "A customer is a word of a-z, 0-9, _ and -."
  }
}
variable "oidc_provider_arn" {
  type        = string
  description = "ARN of the IAM OIDC provider of the Kubernetes cluster that runs the functions."
  validation {
    condition     = can(regex("^arn:[^:]+:iam::[0-9]{12}:oidc-provider/.+$", var.oidc_provider_arn))
    error_message = "This is not the ARN of an OIDC provider."
  }
}
variable "namespace" {
  type        = string
  default     = "medlake"
  description = "Namespace of the functions."
}
variable "catalog" {
  type        = string
  default     = "postgres"
  description = "postgres: a database on two zones; glue: the Glue data catalog."
  validation {
    condition     = contains(["postgres", "glue"], var.catalog)
    error_message = "The catalog is postgres or glue."
  }
}
variable "postgres" {
  type = object({
    vpc_id                  = string
    subnet_ids              = list(string)
    client_security_groups  = list(string)
    instance_class          = optional(string, "db.t4g.medium")
    engine_version          = optional(string, "17")
    deletion_protection     = optional(bool, true)
    backup_retention_period = optional(number, 35)
  })
  default     = null
  description = "Where PostgreSQL stands and which security groups reach it; must be set if it is the catalog."
  validation {
    condition     = var.postgres == null ? var.catalog != "postgres" : length(var.postgres.subnet_ids) >= 2
    error_message = "The catalog postgres needs a VPC and subnets in two zones."
  }
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
  description = "Days for which what was deleted or written over can be brought back; an erasure is complete after them."
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
variable "alarm_topics" {
  type        = list(string)
  default     = []
  description = "ARNs of SNS topics that are told of alarms."
}
variable "deny_plain_http" {
  type        = bool
  default     = true
  description = "Off only against an emulator that does not read the conditions of policies."
}
variable "force_destroy" {
  type        = bool
  default     = false
  description = "Destroy buckets with what is in them, and secrets at once. For tests."
}
