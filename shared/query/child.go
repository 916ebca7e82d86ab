package query

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"time"
)

// Child is an engine that runs each statement in a process of its own, which limits itself and is killed at the
// deadline: an engine's own limits do not hold for everything a statement can do. Command starts a process that calls
// Serve on its standard input and output, usually this same binary with a hidden command.
type Child struct {
	Command []string
}

// Prepare starts the process and has it check the statement.
func (c *Child) Prepare(ctx context.Context, s Statement) (Prepared, error) {
	s.Limits = s.Limits.orDefaults()
	tmp, err := os.MkdirTemp("", "medlake-sql-")
	if err != nil {
		return nil, fmt.Errorf("make folder for a statement: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.Limits.Time)
	p := &process{ctx: ctx, cancel: cancel, tmp: tmp}
	if err := p.start(c.Command); err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("start process for a statement: %w", err), os.RemoveAll(tmp))
	}
	m, err := p.ask(message{Statement: &s})
	if err == nil && m.Names == nil {
		err = errors.New("the process for a statement did not say what it reads")
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	p.started = true
	p.names = *m.Names
	return p, nil
}

// process is a statement in its process.
type process struct {
	ctx     context.Context // bounds the process: it is the one thing a context may be kept for
	cancel  context.CancelFunc
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	tmp     string
	buf     []byte
	names   Names
	started bool // it has answered once: it is what it should be
	ended   bool
	exit    error
}

// start runs the command with nothing of this process but its pipes and a temporary folder.
func (p *process) start(command []string) (err error) {
	p.cmd = exec.CommandContext(p.ctx, command[0], command[1:]...)
	p.cmd.Env = []string{"TMPDIR=" + p.tmp, "HOME=" + p.tmp}
	p.cmd.Dir = p.tmp
	p.cmd.WaitDelay = time.Second
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p.out = bufio.NewReaderSize(out, 64<<10)
	return p.cmd.Start()
}

func (p *process) Reads() Names { return p.names }

func (p *process) Run(_ context.Context, c Catalog) (*Result, error) {
	m, err := p.ask(message{Catalog: &c})
	if err != nil {
		return nil, err
	}
	if len(m.Columns) == 0 {
		return nil, errors.New("the process for a statement did not say its columns")
	}
	return &Result{Columns: m.Columns, Rows: p.rows(len(m.Columns))}, nil
}

func (p *process) rows(width int) iter.Seq2[[]Cell, error] {
	return func(yield func([]Cell, error) bool) {
		cells := make([]Cell, width)
		for {
			m, err := p.answer()
			for len(m.rows) > 0 && err == nil {
				if m.rows, err = nextCells(m.rows, cells); err == nil && !yield(cells, nil) {
					return
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if m.Done {
				return
			}
		}
	}
}

func (p *process) ask(m message) (message, error) {
	if err := send(p.in, m); err != nil {
		return message{}, p.died(err)
	}
	return p.answer()
}

func (p *process) answer() (message, error) {
	m, err := receive(p.out, &p.buf)
	if err != nil {
		return m, p.died(err)
	}
	if m.Fault != nil {
		return m, m.Fault.err()
	}
	return m, nil
}

// died says why the process stopped answering.
func (p *process) died(cause error) error {
	var e *Error
	if errors.As(cause, &e) {
		return e
	}
	if err := p.ctx.Err(); errors.Is(err, context.DeadlineExceeded) {
		return refuse(ErrLimit, "stopped: the statement ran longer than it may")
	} else if err != nil {
		return err
	}
	p.wait()
	if p.exit == nil || !p.started && !p.signalled() {
		return fmt.Errorf("the process for a statement ended early: %w", errors.Join(cause, p.exit))
	}
	return refuse(ErrLimit, "stopped: the statement used more memory or processor time than it may")
}

// signalled reports whether the process was killed, as it is at its limits.
func (p *process) signalled() bool {
	return p.cmd.ProcessState != nil && p.cmd.ProcessState.ExitCode() < 0
}

func (p *process) wait() {
	if p.ended {
		return
	}
	p.ended = true
	_ = p.in.Close()                  // ends a process that still waits for work
	_, _ = io.Copy(io.Discard, p.out) // it has ended or is about to be killed
	p.exit = p.cmd.Wait()
}

// Close kills the process, waits for it and removes its folder.
func (p *process) Close() error {
	p.cancel()
	p.wait()
	return os.RemoveAll(p.tmp)
}
