package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"medlake/tests/kube/manifest"
)

// terraform runs the program in terraform/examples/kubernetes, with what it keeps in a folder of its own.
type terraform struct {
	path, dir string
	env       []string
}

// terraform makes the folder: where the provider is, who may ask the cluster, and the objects that kustomize makes.
func (c *cluster) terraform(ctx context.Context, path string, objects []manifest.Object) (*terraform, error) {
	t := &terraform{path: path, dir: filepath.Join(c.dir, "terraform")}
	if err := os.Mkdir(t.dir, 0o700); err != nil {
		return nil, err
	}
	provider, err := plugin(ctx)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := yaml.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config",
		"clusters": []any{map[string]any{"name": "c", "cluster": map[string]any{"server": c.url, "certificate-authority": c.certificate}}},
		"users": []any{
			map[string]any{"name": "admin", "user": map[string]any{"token": c.token}},
			map[string]any{"name": "deployer", "user": map[string]any{"token": c.deployer}},
		},
		"contexts": []any{
			map[string]any{"name": "admin", "context": map[string]any{"cluster": "c", "user": "admin"}},
			map[string]any{"name": "deployer", "context": map[string]any{"cluster": "c", "user": "deployer"}},
		},
	})
	if err != nil {
		return nil, err
	}
	var texts [][]byte
	for _, o := range objects {
		texts = append(texts, o.YAML)
	}
	for name, data := range map[string][]byte{
		"terraform.rc":   fmt.Appendf(nil, "provider_installation {\n  dev_overrides { \"hashicorp/kubernetes\" = %q }\n}\n", provider),
		"kubeconfig":     kubeconfig,
		"manifests.yaml": bytes.Join(texts, []byte("---\n")),
	} {
		if err := os.WriteFile(filepath.Join(t.dir, name), data, 0o600); err != nil {
			return nil, err
		}
	}
	t.env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(t.dir, "terraform.rc"), "TF_DATA_DIR="+filepath.Join(t.dir, "data"),
		"TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")
	return t, nil
}

// plugin is the folder of Terraform's plugin for Kubernetes, which is built unless it is there.
func plugin(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "run", "./terraform/tests/plugins", "kubernetes")
	cmd.Dir, cmd.Stderr = "../..", os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build the plugin: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	files, err := filepath.Glob(filepath.Join(lines[len(lines)-1], "*/hashicorp/kubernetes/*/*/terraform-provider-kubernetes_*"))
	if err != nil || len(files) == 0 {
		return "", errors.Join(errors.New("the plugin is not where it was built"), err)
	}
	return filepath.Dir(files[len(files)-1]), nil
}

// run asks the program, which finds the variables in its environment.
func (t *terraform) run(ctx context.Context, variables map[string]any, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, t.path, append([]string{"-chdir=../../terraform/examples/kubernetes"}, args...)...)
	cmd.Env = t.env
	for name, value := range variables {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		if s, ok := value.(string); ok {
			text = []byte(s)
		}
		cmd.Env = append(cmd.Env, "TF_VAR_"+name+"="+string(text))
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("terraform %s: %w\n%s", args[0], err, errs.Bytes())
	}
	return out.Bytes(), nil
}

// change is one resource of a plan that does not stay as it is.
type change struct{ address, action string }

// plan makes a plan, keeps it and tells what it would change; also the plan as JSON.
func (t *terraform) plan(ctx context.Context, variables map[string]any) ([]change, []byte, error) {
	file, state := filepath.Join(t.dir, "plan"), "-state="+filepath.Join(t.dir, "state")
	if _, err := t.run(ctx, variables, "plan", "-input=false", "-no-color", state, "-out="+file); err != nil {
		return nil, nil, err
	}
	text, err := t.run(ctx, nil, "show", "-json", file)
	if err != nil {
		return nil, nil, err
	}
	var plan struct {
		Changes []struct {
			Address string
			Change  struct{ Actions []string }
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal(text, &plan); err != nil {
		return nil, nil, err
	}
	var changes []change
	for _, r := range plan.Changes {
		if a := strings.Join(r.Change.Actions, ","); a != "no-op" {
			changes = append(changes, change{strings.TrimPrefix(r.Address, "module.functions."), a})
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return strings.Compare(a.address, b.address) })
	return changes, text, nil
}

// apply does what the last plan says.
func (t *terraform) apply(ctx context.Context, variables map[string]any) error {
	_, err := t.run(ctx, variables, "apply", "-input=false", "-no-color", "-state="+filepath.Join(t.dir, "state"), filepath.Join(t.dir, "plan"))
	return err
}

// destroy removes all that was applied.
func (t *terraform) destroy(ctx context.Context, variables map[string]any) error {
	_, err := t.run(ctx, variables, "destroy", "-input=false", "-auto-approve", "-no-color", "-state="+filepath.Join(t.dir, "state"))
	return err
}
