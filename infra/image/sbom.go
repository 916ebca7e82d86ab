package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// The parts of CycloneDX 1.6 that are written here.
type bom struct {
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   bomMetadata `json:"metadata"`
	Components []component `json:"components"`
}

type bomMetadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version,omitempty"`
	PURL       string     `json:"purl,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// materials lists what a program is made of, as it says itself, with the certificates beside it.
func materials(info *buildinfo.BuildInfo, roots []byte) ([]byte, error) {
	main := module(info.Main.Path, info.Main.Version, "")
	main.Type = "application"
	sum := sha256.Sum256(roots)
	b := bom{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: bomMetadata{main}, Components: []component{
		module("stdlib", strings.TrimPrefix(info.GoVersion, "go"), ""),
		{Type: "file", Ref: "ca-certificates.crt", Name: "ca-certificates.crt", Hashes: []hash{{"SHA-256", hex.EncodeToString(sum[:])}}},
	}}
	for _, d := range info.Deps {
		if d.Replace != nil && d.Replace.Version != "" { // a replacement by a folder is part of us
			d = d.Replace
		}
		b.Components = append(b.Components, module(d.Path, d.Version, d.Sum))
	}
	return json.MarshalIndent(b, "", " ")
}

// module is a Go module; sum is its line of go.sum.
func module(path, version, sum string) component {
	c := component{Type: "library", Name: path, Version: version, PURL: "pkg:golang/" + path}
	if version != "" {
		c.PURL += "@" + version
	}
	if c.Ref = c.PURL; sum != "" {
		c.Properties = []property{{"go:sum", sum}}
	}
	return c
}
