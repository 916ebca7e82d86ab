//go:build !linux && !darwin

package query

import (
	"fmt"

	"medlake/shared/lake"
)

// apply refuses: a statement that nothing limits must not run for a customer.
func (l Limits) apply() error {
	return fmt.Errorf("customers' SQL needs the process limits of Linux or macOS: %w", lake.ErrDenied)
}
