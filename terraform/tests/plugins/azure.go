package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// What modules/azure uses of Azure's hundred services, and what those need to reach others. All of them would take an hour.
var (
	azureServices = words("authorization eventgrid keyvault managedidentity monitor postgres resource servicebus storage")
	azureClients  = words("loganalytics managementgroup network subscription")
)

func words(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}

var (
	azureImport = regexp.MustCompile(`^\t(?:(\w+) )?"github.com/hashicorp/(?:terraform-provider-azurerm/internal/services/(\w+)(?:/client)?|go-azure-sdk/resource-manager/(\w+)/[^"]+)"$`)
	azureUse    = regexp.MustCompile(`^\t+(if client\.\w+, err = |client\.\w+ = |\w+ +\*)?(\w+)\.\w+`)
)

// trimAzure takes the services that are not needed out of the provider's lists: lines that import them, and lines (and
// blocks of three lines) that begin with what was imported.
func trimAzure(dir string) error {
	for file, more := range map[string]map[string]bool{
		"internal/provider/services.go":     nil,
		"internal/provider/services_gen.go": nil,
		"internal/clients/client.go":        azureClients,
		"internal/clients/client_gen.go":    azureClients,
	} {
		name := filepath.Join(dir, filepath.FromSlash(file))
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		gone := map[string]bool{}
		var kept []string
		block := 0
		for line := range strings.Lines(string(text)) {
			if block > 0 {
				block--
				continue
			}
			if m := azureImport.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
				alias, service := m[1], m[2]+m[3]
				if alias == "" {
					alias = service
				}
				if !azureServices[service] && !more[service] {
					gone[alias] = true
					continue
				}
			}
			if m := azureUse.FindStringSubmatch(line); m != nil && gone[m[2]] {
				if strings.HasPrefix(m[1], "if ") {
					block = 2
				}
				continue
			}
			kept = append(kept, line)
		}
		if len(gone) == 0 {
			return fmt.Errorf("nothing to take out of %s: it has changed", file)
		}
		if strings.Contains(file, "clients") {
			kept = append(kept, "\nvar _ = fmt.Errorf // also where no client is left\n")
		}
		if err := os.WriteFile(name, []byte(strings.Join(kept, "")), 0o600); err != nil {
			return err
		}
	}
	return nil
}
