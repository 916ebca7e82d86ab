package query

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// batchCells is how many cells go into one message, about.
const (
	batchCells = 4096
	batchBytes = 1 << 20
)

// Serve answers one statement of a Child: it is all that the child process does. It limits this process first, for good,
// so nothing else may run in it. The error is for the exit code only: the parent has been told.
func Serve(ctx context.Context, e Engine, in io.Reader, out io.Writer) error {
	r := bufio.NewReader(in)
	m, err := receive(r)
	if err != nil {
		return fmt.Errorf("receive statement: %w", err)
	}
	if m.Statement == nil {
		return errors.New("receive statement: there is none")
	}
	s := *m.Statement
	s.Limits = s.Limits.orDefaults()
	if err := s.Limits.apply(); err != nil {
		return tell(out, fmt.Errorf("limit the process for a statement: %w", err))
	}
	ctx, cancel := context.WithTimeout(ctx, s.Limits.Time)
	defer cancel()
	time.AfterFunc(s.Limits.Time+time.Second, func() { os.Exit(3) }) // for what does not stop when asked
	p, err := e.Prepare(ctx, s)
	if err != nil {
		return tell(out, err)
	}
	defer func() { _ = p.Close() }() // the process ends here
	names := p.Reads()
	if err := send(out, message{Names: &names}); err != nil {
		return err
	}
	if m, err = receive(r); err != nil {
		return fmt.Errorf("receive catalog: %w", err)
	}
	if m.Catalog == nil {
		return errors.New("receive catalog: there is none")
	}
	go func() { // the parent closes the pipe when nobody waits for the answer any more
		_, _ = io.Copy(io.Discard, r)
		cancel()
	}()
	res, err := p.Run(ctx, *m.Catalog)
	if err != nil {
		return tell(out, err)
	}
	if err := stream(out, res); err != nil {
		return tell(out, err)
	}
	return send(out, message{Done: true})
}

// tell gives the parent an error and returns it.
func tell(out io.Writer, err error) error {
	return errors.Join(err, send(out, message{Fault: faultOf(err)}))
}

// stream sends a result in messages of bounded size.
func stream(out io.Writer, res *Result) error {
	if err := send(out, message{Columns: res.Columns}); err != nil {
		return err
	}
	var batch [][]cell
	cells, bytes := 0, 0
	for row, err := range res.Rows {
		if err != nil {
			return err
		}
		line := make([]cell, len(row))
		for i, c := range row {
			line[i] = cell(c)
			bytes += len(c.Text)
		}
		batch = append(batch, line)
		if cells += len(row); cells >= batchCells || bytes >= batchBytes {
			if err := send(out, message{Rows: batch}); err != nil {
				return err
			}
			batch, cells, bytes = batch[:0], 0, 0
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return send(out, message{Rows: batch})
}
