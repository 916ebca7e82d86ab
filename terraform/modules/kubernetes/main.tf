# What kustomize makes of infra, with the image, the environment and the identities of one lake put in.

locals {
  # Kustomize names the environment by its hash. Here it keeps one name, so that no revision that may still be asked for
  # loses it, and what is in it becomes part of the names of revisions.
  read     = [for t in local.texts : yamldecode(t)]
  texts    = [for t in split("\n---\n", join("\n---\n", var.manifests)) : t if trimspace(t) != ""]
  overlay  = one([for d in local.read : d if d.kind == "ConfigMap" && startswith(d.metadata.name, "medlake-")])
  examples = setsubtract([for k, v in local.overlay.data : k if strcontains(v, "example")], keys(var.environment))

  environment = merge(local.overlay.data, var.environment)
  documents = [
    for t in local.texts : yamldecode(replace(replace(t,
      "/registry\\.example\\.org/medlake/functions@sha256:0{64}/", var.image),
    local.overlay.metadata.name, "medlake"))
  ]
  objects   = { for d in local.documents : "${d.apiVersion} ${d.kind} ${d.metadata.name}" => d }
  namespace = one([for d in local.documents : d.metadata.name if d.kind == "Namespace"])
  accounts  = { for d in local.documents : d.metadata.name => d if d.kind == "ServiceAccount" }
  services  = { for d in local.documents : d.metadata.name => d if startswith(d.apiVersion, "serving.knative.dev/") }
  others = {
    for name, d in local.objects : name => d
    if !contains(["Namespace", "ServiceAccount"], d.kind) && name != "v1 ConfigMap medlake" && !startswith(d.apiVersion, "serving.knative.dev/")
  }

  # The provider cannot plan a Service whose container names two variables (terraform-provider-kubernetes, issue 2778).
  # Those with a value go into a ConfigMap beside the Service's own; at most one, from a Secret, is left.
  containers = { for role, d in local.services : role => one(d.spec.template.spec.containers) }
  variables  = { for role, c in local.containers : role => { for e in c.env : e.name => e.value if can(e.value) } }

  # A revision is named by all that its pods find when they start.
  revisions = {
    for name, d in local.services : name => "${name}-${substr(sha256(jsonencode([
      d.spec.template, local.environment,
      { for s, n in var.secrets : s => n if can(regex("\"secret(Key)?Ref\":{[^}]*\"name\":\"${s}\"", jsonencode(d.spec.template))) },
    ])), 0, 10)}"
  }
}

resource "kubernetes_manifest" "namespace" {
  manifest = local.objects["v1 Namespace ${local.namespace}"]
}

resource "kubernetes_config_map_v1" "environment" {
  metadata {
    name      = "medlake"
    namespace = kubernetes_manifest.namespace.manifest.metadata.name
    labels    = local.overlay.metadata.labels
  }
  data = local.environment
  lifecycle {
    precondition {
      condition     = length(local.examples) == 0
      error_message = "The overlay has but an example of: ${join(", ", local.examples)}. Set it in environment."
    }
    precondition {
      condition     = startswith(local.environment.MEDLAKE_CATALOG, "postgres") == strcontains(join("", var.manifests), "PGPASSWORD")
      error_message = "A catalog in PostgreSQL, and only that, has a password: its overlay has the component postgres."
    }
  }
}

resource "kubernetes_config_map_v1" "variables" {
  for_each = local.variables
  metadata {
    name      = "medlake-${each.key}"
    namespace = kubernetes_manifest.namespace.manifest.metadata.name
    labels    = local.overlay.metadata.labels
  }
  data = each.value
}

resource "kubernetes_secret_v1" "this" {
  for_each = var.secrets
  metadata {
    name      = each.key
    namespace = kubernetes_manifest.namespace.manifest.metadata.name
    labels    = local.overlay.metadata.labels
  }
  data_wo          = var.secret_values[each.key]
  data_wo_revision = each.value
}

resource "kubernetes_manifest" "account" {
  for_each = local.accounts
  manifest = merge(each.value, { metadata = merge(
    { for k, v in each.value.metadata : k => v if k != "annotations" },
    { for k, v in { annotations = lookup(var.annotations, each.key, {}) } : k => v if length(v) > 0 },
  ) })
  depends_on = [kubernetes_manifest.namespace]
  field_manager { force_conflicts = true }
  lifecycle {
    precondition {
      condition     = !can(each.value.metadata.annotations) || contains(keys(var.annotations), each.key)
      error_message = "The overlay gives this service account an identity of its cloud. Set it in annotations."
    }
  }
}

# Network policies before what they bind, PostgreSQL before who needs it, schedules after their environment.
resource "kubernetes_manifest" "object" {
  for_each        = local.others
  manifest        = each.value
  computed_fields = ["metadata.annotations", "metadata.labels", "spec.postgresql"] # an operator adds to them
  depends_on      = [kubernetes_config_map_v1.environment, kubernetes_secret_v1.this, kubernetes_manifest.account]
  field_manager { force_conflicts = true }
}

resource "kubernetes_manifest" "service" {
  for_each = local.services
  manifest = merge(each.value, {
    # Knative notes here who changed a Service last: that may differ from plan to apply only if ours differs, too.
    metadata = merge(each.value.metadata, { annotations = { "medlake/revision" = local.revisions[each.key] } })
    spec = merge(each.value.spec, { template = merge(each.value.spec.template, {
      metadata = merge(each.value.spec.template.metadata, { name = local.revisions[each.key] })
      spec = merge(each.value.spec.template.spec, { containers = [merge(
        { for k, v in local.containers[each.key] : k => v if k != "env" },
        { for k, v in { env = [for e in local.containers[each.key].env : e if !can(e.value)] } : k => v if length(v) > 0 },
        { envFrom = concat(local.containers[each.key].envFrom, [{ configMapRef = { name = "medlake-${each.key}" } }]) },
      )] })
    }) })
  })
  depends_on = [kubernetes_manifest.object, kubernetes_config_map_v1.variables]
  field_manager { force_conflicts = true }
  dynamic "wait" {
    for_each = var.wait ? [1] : []
    content { fields = { "status.latestReadyRevisionName" = "^${local.revisions[each.key]}$" } }
  }
}
