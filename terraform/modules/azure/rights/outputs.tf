output "rights" {
  description = "By right: the data actions of its custom role."
  value       = local.rights
}
output "grants" {
  description = "What is granted in the lake's container: to which role, which right, under which condition; empty: all keys."
  value       = local.grants
}
output "backup" {
  description = "What is granted in the whole container of the copy: to which role, which right."
  value       = local.backup
}
output "senders" {
  description = "By customer: the condition under which the right to write is that to put into the customer's folder."
  value       = { for c in var.customers : c => "((${local.asks.write}) OR (${local.path} StringStartsWith 'landing/${c}/'))" }
}
