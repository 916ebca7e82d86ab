#!/usr/bin/env bash
# Makes archives with the tools senders use: make.sh PLAIN OUT. Needs 7z, zip, gzip and python3 with pyzipper.
set -euo pipefail
plain=$(realpath "$1") out=$(realpath "$2")
now='Sommer-2026!' before='Winter-2025!'
cd "$plain"
for m in ZipCrypto AES128 AES192 AES256; do
  7z a -bd -bso0 -tzip -mm=Deflate "-mem=$m" "-p$now" "$out/7z-$m.zip" .
done
7z a -bd -bso0 -tzip "$out/7z-plain.zip" .
7z a -bd -bso0 -tzip -mm=Copy -mem=AES256 "-p$before" "$out/7z-AES256-stored-before.zip" .
7z a -bd -bso0 -tzip -mm=Copy -mem=ZipCrypto "-p$now" "$out/7z-ZipCrypto-stored.zip" .
7z a -bd -bso0 -tzip -mm=Copy "$out/7z-stored.zip" .
zip -q -r "$out/infozip-plain.zip" .
zip -q -r -P "$now" "$out/infozip-zipcrypto.zip" .
zip -q -r -P "$before" "$out/infozip-zipcrypto-before.zip" .
zip -q -r -fd -P "$now" "$out/infozip-descriptors.zip" .
zip -q -r -fz "$out/infozip-zip64.zip" .
zip -q -P "$now" - payers.csv manifest.xml | cat > "$out/infozip-piped.zip"
gzip -c payers.csv > "$out/gzip.csv.gz"
(head -c 700 payers.csv | gzip -n -c; tail -c +701 payers.csv | gzip -9 -c) > "$out/gzip-two-parts.payers.csv.gz"
cp "$out/gzip.csv.gz" "$out/gzip-named.zip"
cp "$out/7z-AES256.zip" "$out/zip-named.csv.gz"
(cd "$out" && zip -q -0 nested-7z.zip 7z-AES256.zip && zip -q nested-gzip.zip gzip.csv.gz)
mac=$(mktemp -d)
mkdir -p "$mac/in/__MACOSX" "$mac/in/empty"
cp ./* "$mac/in" && cp payers.csv "$mac/in/.DS_Store" && cp payers.csv "$mac/in/__MACOSX/._payers.csv"
(cd "$mac/in" && zip -q -r "$out/infozip-macos.zip" .)
rm -r "$mac"
python3 - "$out" "$now" "$before" <<'END'
import sys, os, pyzipper
out, now, before = sys.argv[1:]
names = sorted(os.listdir('.'))
def make(name, **how):
    version = how.pop('version', None)
    words = how.pop('words', [now])
    with pyzipper.AESZipFile(f'{out}/pyzipper-{name}.zip', 'w', compression=pyzipper.ZIP_DEFLATED,
                             encryption=pyzipper.WZ_AES) as z:
        for i, n in enumerate(names):
            z.setencryption(pyzipper.WZ_AES, nbits=how['nbits'], **({'force_wz_aes_version': version} if version else {}))
            z.setpassword(words[i % len(words)].encode())
            z.write(n)
for bits in (128, 192, 256):
    make(f'ae1-{bits}', nbits=bits, version=1)
make('ae2-256', nbits=256, version=2)
make('two-passwords', nbits=256, words=[now, before])
END
