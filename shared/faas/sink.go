package faas

import (
	"context"
	"fmt"
	"net/http"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"medlake/shared/lake"
)

// Sink is a handler that posts events to url, such as a broker's or another function's. It answers by the same rules:
// 2xx is done, 422 is lake.ErrInvalid, anything else is to be tried again. It does not retry.
func Sink(client *http.Client, url string) Handler {
	return func(ctx context.Context, e event.Event) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
		if err != nil {
			return fmt.Errorf("send event %s: %w", e.ID(), err)
		}
		if err := cehttp.WriteRequest(ctx, binding.ToMessage(&e), req); err != nil {
			return fmt.Errorf("send event %s: %w", e.ID(), err)
		}
		resp, err := client.Do(req)
		if err != nil {
			return fmt.Errorf("send event %s: %w", e.ID(), err)
		}
		if err := resp.Body.Close(); err != nil {
			return fmt.Errorf("send event %s: %w", e.ID(), err)
		}
		switch {
		case resp.StatusCode/100 == 2:
			return nil
		case resp.StatusCode == http.StatusUnprocessableEntity:
			return fmt.Errorf("send event %s: refused: %w", e.ID(), lake.ErrInvalid)
		default:
			return fmt.Errorf("send event %s: status %d", e.ID(), resp.StatusCode)
		}
	}
}
