// The low-level SHA contexts are plain structs that can be saved and restored, which EVP does not allow.
#define OPENSSL_SUPPRESS_DEPRECATED 1
#include <openssl/sha.h>
