package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"time"

	admission "k8s.io/api/admission/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"
	"knative.dev/pkg/apis/duck"
	"sigs.k8s.io/yaml"

	"medlake/tests/kube/manifest"
)

const webhook = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/knative"

// knative plays what Knative's webhook and controllers do to our objects, until the context ends: it sets defaults and
// refuses what is not valid, by the code of Knative's own types, and says that a Service's newest revision is ready. It also
// adds a parameter to a PostgreSQL, as its operator does, and ends namespaces, as the controller manager does.
func (c *cluster) knative(ctx context.Context) (stop func() error, err error) {
	certificate, err := selfSigned()
	if err != nil {
		return nil, err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: http.HandlerFunc(admit), ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{certificate}})) //nolint:errcheck // closed below
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})
	config, err := yaml.Marshal(map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": map[string]any{"name": "knative"},
		"webhooks": []any{map[string]any{
			"name": "webhook.serving.knative.dev", "failurePolicy": "Fail", "sideEffects": "None", "admissionReviewVersions": []string{"v1"},
			"clientConfig": map[string]any{"url": "https://" + ln.Addr().String(), "caBundle": ca},
			"rules": []any{map[string]any{
				"apiGroups": []string{"serving.knative.dev", "eventing.knative.dev", "sources.knative.dev", "postgresql.cnpg.io"}, "apiVersions": []string{"v1"},
				"operations": []string{"CREATE", "UPDATE"}, "resources": []string{"services", "brokers", "triggers", "pingsources", "sinkbindings", "clusters"},
			}},
		}},
	})
	if err != nil {
		return nil, err
	}
	if err := c.apply(ctx, webhook, config); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for pause(ctx, 200*time.Millisecond) == nil {
			c.revise(ctx)
			c.finalize(ctx)
		}
	}()
	return func() error {
		cancel()
		<-ended
		err := c.do(context.WithoutCancel(ctx), http.MethodDelete, webhook, "", nil)
		return errors.Join(err, server.Close())
	}, nil
}

// admit answers for one object.
func admit(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	var review admission.AdmissionReview
	if err == nil {
		err = json.Unmarshal(body, &review)
	}
	if err != nil || review.Request == nil {
		http.Error(w, "no review", http.StatusBadRequest)
		return
	}
	ask := review.Request
	review.Response = &admission.AdmissionResponse{UID: ask.UID, Allowed: true}
	if review.Response.Patch, err = defaults(ask); err != nil {
		review.Response.Allowed, review.Response.Result = false, &meta.Status{Message: err.Error()}
	} else {
		kind := admission.PatchTypeJSONPatch
		review.Response.PatchType = &kind
	}
	review.Request = nil
	json.NewEncoder(w).Encode(review) //nolint:errcheck // who asked has gone
}

// defaults is the patch that sets the defaults of an object.
func defaults(ask *admission.AdmissionRequest) ([]byte, error) {
	if ask.Kind.Kind == "Cluster" {
		return []byte(`[{"op":"add","path":"/spec/postgresql/parameters/archive_mode","value":"on"}]`), nil
	}
	ctx := apis.WithUserInfo(apis.WithinCreate(context.Background()), &ask.UserInfo)
	if len(ask.OldObject.Raw) > 0 {
		old, err := manifest.ReadIn(context.Background(), ask.OldObject.Raw)
		if err != nil {
			return nil, err
		}
		ctx = apis.WithUserInfo(apis.WithinUpdate(context.Background(), old.Value), &ask.UserInfo)
	}
	o, err := manifest.ReadIn(ctx, ask.Object.Raw)
	if err != nil {
		return nil, err
	}
	return duck.CreateBytePatch(json.RawMessage(ask.Object.Raw), o.Value)
}

// revise makes the newest revision of each Service ready.
func (c *cluster) revise(ctx context.Context) {
	var list struct {
		Items []struct {
			Metadata struct {
				Namespace, Name string
				Generation      int
			}
			Spec struct {
				Template struct{ Metadata struct{ Name string } }
			}
			Status struct{ ObservedGeneration int }
		}
	}
	if c.get(ctx, "/apis/serving.knative.dev/v1/services", &list) != nil {
		return // tried again
	}
	for _, s := range list.Items {
		if s.Status.ObservedGeneration == s.Metadata.Generation {
			continue
		}
		name := s.Spec.Template.Metadata.Name
		if name == "" {
			name = fmt.Sprintf("%s-%05d", s.Metadata.Name, s.Metadata.Generation)
		}
		status, err := json.Marshal(map[string]any{"status": map[string]any{
			"observedGeneration": s.Metadata.Generation, "latestCreatedRevisionName": name, "latestReadyRevisionName": name,
			"conditions": []any{map[string]any{"type": "Ready", "status": "True"}},
		}})
		if err == nil {
			path := "/apis/serving.knative.dev/v1/namespaces/" + s.Metadata.Namespace + "/services/" + s.Metadata.Name + "/status"
			_ = c.do(ctx, http.MethodPatch, path, "application/merge-patch+json", status) // tried again
		}
	}
}

// finalize ends namespaces that are to go.
func (c *cluster) finalize(ctx context.Context) {
	var list struct {
		Items []map[string]any
	}
	if c.get(ctx, "/api/v1/namespaces", &list) != nil {
		return
	}
	for _, n := range list.Items {
		m := n["metadata"].(map[string]any)
		if m["deletionTimestamp"] == nil {
			continue
		}
		n["spec"] = map[string]any{"finalizers": []string{}}
		if body, err := json.Marshal(n); err == nil {
			_ = c.do(ctx, http.MethodPut, fmt.Sprintf("/api/v1/namespaces/%s/finalize", m["name"]), "application/json", body)
		}
	}
}

// selfSigned is a certificate for loopback.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "webhook"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
