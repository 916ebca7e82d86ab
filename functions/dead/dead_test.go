package dead

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/shared/faas"
)

func TestDeadEventsAreToldWithoutTheirNames(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		kind, id string
		code     any
		want     []string
	}{
		"ours":             {faas.ArrivalType, "0123abcd", "422", []string{`"type":"dev.medlake.arrival.v1"`, `"event":"0123abcd"`, `"status":422`}},
		"number":           {faas.TickType, "1", 503, []string{`"type":"dev.medlake.tick.v1"`, `"status":503`}},
		"of a store":       {"com.example.Patricia", "landing/acme/patricia.zip", "422", []string{`"type":"other"`, `"event":""`, `"status":422`}},
		"no code":          {faas.TickType, "1", nil, []string{`"status":0`}},
		"code is no digit": {faas.TickType, "1", "patricia", []string{`"status":0`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logs bytes.Buffer
			e := event.New()
			e.SetType(tt.kind)
			e.SetID(tt.id)
			if tt.code != nil {
				e.SetExtension(extCode, tt.code)
			}
			if err := New(Config{Log: slog.New(slog.NewJSONHandler(&logs, nil))}).Handle(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(logs.String(), want) {
					t.Errorf("%s lacks %s", &logs, want)
				}
			}
			if strings.Contains(strings.ToLower(logs.String()), "patricia") {
				t.Errorf("told: %s", &logs)
			}
		})
	}
}
