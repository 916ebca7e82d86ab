output "statements" {
  description = "By role: the statements of its policy that are about objects."
  value       = local.statements
}
