package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"gocloud.dev/gcerrors"

	"medlake/shared/lake"
)

// opError is an error of the bucket with the operation and the key. It says nothing that a sender's file name says.
type opError struct {
	op, key string
	cause   string
	is      error // what callers ask for; may be nil
}

func (e *opError) Error() string { return fmt.Sprintf("%s %s: %s", e.op, e.key, e.cause) }

func (e *opError) Unwrap() error { return e.is }

// fault wraps an error of gocloud; nil stays nil.
func fault(op, key string, err error) error {
	if err == nil {
		return nil
	}
	e := &opError{op: op, key: show(key), cause: cause(key, err)}
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		e.is = lake.ErrNotFound
	case gcerrors.FailedPrecondition, gcerrors.AlreadyExists:
		e.is = lake.ErrConflict
	case gcerrors.PermissionDenied:
		e.is = lake.ErrDenied
	case gcerrors.InvalidArgument:
		e.is = lake.ErrInvalid
	}
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, end) {
			e.is = end
		}
	}
	return e
}

// show is the key as errors spell it: without the name that the sender gave.
func show(key string) string {
	parts := strings.SplitN(key, "/", 4)
	if parts[0]+"/" != LandingPrefix || len(parts) < 4 {
		return key
	}
	id := ""
	if i := strings.LastIndexByte(parts[3], '@'); i >= 0 {
		id = parts[3][i:]
	}
	return strings.Join(parts[:3], "/") + "/…" + id
}

// cause is the text of err. For a landing object it is only what cannot contain the key.
func cause(key string, err error) string {
	if show(key) == key {
		return err.Error()
	}
	var path *fs.PathError
	var api interface{ ErrorCode() string } // the AWS SDK's
	switch {
	case errors.As(err, &path):
		return path.Err.Error()
	case errors.As(err, &api):
		return api.ErrorCode()
	}
	return gcerrors.Code(err).String()
}
