package store

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // azblob:
	_ "gocloud.dev/blob/gcsblob"   // gs:
	"gocloud.dev/blob/memblob"

	"medlake/shared/lake"
	"medlake/shared/store/durable"
)

// address is what a bucket's URL says.
type address struct {
	scheme string
	dir    string // file: the folder
	prefix string // what all keys begin with; empty or ends in a slash
	open   string // what gocloud is asked to open
	base   string // what URLs of objects begin with
	name   string
}

// Open opens the bucket that url names:
//
//	file:///var/lib/medlake     a folder, made if it is not there (see FileURL)
//	mem://                      memory, empty
//	s3://bucket/prefix?region=  gs://bucket/prefix   azblob://container/prefix
//
// The part after the question mark is gocloud's. Open does not prove that the bucket works: SelfTest does.
func Open(ctx context.Context, url string) (*Bucket, error) {
	at, err := parse(url)
	if err != nil {
		return nil, err
	}
	b := &Bucket{Retry: DefaultRetry(), at: at}
	switch at.scheme {
	case "file":
		d, err := durable.New(at.dir)
		if err != nil {
			return nil, err
		}
		b.blob = blob.NewBucket(d)
		b.at.base, b.at.name = "file://"+d.Root()+"/", "file-"+d.ID()
	case "mem":
		b.blob = memblob.OpenBucket(nil)
	default:
		open := blob.OpenBucket
		if at.scheme == "s3" {
			open = func(ctx context.Context, _ string) (*blob.Bucket, error) { return openS3(ctx, at) }
		}
		if b.blob, err = open(ctx, at.open); err != nil {
			return nil, fmt.Errorf("open bucket %s: %w", at.base, err)
		}
		if at.prefix != "" {
			b.blob = blob.PrefixedBucket(b.blob, at.prefix)
		}
	}
	return b, nil
}

// FileURL is the URL that opens the bucket in a folder of this machine.
func FileURL(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(dir)}).String()
}

func parse(raw string) (address, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return address{}, fmt.Errorf("the bucket's URL cannot be read: %w", lake.ErrInvalid)
	}
	at := address{scheme: u.Scheme}
	switch u.Scheme {
	case "file":
		at.dir = filepath.FromSlash(u.Path)
		if u.Host != "" && u.Host != "localhost" || !filepath.IsAbs(at.dir) {
			return address{}, fmt.Errorf("a file bucket is named by an absolute path: file:///dir: %w", lake.ErrInvalid)
		}
		at.base = "file://" + filepath.Clean(at.dir) + "/"
	case "mem":
		host := u.Host
		if host == "" {
			host = "lake"
		}
		at.base = "mem://" + host + "/"
	case "s3", "gs", "azblob":
		if u.Host == "" {
			return address{}, fmt.Errorf("the bucket's URL names no bucket: %s://bucket: %w", u.Scheme, lake.ErrInvalid)
		}
		if at.prefix = strings.Trim(u.Path, "/"); at.prefix != "" {
			at.prefix += "/"
		}
		at.base = objects(u) + at.prefix
		at.open = (&url.URL{Scheme: u.Scheme, Host: u.Host, RawQuery: u.RawQuery}).String()
		at.name = u.Scheme + "://" + u.Host + "/" + at.prefix
		return at, nil
	default:
		return address{}, fmt.Errorf("a bucket's URL begins with file:, mem:, s3:, gs: or azblob:, not %q: %w", u.Scheme, lake.ErrInvalid)
	}
	at.name = at.base
	return at, nil
}

// objects is how engines name the bucket: as gocloud does, but for Azure, where the account belongs to the name.
func objects(u *url.URL) string {
	account := u.Query().Get("storage_account")
	if account == "" {
		account = os.Getenv("AZURE_STORAGE_ACCOUNT")
	}
	if u.Scheme == "azblob" && account != "" {
		return "abfss://" + u.Host + "@" + account + ".dfs.core.windows.net/"
	}
	return u.Scheme + "://" + u.Host + "/"
}

func (a address) spell(key string) string {
	if a.scheme == "file" {
		return durable.Escape(key)
	}
	return key
}

func (a address) unspell(s string) (string, bool) {
	if a.scheme == "file" {
		return durable.Unescape(s)
	}
	return s, true
}
