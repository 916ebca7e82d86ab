package kube

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"medlake/tests/kube/manifest"
)

// TestApplyOfReadme wants the variables of infra/README.md to be those that examples/kubernetes cannot do without.
func TestApplyOfReadme(t *testing.T) {
	t.Parallel()
	var told, needed []string
	for _, m := range regexp.MustCompile(`-var ["'](\w+)=`).FindAllStringSubmatch(text(t, filepath.Join(root, "infra/README.md")), -1) {
		told = append(told, m[1])
	}
	for _, v := range strings.Split(text(t, filepath.Join(root, "terraform/examples/kubernetes/main.tf")), "\nvariable ")[1:] {
		if v, _, _ = strings.Cut(v, "\n}\n"); !strings.Contains(v, "default") {
			needed = append(needed, strings.Split(v, `"`)[1])
		}
	}
	slices.Sort(told)
	slices.Sort(needed)
	if !slices.Equal(told, needed) || len(needed) == 0 {
		t.Errorf("told of %v, needed are %v", told, needed)
	}
}

// TestSiteOfReadme builds the site that infra/README.md has the reader write.
func TestSiteOfReadme(t *testing.T) {
	t.Parallel()
	_, rest, _ := strings.Cut(text(t, filepath.Join(root, "infra/README.md")), "<<EOF\n")
	site, _, ok := strings.Cut(rest, "    EOF\n")
	if !ok {
		t.Fatal("there is no site")
	}
	dir := t.TempDir()
	overlays, err := filepath.Abs(filepath.Join(root, "infra/knative/overlays"))
	if err != nil {
		t.Fatal(err)
	}
	if overlays, err = filepath.Rel(dir, overlays); err != nil {
		t.Fatal(err)
	}
	const name, digest = "registry.clinic.example/medlake/functions", "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	site = strings.NewReplacer("\n    ", "\n", "../overlays", overlays, "${image%@*}", name, "${image#*@}", digest).Replace("\n" + site)
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(site), 0o600); err != nil {
		t.Fatal(err)
	}
	objects, err := manifest.Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pods(objects) {
		env, _, missing := p.environment(objects)
		if got := p.spec.Containers[0].Image; got != name+"@"+digest {
			t.Errorf("%s %s runs %s", p.of.Kind, p.of.Name, got)
		}
		if !strings.Contains(env["MEDLAKE_BUCKET"], "s3.clinic.example") || len(missing) > 0 {
			t.Errorf("%s %s: bucket %s, missing %v", p.of.Kind, p.of.Name, env["MEDLAKE_BUCKET"], missing)
		}
	}
}
