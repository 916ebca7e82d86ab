output "roles" {
  description = "By identity: list (bool), read, create, write, delete (patterns of keys), and whether it takes events, reads secrets and opens the catalog."
  value       = local.roles
}
