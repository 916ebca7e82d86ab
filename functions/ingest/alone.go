package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"medlake/shared/lake"
)

const (
	childMemory  = 4 << 30 // bytes of address space
	childSeconds = 600     // of processor time
	childTime    = 20 * time.Minute
)

// ChildFailed is the exit code of a child that came back with an error: it says nothing about the arrival. A program that
// cannot even start RunChild exits with it too.
const ChildFailed = 75

// Child makes a Config.Alone that starts this program again with args. What to process goes to its standard input; the
// program must call RunChild with it.
func Child(args ...string) func(ctx context.Context, p lake.Pending) error {
	return func(ctx context.Context, p lake.Pending) error {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("start alone: %w", err)
		}
		data, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("start alone: %w", err)
		}
		limited, cancel := context.WithTimeout(ctx, childTime)
		defer cancel()
		cmd := exec.CommandContext(limited, self, args...)
		cmd.Stdin = bytes.NewReader(data) // its output is dropped: a dying process may print data
		err = cmd.Run()
		var exit *exec.ExitError
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil: // we are asked to stop; it says nothing about the arrival
			return ctx.Err()
		case !errors.As(err, &exit):
			return fmt.Errorf("start alone: %w", err)
		case exit.ExitCode() == ChildFailed:
			return errors.New("the process failed and says nothing about the arrival")
		default:
			return fmt.Errorf("exit %d: %w", exit.ExitCode(), ErrDied)
		}
	}
}

// RunChild is the other side of Child: it limits this process, processes the arrival it reads from in, and returns the
// exit code. Whatever ends the process otherwise counts as a death.
func RunChild(ctx context.Context, f *Ingest, in io.Reader) int {
	var p lake.Pending
	if err := json.NewDecoder(in).Decode(&p); err != nil {
		f.log.ErrorContext(ctx, "no arrival to process alone")
		return ChildFailed
	}
	if err := limitProcess(childMemory, childSeconds); err != nil {
		f.log.ErrorContext(ctx, "limit process", "error", err)
		return ChildFailed
	}
	_, err := f.once(ctx, p)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errPanicked):
		return 2 // as the runtime does
	default:
		f.log.ErrorContext(ctx, "processing alone failed", "arrival", p.Arrival.ID(), "error", err)
		return ChildFailed
	}
}
