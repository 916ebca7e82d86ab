package warehouse

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/apache/iceberg-go/catalog"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
)

// A table's metadata lists every column and snapshot, and reading it costs more than all else a commit does. It never
// changes under its name, so a state that was read or written here is used again for as long as the catalog names it. This
// is why commits do not go through iceberg-go's SQL catalog: it reads the metadata anew for each.

// location is where a table's newest metadata lies.
func (c *opened) location(ctx context.Context, ident table.Identifier) (string, error) {
	var at sql.NullString
	err := c.db.QueryRowContext(ctx, c.sql(`SELECT metadata_location FROM iceberg_tables
		WHERE catalog_name = ? AND table_namespace = ? AND table_name = ?`), catalogName, ident[0], ident[1]).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return "", catalog.ErrNoSuchTable
	}
	return at.String, err
}

// LoadTable returns the newest state of a table. Its transactions commit through c.
func (c *opened) LoadTable(ctx context.Context, ident table.Identifier) (*table.Table, error) {
	at, err := c.location(ctx, ident)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	t := c.heads[strings.Join(ident, ".")]
	c.mu.Unlock()
	if t != nil && t.MetadataLocation() == at {
		return t, nil
	}
	read, err := c.Catalog.LoadTable(ctx, ident)
	if err != nil {
		return nil, err
	}
	return c.remember(ident, read.Metadata(), read.MetadataLocation()), nil
}

func (c *opened) remember(ident table.Identifier, m table.Metadata, at string) *table.Table {
	t := table.New(ident, m, at, func(ctx context.Context) (iceio.IO, error) { return iceio.LoadFS(ctx, nil, at) }, c.commits)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heads[strings.Join(ident, ".")] = t
	return t
}

// CommitTable applies updates to the newest state if it meets the requirements, and makes the result the newest if no
// other commit came first. An error says nothing about whether it did.
func (c *opened) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
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
	if err != nil {
		return nil, "", err
	}
	at, err := writeMetadata(ctx, base, m)
	if err != nil {
		return nil, "", err
	}
	r, err := c.db.ExecContext(ctx, c.sql(`UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ?
		WHERE catalog_name = ? AND table_namespace = ? AND table_name = ? AND metadata_location = ?`),
		at, base.MetadataLocation(), catalogName, ident[0], ident[1], base.MetadataLocation())
	if err != nil {
		return nil, "", fmt.Errorf("commit: %w", err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		return nil, "", fmt.Errorf("commit: %w", err)
	}
	if n != 1 {
		return nil, "", errors.New("commit: another one came first")
	}
	c.remember(ident, m, at)
	return m, at, nil
}

// writeMetadata stores the state that follows base under a name of its own.
func writeMetadata(ctx context.Context, base *table.Table, m table.Metadata) (string, error) {
	number, _, _ := strings.Cut(path.Base(base.MetadataLocation()), "-")
	version, err := strconv.Atoi(number)
	if err != nil {
		return "", fmt.Errorf("metadata %s has no number", path.Base(base.MetadataLocation()))
	}
	where, err := table.LoadLocationProvider(m.Location(), m.Properties())
	if err != nil {
		return "", err
	}
	at, err := where.NewTableMetadataFileLocation(version + 1)
	if err != nil {
		return "", err
	}
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
