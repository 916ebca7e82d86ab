package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"medlake/tests/kube/manifest"
)

// refused is an answer other than 2xx.
type refused struct {
	code int
	text string
}

func (r refused) Error() string { return fmt.Sprintf("%d %s", r.code, r.text) }

// do sends one request.
func (c *cluster) do(ctx context.Context, method, path, kind string, body []byte) error {
	_, err := c.ask(ctx, method, path, kind, body)
	return err
}

// get reads what is at the path.
func (c *cluster) get(ctx context.Context, path string, into any) error {
	answer, err := c.ask(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

// ask sends one request and reads the answer.
func (c *cluster) ask(ctx context.Context, method, path, kind string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", kind)
	resp, err := c.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 2 {
		return answer, nil
	}
	var status struct{ Message string }
	if err := json.Unmarshal(answer, &status); err != nil || status.Message == "" {
		status.Message = string(answer)
	}
	return nil, refused{resp.StatusCode, status.Message}
}

const patience = 10 * time.Second // for kinds and namespaces that have just been made

// apply applies an object as kubectl does on the server's side, and takes no unknown field.
func (c *cluster) apply(ctx context.Context, path string, yaml []byte) error {
	q := url.Values{"fieldManager": {"medlake"}, "force": {"true"}, "fieldValidation": {"Strict"}}
	var err error
	for start := time.Now(); time.Since(start) < patience; {
		err = c.do(ctx, http.MethodPatch, path+"?"+q.Encode(), "application/apply-patch+yaml", yaml)
		if r, ok := err.(refused); !ok || r.code != http.StatusNotFound {
			return err
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return err
}

// try has a pod of the object's template looked at, without making it.
func (c *cluster) try(ctx context.Context, o manifest.Object) error {
	t, ok := o.Template()
	if !ok {
		return nil
	}
	pod := map[string]any{
		"apiVersion": "v1", "kind": "Pod", "spec": t.Spec,
		"metadata": map[string]any{"name": o.Name, "labels": t.Labels},
	}
	body, err := json.Marshal(pod)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, "/api/v1/namespaces/"+o.Namespace+"/pods?dryRun=All", "application/json", body)
}
