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

// frameSize is when a frame of rows is sent.
const frameSize = 64 << 10

// Serve answers one statement of a Child: it is all that the child process does. It limits this process first, for good,
// so nothing else may run in it. The error is for the exit code only: the parent has been told.
func Serve(ctx context.Context, e Engine, in io.Reader, out io.Writer) error {
	r := bufio.NewReader(in)
	var buf []byte
	m, err := receive(r, &buf)
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
	if m, err = receive(r, &buf); err != nil {
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
	frame := newFrame(nil, frameRows)
	for row, err := range res.Rows {
		if err != nil {
			return errors.Join(err, sendFrame(out, frame))
		}
		if frame = appendCells(frame, row); len(frame) >= frameSize {
			if err := sendFrame(out, frame); err != nil {
				return err
			}
			frame = newFrame(frame, frameRows)
		}
	}
	return sendFrame(out, frame)
}
