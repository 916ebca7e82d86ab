variable "bucket" {
  type        = string
  description = "Name of the lake's bucket."
}
variable "customers" {
  type        = set(string)
  default     = []
  description = "Customers."
}
