package secret

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"gocloud.dev/gcerrors"
	"gocloud.dev/runtimevar"

	"medlake/shared/lake"
)

// maxSize bounds a secret in bytes.
const maxSize = 64 << 10

// files reads secrets from the files of a folder, or from a path with a place for the name. It reads them itself:
// runtimevar's file driver needs an inotify instance for each, and Linux gives a user 128.
func files(dir string) func(context.Context, string) ([]byte, error) {
	return func(_ context.Context, name string) ([]byte, error) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if hasPlace(dir) {
			path = place(dir, name)
		}
		fi, err := os.Stat(path)
		if err == nil {
			switch {
			case !fi.Mode().IsRegular():
				return nil, fmt.Errorf("is not a file: %w", lake.ErrInvalid)
			case fi.Size() > maxSize:
				return nil, fmt.Errorf("is larger than %d bytes: %w", maxSize, lake.ErrInvalid)
			}
		}
		var b []byte
		if err == nil {
			b, err = os.ReadFile(path)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, lake.ErrNotFound
		case errors.Is(err, fs.ErrPermission):
			return nil, fmt.Errorf("its file is not readable by this user; give it to the user (chown) with mode 0600, and its folders mode 0700: %w", lake.ErrDenied)
		case err != nil:
			var p *fs.PathError
			if errors.As(err, &p) {
				err = p.Err
			}
			return nil, fmt.Errorf("read: %w", err)
		}
		return b, nil
	}
}

// variables reads secrets from any store that runtimevar knows. Each read opens and closes its variable: a variable
// kept open would poll its store for ever, for every customer.
func variables(u *url.URL) func(context.Context, string) ([]byte, error) {
	pattern := u.String()
	return func(ctx context.Context, name string) (value []byte, err error) {
		v, err := runtimevar.OpenVariable(ctx, place(pattern, name))
		if err != nil {
			return nil, fault(err)
		}
		defer func() {
			if cerr := v.Close(); err == nil && cerr != nil {
				err = fault(cerr)
			}
		}()
		snap, err := v.Watch(ctx)
		if err != nil {
			return nil, fault(err)
		}
		switch x := snap.Value.(type) {
		case []byte:
			return x, nil
		case string:
			return []byte(x), nil
		}
		return nil, fmt.Errorf("is neither bytes nor a string; leave out the URL's decoder or say decoder=bytes: %w", lake.ErrInvalid)
	}
}

// fault says what went wrong without the text of the error, which may hold the URL and so a value.
func fault(err error) error {
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, end) {
			return end
		}
	}
	var api interface{ ErrorCode() string } // the AWS SDK's
	detail := gcerrors.Code(err).String()
	if errors.As(err, &api) {
		detail = api.ErrorCode()
	}
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return lake.ErrNotFound
	case gcerrors.PermissionDenied:
		return fmt.Errorf("its store refuses (%s): %w", detail, lake.ErrDenied)
	}
	return fmt.Errorf("its store cannot be read (%s)", detail)
}

func hasPlace(s string) bool {
	return strings.Contains(unbrace(s), "{name}") || strings.Contains(unbrace(s), "{flat}")
}

func place(s, name string) string {
	return strings.NewReplacer("{name}", name, "{flat}", strings.ReplaceAll(name, "/", "-")).Replace(unbrace(s))
}

// unbrace undoes the escaping of braces in URLs.
func unbrace(s string) string { return strings.NewReplacer("%7B", "{", "%7D", "}").Replace(s) }
