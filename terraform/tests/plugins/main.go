// Command plugins builds Terraform's plugins from their source, for machines that reach Go's modules only:
//
//	go run ./terraform/tests/plugins google azurerm kubernetes
//
// They go into the folder medlake-terraform of the user's cache, laid out as Terraform's filesystem mirrors are; the last
// line it prints is that folder. A plugin that is there already stays. The first time takes minutes of both of two cores.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
)

// plugin is a provider of Terraform at one commit of its main branch.
type plugin struct {
	module, commit string
	version        string // what Terraform is told: the last release before the commit, but for the number of the patch
	trim           func(dir string) error
}

var plugins = map[string]plugin{
	"google":     {module: "github.com/hashicorp/terraform-provider-google", commit: "v1.20.1-0.20260828184646-f3721fb45fa3", version: "8.0.99"},
	"azurerm":    {module: "github.com/hashicorp/terraform-provider-azurerm", commit: "v1.44.1-0.20260824201233-fae580791926", version: "5.2.99", trim: trimAzure},
	"kubernetes": {module: "github.com/hashicorp/terraform-provider-kubernetes", commit: "v1.13.4-0.20260821094251-3a33fb6cc605", version: "3.2.99"},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "plugins:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "medlake-plugins-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	host, err := registry(ctx, work)
	if err != nil {
		return err
	}
	mirror := filepath.Join(cache, "medlake-terraform")
	for _, name := range names {
		p, ok := plugins[name]
		if !ok {
			return fmt.Errorf("no plugin is called %q", name)
		}
		file := filepath.Join(mirror, host, "hashicorp", name, p.version, runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-"+name+"_v"+p.version)
		if _, err := os.Stat(file); err == nil {
			continue
		}
		fmt.Fprintf(os.Stderr, "building %s %s\n", name, p.version)
		if err := p.build(ctx, filepath.Join(work, name), file); err != nil {
			return fmt.Errorf("build %s: %w", name, err)
		}
	}
	fmt.Println(mirror)
	return nil
}

// registry asks Terraform which host it takes providers from that are named without one.
func registry(ctx context.Context, work string) (string, error) {
	if err := os.WriteFile(filepath.Join(work, "main.tf"), []byte(`provider "google" {}`), 0o600); err != nil {
		return "", err
	}
	out, err := command(ctx, work, "terraform", "providers").Output()
	if err != nil {
		return "", fmt.Errorf("terraform providers: %w", err)
	}
	m := regexp.MustCompile(`provider\[([^/\]]+)/hashicorp/google\]`).FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("terraform providers names no host: %q", out)
	}
	return string(m[1]), nil
}

// build makes the plugin in the folder dir, which is not there yet, and moves it to file.
func (p plugin) build(ctx context.Context, dir, file string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module plugins\n"), 0o600); err != nil {
		return err
	}
	out, err := command(ctx, dir, "go", "mod", "download", "-json", p.module+"@"+p.commit).Output()
	if err != nil {
		return fmt.Errorf("download: %w: %s", err, out)
	}
	var got struct{ Dir string }
	if err := json.Unmarshal(out, &got); err != nil {
		return err
	}
	source := filepath.Join(dir, "source")
	if err := os.CopyFS(source, os.DirFS(got.Dir)); err != nil {
		return err
	}
	if p.trim != nil {
		if err := p.trim(source); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	made := file + ".new" // a build that ends early leaves no plugin
	if err := command(ctx, source, "go", "build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o", made, ".").Run(); err != nil {
		return err
	}
	return os.Rename(made, file)
}

func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	cmd.Env = append(slices.Clone(os.Environ()), "CGO_ENABLED=0", "GOWORK=off")
	return cmd
}
