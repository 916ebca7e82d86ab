package door

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"medlake/shared/lake"
)

// Keys finds the customer of a bearer key. Keys are secrets key/<customer>: the current value, then previous ones. They
// are read again after Every: that long a new key is unknown and a withdrawn one still works.
type Keys struct {
	Customers []string
	Lines     func(ctx context.Context, name string) ([]string, error) // of a secret; lake.ErrNotFound if there is none
	Every     time.Duration
	Now       func() time.Time

	mu    sync.Mutex
	known map[[32]byte]string
	read  time.Time
}

// Customer returns whose key it is, or lake.ErrDenied. Keys are compared by their hash, so timing tells nothing.
func (k *Keys) Customer(ctx context.Context, key string) (string, error) {
	if key == "" {
		return "", lake.ErrDenied
	}
	sum := sha256.Sum256([]byte(key))
	k.mu.Lock()
	defer k.mu.Unlock()
	if age := k.Now().Sub(k.read); k.known == nil || age >= k.Every {
		if err := k.reload(ctx); err != nil {
			return "", err
		}
	}
	if c, ok := k.known[sum]; ok {
		return c, nil
	}
	return "", lake.ErrDenied
}

func (k *Keys) reload(ctx context.Context) error {
	known := map[[32]byte]string{}
	for _, c := range k.Customers {
		lines, err := k.Lines(ctx, "key/"+c)
		if errors.Is(err, lake.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		for _, l := range lines {
			if l != "" {
				known[sha256.Sum256([]byte(l))] = c
			}
		}
	}
	k.known, k.read = known, k.Now()
	return nil
}
