terraform {
  required_version = ">= 1.11" # values that are written and never kept
  required_providers {
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = ">= 3.2.1, < 4.0"
    }
  }
}
