package lock_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/archive"
	"medlake/shared/archive/lock"
	"medlake/shared/lake"
)

const password = "a Password of 2026!"

func files() []lock.File {
	return []lock.File{
		{Name: "a.csv", Data: []byte("id,value\n1,2\n")},
		{Name: "folder/empty.txt", Data: []byte{}},
		{Name: "folder/long.txt", Data: []byte(strings.Repeat("a line of text that repeats\n", 5000))},
	}
}

// pack locks files with the random bytes of a seed.
func pack(t *testing.T, cipher lock.Cipher, seed byte) []byte {
	t.Helper()
	zip, err := lock.Zip(files(), lock.Options{
		Cipher: cipher, Password: password, Random: rand.NewChaCha8([32]byte{seed}), Modified: time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	return zip
}

func ciphers() map[string]lock.Cipher {
	return map[string]lock.Cipher{"none": lock.None, "zipcrypto": lock.ZipCrypto, "aes256": lock.AES256}
}

func TestArchiveReadsWhatWasLocked(t *testing.T) {
	t.Parallel()
	for name, cipher := range ciphers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := archive.Open(pack(t, cipher, 1), []string{"another", password}, archive.Defaults())
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, m := range a.Members() {
				data, err := m.Bytes()
				if err != nil {
					t.Fatal(err)
				}
				got[m.Name()] = string(data)
			}
			want := map[string]string{}
			for _, f := range files() {
				want[f.Name] = string(f.Data)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnotherPasswordDoesNotOpen(t *testing.T) {
	t.Parallel()
	for name, cipher := range ciphers() {
		if cipher == lock.None {
			continue
		}
		_, err := archive.Open(pack(t, cipher, 1), []string{"another"}, archive.Defaults())
		var refusal *lake.Refusal
		if !errors.As(err, &refusal) || refusal.Reason != lake.WrongPassword {
			t.Errorf("%s: got %v, want %s", name, err, lake.WrongPassword)
		}
	}
}

func TestBytesDependOnRandomAlone(t *testing.T) {
	t.Parallel()
	for name, cipher := range ciphers() {
		if !bytes.Equal(pack(t, cipher, 1), pack(t, cipher, 1)) {
			t.Errorf("%s: the same random bytes make different archives", name)
		}
		if same := bytes.Equal(pack(t, cipher, 1), pack(t, cipher, 2)); same != (cipher == lock.None) {
			t.Errorf("%s: other random bytes make the same archive: %v", name, same)
		}
	}
}

func TestNoRandomNoArchive(t *testing.T) {
	t.Parallel()
	for _, cipher := range []lock.Cipher{lock.ZipCrypto, lock.AES256} {
		_, err := lock.Zip(files(), lock.Options{Cipher: cipher, Password: password, Random: strings.NewReader("short")})
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cipher %d: got %v, want %v", cipher, err, io.ErrUnexpectedEOF)
		}
	}
	if _, err := lock.Zip(files(), lock.Options{Cipher: 99}); err == nil {
		t.Error("a cipher that is not there locks")
	}
}

// TestOtherProgramsOpen lets programs that senders use test and print what was locked. Info-ZIP knows no AES.
func TestOtherProgramsOpen(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		program string
		ciphers []string
		args    []string
	}{
		{"7z", []string{"none", "zipcrypto", "aes256"}, []string{"x", "-so", "-p" + password}},
		{"unzip", []string{"none", "zipcrypto"}, []string{"-p", "-P", password}},
	} {
		for _, name := range tt.ciphers {
			t.Run(tt.program+"/"+name, func(t *testing.T) {
				t.Parallel()
				if _, err := exec.LookPath(tt.program); err != nil {
					t.Skipf("%s is not installed", tt.program)
				}
				zip := filepath.Join(t.TempDir(), "locked.zip")
				if err := os.WriteFile(zip, pack(t, ciphers()[name], 1), 0o600); err != nil {
					t.Fatal(err)
				}
				got, err := exec.CommandContext(t.Context(), tt.program, append(tt.args, zip)...).Output()
				if err != nil {
					t.Fatal(err)
				}
				var want []byte
				for _, f := range files() {
					want = append(want, f.Data...)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("got %d bytes, want the %d that were locked", len(got), len(want))
				}
			})
		}
	}
}
