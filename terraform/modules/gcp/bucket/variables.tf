variable "name" {
  type        = string
  description = "Name of the bucket."
}
variable "project" {
  type        = string
  description = "Id of the project."
}
variable "location" {
  type        = string
  description = "Region."
}
variable "key" {
  type        = string
  description = "Id of the key that encrypts it, in the same region."
}
variable "noncurrent_days" {
  type        = number
  description = "Days for which deleted and overwritten versions are kept."
}
variable "cold" {
  type        = map(number)
  default     = {}
  description = "Prefix to the days after which its objects move to a colder class."
}
variable "expire_days" {
  type        = number
  default     = null
  description = "Days after which objects expire; none: never."
}
variable "force_destroy" {
  type        = bool
  description = "Destroy with what is in it."
}
