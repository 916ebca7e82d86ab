variable "lake_arn" {
  type        = string
  description = "ARN of the lake's bucket."
}
variable "backup_arn" {
  type        = string
  description = "ARN of the bucket of its copy."
}
