package secret

// The stores and keepers that URLs can name, beside files.
import (
	_ "gocloud.dev/runtimevar/awsparamstore"     // awsparamstore:
	_ "gocloud.dev/runtimevar/awssecretsmanager" // awssecretsmanager:
	_ "gocloud.dev/runtimevar/blobvar"           // blob:
	_ "gocloud.dev/runtimevar/constantvar"       // constant:
	_ "gocloud.dev/runtimevar/gcpsecretmanager"  // gcpsecretmanager:
	_ "gocloud.dev/runtimevar/httpvar"           // http: https:
	_ "gocloud.dev/secrets/awskms"               // awskms:
	_ "gocloud.dev/secrets/azurekeyvault"        // azurekeyvault:
	_ "gocloud.dev/secrets/gcpkms"               // gcpkms:
	_ "gocloud.dev/secrets/localsecrets"         // base64key:
)
