terraform {
  required_version = ">= 1.11" # the password of PostgreSQL is written and never kept
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 8.0, < 9.0"
    }
  }
}
