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

// maxFrame bounds one frame between a Child and its process: what a statement can make the parent hold.
const maxFrame = 64 << 20

// A frame is its length in four bytes, its kind, and what it holds. The parent sends a statement and then a catalog; the
// child answers with names, then columns, then rows until done. A fault may come in place of any answer.
const (
	frameMessage = 'm' // a message as JSON
	frameRows    = 'r' // cells, row after row: length plus one as a varint, then the text; 0 is null
)

// message is all but rows.
type message struct {
	Statement *Statement `json:"statement,omitempty"`
	Catalog   *Catalog   `json:"catalog,omitempty"`
	Names     *Names     `json:"names,omitempty"`
	Columns   []Column   `json:"columns,omitempty"`
	Done      bool       `json:"done,omitempty"`
	Fault     *fault     `json:"fault,omitempty"`

	rows []byte // of a frame of rows
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

// newFrame starts a frame in b.
func newFrame(b []byte, kind byte) []byte { return append(b[:0], 0, 0, 0, 0, kind) }

// sendFrame completes a frame and writes it.
func sendFrame(w io.Writer, b []byte) error {
	if len(b)-5 > maxFrame {
		return refuse(ErrLimit, "a row of the result is too large: %d MB at most", maxFrame>>20)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-5))
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("send frame: %w", err)
	}
	return nil
}

func send(w io.Writer, m message) error {
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	return sendFrame(w, append(newFrame(nil, frameMessage), b...))
}

// receive reads one frame; rows stay valid until the buffer is used again.
func receive(r *bufio.Reader, buf *[]byte) (message, error) {
	var m message
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return m, err
	}
	n := int(binary.BigEndian.Uint32(head[:]))
	if n > maxFrame {
		return m, refuse(ErrLimit, "a row of the result is too large: %d MB at most", maxFrame>>20)
	}
	if cap(*buf) < n {
		*buf = make([]byte, n)
	}
	b := (*buf)[:n]
	if _, err := io.ReadFull(r, b); err != nil {
		return m, err
	}
	switch head[4] {
	case frameRows:
		m.rows = b
	case frameMessage:
		if err := json.Unmarshal(b, &m); err != nil {
			return m, fmt.Errorf("decode message: %w", err)
		}
	default:
		return m, errors.New("a frame is of no known kind")
	}
	return m, nil
}

func appendCells(b []byte, cells []Cell) []byte {
	for _, c := range cells {
		if c.Null {
			b = append(b, 0)
			continue
		}
		b = append(binary.AppendUvarint(b, uint64(len(c.Text))+1), c.Text...)
	}
	return b
}

// nextCells reads one row into cells and returns what follows it.
func nextCells(b []byte, cells []Cell) (rest []byte, err error) {
	for i := range cells {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used)+1 {
			return nil, errors.New("a row of a statement's process is cut")
		}
		b = b[used:]
		if n == 0 {
			cells[i] = Cell{Null: true}
			continue
		}
		cells[i] = Cell{Text: string(b[:n-1])}
		b = b[n-1:]
	}
	return b, nil
}
