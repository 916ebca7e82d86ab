mock_provider "kubernetes" {}

variables {
  manifests   = [file("tests/overlay.yaml")]
  image       = "registry.clinic.test/medlake@sha256:1111111111111111111111111111111111111111111111111111111111111111"
  environment = { MEDLAKE_BUCKET = "s3://lake?region=eu-west-1", MEDLAKE_CATALOG = "postgres://medlake@db.clinic.test/lake?sslmode=require" }
  annotations = { commit = { "eks.amazonaws.com/role-arn" = "arn:aws:iam::123456789012:role/lake-commit" }, gateway = {} }
  secrets     = { catalog = 1, passwords = 1 }
  secret_values = {
    catalog   = { username = "medlake", password = "not-in-any-state" }
    passwords = { zip-acme = "nor-this" }
  }
}

run "first" {
  assert {
    condition     = alltrue([for m in concat(values(kubernetes_manifest.service), values(kubernetes_manifest.object)) : !strcontains(jsonencode(m.manifest), "registry.example.org") && !strcontains(jsonencode(m.manifest), "666t6k6kt9")])
    error_message = "the image and the environment are put in everywhere"
  }
  assert {
    condition     = kubernetes_manifest.service["commit"].manifest.spec.template.spec.containers[0].image == var.image
    error_message = "a Service runs the image"
  }
  assert {
    condition     = kubernetes_config_map_v1.environment.data == tomap({ MEDLAKE_BUCKET = "s3://lake?region=eu-west-1", MEDLAKE_CATALOG = "postgres://medlake@db.clinic.test/lake?sslmode=require", MEDLAKE_METADATA = "/metadata", MEDLAKE_SECRETS = "file:///etc/medlake/secrets/{flat}" })
    error_message = "the environment is the overlay's with ours over it"
  }
  assert {
    condition     = kubernetes_manifest.account["commit"].manifest.metadata.annotations == tomap({ "eks.amazonaws.com/role-arn" = "arn:aws:iam::123456789012:role/lake-commit" })
    error_message = "the account has our identity, not the example"
  }
  assert {
    condition     = jsonencode(kubernetes_manifest.service["commit"].manifest.spec.template.spec.containers[0].env) == jsonencode([{ name = "PGPASSWORD", valueFrom = { secretKeyRef = { key = "password", name = "catalog" } } }]) && kubernetes_config_map_v1.variables["commit"].data == tomap({ GOMEMLIMIT = "460MiB" })
    error_message = "one variable is left beside the Service, the others come from its ConfigMap"
  }
  assert {
    condition     = kubernetes_manifest.service["commit"].manifest.spec.template.metadata.name == output.revisions.commit && can(regex("^commit-[0-9a-f]{10}$", output.revisions.commit))
    error_message = "the revision has its name"
  }
  assert {
    condition     = output.bucket_url == "s3://lake?region=eu-west-1" && output.events_url == "" && output.identities == { commit = "system:serviceaccount:medlake:commit" }
    error_message = "outputs"
  }
}

run "same_again" {
  assert {
    condition     = output.revisions == run.first.revisions
    error_message = "the same makes the same revision"
  }
}

run "upgrade" {
  variables {
    image = "registry.clinic.test/medlake@sha256:2222222222222222222222222222222222222222222222222222222222222222"
  }
  assert {
    condition     = output.revisions.commit != run.first.revisions.commit
    error_message = "another image is another revision"
  }
}

run "rollback" {
  assert {
    condition     = output.revisions == run.first.revisions
    error_message = "the image before is the revision before"
  }
}

run "other_environment" {
  variables {
    environment = { MEDLAKE_BUCKET = "s3://lake?region=eu-west-1", MEDLAKE_CATALOG = "postgres://medlake@db.clinic.test/lake?sslmode=verify-full" }
  }
  assert {
    condition     = output.revisions.commit != run.first.revisions.commit
    error_message = "another environment is another revision"
  }
}

run "other_password_of_the_catalog" {
  variables {
    secrets = { catalog = 2, passwords = 1 }
  }
  assert {
    condition     = output.revisions.commit != run.first.revisions.commit
    error_message = "what is read at the start only makes a revision"
  }
}

run "other_password_of_an_upload" {
  variables {
    secrets = { catalog = 1, passwords = 2 }
  }
  assert {
    condition     = output.revisions.commit == run.first.revisions.commit
    error_message = "a mounted file changes by itself"
  }
}

run "image_by_tag" {
  command         = plan
  expect_failures = [var.image]
  variables { image = "registry.clinic.test/medlake:latest" }
}

run "no_overlay" {
  command         = plan
  expect_failures = [var.manifests]
  variables { manifests = ["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: medlake-1}\ndata: {}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: medlake}\n"] }
}

run "password_in_a_url" {
  command         = plan
  expect_failures = [var.environment]
  variables { environment = { MEDLAKE_BUCKET = "s3://lake", MEDLAKE_CATALOG = "postgres://medlake:hush@db.clinic.test/lake" } }
}

run "example_left" {
  command         = plan
  expect_failures = [kubernetes_config_map_v1.environment]
  variables { environment = { MEDLAKE_BUCKET = "s3://lake" } }
}

run "catalog_without_a_password" {
  command         = plan
  expect_failures = [kubernetes_config_map_v1.environment]
  variables { environment = { MEDLAKE_BUCKET = "s3://lake", MEDLAKE_CATALOG = "glue://?region=eu-west-1" } }
}

run "no_identity" {
  command         = plan
  expect_failures = [kubernetes_manifest.account]
  variables { annotations = {} }
}

run "number_of_a_secret" {
  command         = plan
  expect_failures = [var.secrets]
  variables { secrets = { catalog = 0 } }
}
