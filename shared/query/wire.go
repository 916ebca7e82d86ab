package query

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"medlake/shared/lake"
)

// maxFrame bounds one message between a Child and its process: what a statement can make the parent hold.
const maxFrame = 64 << 20

// message is what goes over the pipes, each in a frame: length in four bytes, then JSON. The parent sends a statement and
// then a catalog; the child answers with names, then columns, then rows until done. A fault may come in place of any answer.
type message struct {
	Statement *Statement `json:"statement,omitempty"`
	Catalog   *Catalog   `json:"catalog,omitempty"`
	Names     *Names     `json:"names,omitempty"`
	Columns   []Column   `json:"columns,omitempty"`
	Rows      [][]cell   `json:"rows,omitempty"`
	Done      bool       `json:"done,omitempty"`
	Fault     *fault     `json:"fault,omitempty"`
}

// cell is a Cell on the wire: a JSON string or null.
type cell Cell

func (c cell) MarshalJSON() ([]byte, error) {
	if c.Null {
		return []byte("null"), nil
	}
	return json.Marshal(c.Text)
}

func (c *cell) UnmarshalJSON(b []byte) error {
	if c.Null = string(b) == "null"; c.Null {
		return nil
	}
	return json.Unmarshal(b, &c.Text)
}

// fault is an error on the wire.
type fault struct {
	Kind    string `json:"kind,omitempty"`
	Message string `json:"message"`
}

var faultKinds = map[string]error{
	"invalid": lake.ErrInvalid, "denied": lake.ErrDenied, "not_found": lake.ErrNotFound, "limit": ErrLimit,
}

func faultOf(err error) *fault {
	for name, kind := range faultKinds {
		if errors.Is(err, kind) {
			return &fault{Kind: name, Message: err.Error()}
		}
	}
	return &fault{Message: err.Error()}
}

func (f *fault) err() error {
	if kind, ok := faultKinds[f.Kind]; ok {
		return &Error{Kind: kind, Message: f.Message}
	}
	return errors.New(f.Message)
}

func send(w io.Writer, m message) error {
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	if len(b) > maxFrame {
		return refuse(ErrLimit, "a row of the result is too large: %d MB at most", maxFrame>>20)
	}
	if _, err := w.Write(append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b))), b...)); err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	return nil
}

func receive(r *bufio.Reader) (message, error) {
	var m message
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return m, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return m, refuse(ErrLimit, "a message is too large")
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return m, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("decode message: %w", err)
	}
	return m, nil
}
