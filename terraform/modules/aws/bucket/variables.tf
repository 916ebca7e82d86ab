variable "name" {
  type        = string
  description = "Name of the bucket, unique in the world."
}
variable "key_arn" {
  type        = string
  description = "Key the objects are encrypted with."
}
variable "noncurrent_days" {
  type        = number
  description = "Days for which what was deleted or written over can be brought back."
}
variable "cold" {
  type        = map(number)
  default     = {}
  description = "Prefix to days after which objects of 128 KiB and more move to a colder class that is still read at once."
}
variable "expire_days" {
  type        = number
  default     = null
  description = "Days after which objects go. Only for logs: a lake's own objects never expire."
}
variable "statements" {
  type        = any
  default     = []
  description = "More statements of the bucket's policy."
}
variable "deny_plain_http" {
  type        = bool
  default     = true
  description = "Off only against an emulator that does not read the conditions of policies."
}
variable "force_destroy" {
  type        = bool
  default     = false
  description = "Destroy the bucket with what is in it. For tests."
}
