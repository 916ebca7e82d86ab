variable "manifests" {
  type        = list(string)
  description = "What kubectl kustomize makes of a folder of infra/knative/overlays, and of others, as infra/postgres: a text each."
  validation {
    condition     = length(regexall("registry\\.example\\.org/medlake/functions@sha256:0{64}", join("\n", var.manifests))) > 0
    error_message = "No text names the image of the overlays, which is put in the place of: give an overlay as it is."
  }
}
variable "image" {
  type        = string
  description = "The image by its digest, as infra/image prints it. Another digest is an upgrade, the one before a rollback."
  validation {
    condition     = can(regex("^[^@\\s]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "An image is named by its digest: name@sha256:…"
  }
}
variable "environment" {
  type        = map(string)
  description = "Variables of the functions, over those of the overlay: the output environment of a cloud's module, or MEDLAKE_BUCKET and so on by hand."
  validation {
    condition     = contains(keys(var.environment), "MEDLAKE_BUCKET")
    error_message = "MEDLAKE_BUCKET is not set."
  }
  validation {
    condition     = alltrue([for v in values(var.environment) : !can(regex("://[^/@]*:[^/@]+@", v))])
    error_message = "A password is no part of a URL here: it would be in a ConfigMap. PostgreSQL's is in the Secret catalog."
  }
}
variable "annotations" {
  type        = map(map(string))
  default     = {}
  description = "By role, the annotations of its service account: the output annotations of a cloud's module."
}
variable "secrets" {
  type        = map(number)
  default     = {}
  description = "Secrets to make, each with a number that is raised when its values change. Others are made by an operator of yours."
  validation {
    condition     = alltrue([for n in values(var.secrets) : n >= 1 && floor(n) == n])
    error_message = "The number of a secret is 1 or more."
  }
}
variable "secret_values" {
  type        = map(map(string))
  default     = {}
  ephemeral   = true
  sensitive   = true
  description = "Keys and values of those secrets. Neither plan nor state keeps them, so they are given each time."
}
variable "wait" {
  type        = bool
  default     = true
  description = "Wait until the new revision of each Service is ready, ten minutes at most."
}
