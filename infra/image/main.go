// Command image builds the image of the functions without a container engine: an index of linux/amd64 and linux/arm64,
// each the static program, the certificate authorities and, if asked, the metadata. The same source gives the same digest.
//
//	go -C infra/image run . --metadata ../../metadata --push registry.example.org/medlake/functions:1
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// run is main without the process. It prints the reference by digest (after a push) or the digest.
func run(ctx context.Context, args []string, out, usage io.Writer) error {
	s := source{pkg: "./functions", root: "../.."}
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.SetOutput(usage)
	push := flags.String("push", "", "reference to push to; credentials are those of docker login")
	dir := flags.String("out", "", "folder to write the OCI layout and the SBOMs to; it must not exist")
	flags.StringVar(&s.metadata, "metadata", "", "folder of metadata to put into the image at /metadata")
	flags.StringVar(&s.role, "role", "", "role that the image runs if it is given no argument")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *push == "" && *dir == "" || flags.NArg() > 0 {
		return fmt.Errorf("say where the image goes: --push REF, --out DIR or both")
	}
	work, err := os.MkdirTemp("", "medlake-image-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b, err := build(ctx, s, work, arches...)
	if err != nil {
		return err
	}
	digest, err := b.index.Digest()
	if err != nil {
		return err
	}
	name := digest.String()
	if *dir != "" {
		if err := b.write(*dir); err != nil {
			return err
		}
	}
	if *push != "" {
		if name, err = b.push(ctx, *push); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(out, name)
	return err
}
