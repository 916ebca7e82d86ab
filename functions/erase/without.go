package erase

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"medlake/shared/archive"
	"medlake/shared/format/csv"
	"medlake/shared/lake"
)

// Row says where a row came from.
type Row struct {
	Load  string
	Entry int   // of the upload, as archive.Member counts
	Row   int64 // the record of the member, from 1; 0 is the member as a whole
}

// Tables knows the rows of a patient of one customer, in whatever table. A row may come more than once.
type Tables interface {
	Rows(ctx context.Context, customer, patient string) iter.Seq2[Row, error]
}

// Records are records of one upload, by entry and number.
type Records map[int]map[int64]bool

// Locate finds the records that a patient's rows came from, by load. Rows of patients that two customers share by name
// are those of this customer alone.
func Locate(ctx context.Context, t Tables, customer, patient string) (map[string]Records, error) {
	if customer == "" || patient == "" {
		return nil, fmt.Errorf("rows are found by customer and patient: %w", lake.ErrInvalid)
	}
	loads := map[string]Records{}
	for r, err := range t.Rows(ctx, customer, patient) {
		if err != nil {
			return nil, fmt.Errorf("find the rows of a patient: %w", err)
		}
		if loads[r.Load] == nil {
			loads[r.Load] = Records{}
		}
		if loads[r.Load][r.Entry] == nil {
			loads[r.Load][r.Entry] = map[int64]bool{}
		}
		loads[r.Load][r.Entry][r.Row] = true
	}
	return loads, nil
}

// ErrMisplaced says that an upload does not have the records that are to leave it.
var ErrMisplaced = errors.New("the upload has no such record")

// Upload is an upload as its sender locked it.
type Upload struct {
	Data      []byte
	Passwords []string // the current one first
	Limits    archive.Limits
	Random    io.Reader // crypto/rand.Reader outside tests

	// Text tells how a member is read as delimited text. Of one that is not, and of one that is named as a whole, nothing
	// stays.
	Text func(m *archive.Member) (csv.Config, bool)
}

// Without returns the upload without records, locked again; nil if no member is left. A text of which no record is left
// leaves too; all others stay byte for byte. It fails with ErrMisplaced if the upload lacks one of the records, with
// csv.ErrInseparable if others would read differently without them, and as archive.Rewrite does.
func (u Upload) Without(records Records) ([]byte, error) {
	found := 0
	out, err := archive.Rewrite(u.Data, u.Passwords, u.Limits, u.Random, func(m *archive.Member) ([]byte, bool, error) {
		plain, err := m.Bytes()
		rows, touched := records[m.Entry]
		if err != nil || !touched {
			return plain, true, err
		}
		found++
		cfg, isText := u.Text(m)
		if !isText || rows[0] {
			return nil, false, nil
		}
		cut, all := 0, 0
		plain, err = cfg.Cut(plain, func(row int64) bool {
			if all++; rows[row] {
				cut++
			}
			return rows[row]
		})
		if err != nil {
			return nil, false, fmt.Errorf("cut records out of entry %d: %w", m.Entry, err)
		}
		if cut != len(rows) {
			return nil, false, fmt.Errorf("entry %d: %w", m.Entry, ErrMisplaced)
		}
		return plain, cut < all, nil // a header alone tells nobody anything
	})
	if err == nil && found != len(records) {
		return nil, ErrMisplaced
	}
	return out, err
}
