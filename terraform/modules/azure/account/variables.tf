variable "name" {
  type        = string
  description = "Name of the storage account."
}
variable "container" {
  type        = string
  description = "Name of its container."
}
variable "resource_group_name" {
  type        = string
  description = "Resource group."
}
variable "location" {
  type        = string
  description = "Region."
}
variable "key_id" {
  type        = string
  description = "Id, without a version, of the key that encrypts it."
}
variable "identity_id" {
  type        = string
  description = "Id of the identity that may use the key."
}
variable "noncurrent_days" {
  type        = number
  description = "Days for which deleted and overwritten versions are kept."
}
variable "cold" {
  type        = map(number)
  default     = {}
  description = "Prefix to the days after which its blobs move to a colder tier."
}
variable "expire_days" {
  type        = number
  default     = null
  description = "Days after which blobs expire; none: never."
}
variable "keys" {
  type        = bool
  default     = false
  description = "Whether the account's own keys open it, beside identities."
}
variable "force_destroy" {
  type        = bool
  description = "No lock against deletion by others."
}
