variable "customers" {
  type        = set(string)
  default     = []
  description = "Customers."
}
