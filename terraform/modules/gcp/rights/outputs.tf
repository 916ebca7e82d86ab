output "rights" {
  description = "By right: the permissions of its custom role."
  value       = local.rights
}
output "grants" {
  description = "What is granted in the lake's bucket: to which role, which right, under which condition; empty: all keys."
  value       = local.grants
}
output "backup" {
  description = "What is granted in the whole bucket of the copy: to which role, which right."
  value       = local.backup
}
output "senders" {
  description = "By customer: the condition under which the right to create is that to put into the customer's folder."
  value       = { for c in var.customers : c => "resource.name.startsWith(\"${local.objects}landing/${c}/\")" }
}
