terraform {
  required_version = ">= 1.11" # the password of PostgreSQL is written and never kept
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = ">= 5.0, < 6.0"
    }
  }
}
