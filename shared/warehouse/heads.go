package warehouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
)

// A table's metadata lists every column and snapshot, and reading it costs more than all else a commit does. It never
// changes under its name, so a state that was read or written here is used again for as long as the catalog names it. This
// is why commits to a database do not go through iceberg-go's SQL catalog: it reads the metadata anew for each. Other
// catalogs have no pointer that could be read and swapped alone: there the library commits.

// LoadTable returns the newest state of a table. Its transactions commit through c.
func (c *opened) LoadTable(ctx context.Context, ident table.Identifier) (*table.Table, error) {
	load := c.Catalog.LoadTable
	if c.pointers != nil {
		at, err := c.pointers.location(ctx, ident)
		if err != nil {
			return nil, err
		}
		if t := c.known(ident, at); t != nil {
			return t, nil
		}
		load = func(ctx context.Context, ident table.Identifier) (*table.Table, error) {
			return table.NewFromLocation(ctx, ident, at, filesOf(at), c.commits)
		}
	}
	read, err := load(ctx, ident)
	if err != nil {
		return nil, err
	}
	if t := c.known(ident, read.MetadataLocation()); t != nil {
		return t, nil
	}
	return c.remember(ident, read.Metadata(), read.MetadataLocation()), nil
}

// known is the state of a table that was read or written here before, if that is still at its newest.
func (c *opened) known(ident table.Identifier, at string) *table.Table {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.heads[strings.Join(ident, ".")]; t != nil && t.MetadataLocation() == at {
		return t
	}
	return nil
}

func (c *opened) remember(ident table.Identifier, m table.Metadata, at string) *table.Table {
	t := table.New(ident, m, at, filesOf(at), c.commits)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heads[strings.Join(ident, ".")] = t
	return t
}

func filesOf(at string) table.FSysF {
	return func(ctx context.Context) (iceio.IO, error) { return iceio.LoadFS(ctx, nil, at) }
}

// CommitTable applies updates to the newest state if it meets the requirements, and makes the result the newest if no
// other commit came first. An error says nothing about whether it did.
func (c *opened) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement, updates []table.Update) (m table.Metadata, at string, err error) {
	if c.single {
		c.turn.Lock()
		defer c.turn.Unlock()
	}
	if c.pointers != nil {
		m, at, err = c.swap(ctx, ident, reqs, updates)
	} else {
		m, at, err = c.Catalog.CommitTable(ctx, ident, reqs, updates)
	}
	if err != nil {
		return nil, "", fmt.Errorf("commit: %w", err)
	}
	c.remember(ident, m, at)
	return m, at, nil
}

// swap is a commit by a swap of pointers.
func (c *opened) swap(ctx context.Context, ident table.Identifier, reqs []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	base, err := c.LoadTable(ctx, ident)
	if err != nil {
		return nil, "", err
	}
	for _, r := range reqs {
		if err := r.Validate(base.Metadata()); err != nil {
			return nil, "", err
		}
	}
	m, err := table.UpdateTableMetadata(base.Metadata(), updates, base.MetadataLocation())
	if err == nil && c.clock != nil { // the library stamps what is no snapshot by the machine's
		m, err = updated(m, max(c.now().UnixMilli(), base.Metadata().LastUpdatedMillis()))
	}
	if err != nil {
		return nil, "", err
	}
	at, err := c.writeMetadata(ctx, base, m)
	if err != nil {
		return nil, "", err
	}
	swapped, err := c.pointers.swap(ctx, ident, base.MetadataLocation(), at)
	if err == nil && !swapped {
		err = errors.New("another one came first")
	}
	return m, at, err
}

// updated is a state with another time of its last update, in milliseconds.
func updated(m table.Metadata, at int64) (table.Metadata, error) {
	var fields map[string]json.RawMessage
	data, err := json.Marshal(m)
	if err == nil {
		err = json.Unmarshal(data, &fields)
	}
	if err == nil {
		fields["last-updated-ms"] = strconv.AppendInt(nil, at, 10)
		data, err = json.Marshal(fields)
	}
	if err != nil {
		return nil, err
	}
	return table.ParseMetadataBytes(data)
}

// writeMetadata stores the state that follows base under a name of its own.
func (c *opened) writeMetadata(ctx context.Context, base *table.Table, m table.Metadata) (string, error) {
	number, _, _ := strings.Cut(path.Base(base.MetadataLocation()), "-")
	version, err := strconv.Atoi(number)
	if err != nil {
		return "", fmt.Errorf("metadata %s has no number", path.Base(base.MetadataLocation()))
	}
	at := fmt.Sprintf("%s/metadata/%05d-%s.metadata.json", m.Location(), version+1, c.name())
	data, err := json.Marshal(m)
	if err != nil {
		return "", err
	}
	fs, err := iceio.LoadFS(ctx, nil, at)
	if err != nil {
		return "", err
	}
	w, ok := fs.(iceio.WriteFileIO)
	if !ok {
		return "", errors.New("the bucket cannot be written")
	}
	return at, w.WriteFile(at, data)
}
