import COpenSSL
package import GateCore

/// HMAC with SHA-256 (RFC 2104, FIPS 198-1).
package enum HMACSHA256 {
    /// In bytes.
    package static let size = 32

    package static func authenticate(_ message: [UInt8], key: Secret) -> [UInt8] { HMACKey(key).authenticate(message) }

    /// Whether `code` authenticates `message`, in a time that does not depend on where it differs. A shortened code does not.
    package static func verify(_ code: [UInt8], of message: [UInt8], key: Secret) -> Bool {
        HMACKey(key).verify(code, of: message)
    }
}

/// A key whose two inner states are computed once: each message then costs a copy of them.
final class HMACKey: @unchecked Sendable {
    // Keyed in `init` and only copied from afterwards: EVP_MAC_CTX_dup reads its source.
    private let keyed: OpaquePointer

    // The context knows its digest but has no key. It is never changed after this, only copied from.
    private nonisolated(unsafe) static let unkeyed: OpaquePointer = {
        guard let mac = EVP_MAC_fetch(nil, "HMAC", nil), let context = EVP_MAC_CTX_new(mac) else {
            preconditionFailure("\(CryptoError.drained("fetch HMAC"))")
        }
        var digest = Array("SHA2-256".utf8CString)
        let set = OSSL_MAC_PARAM_DIGEST.withCString { name in
            digest.withUnsafeMutableBufferPointer { digest in
                // A parameter points at its name and value: both must outlive the call.
                EVP_MAC_CTX_set_params(
                    context, [OSSL_PARAM_construct_utf8_string(name, digest.baseAddress, 0), OSSL_PARAM_construct_end()])
            }
        }
        guard set == 1 else { preconditionFailure("\(CryptoError.drained("prepare HMAC"))") }
        return context
    }()

    init(_ key: Secret) {
        let bytes = key.exposed
        // An empty key is a legal one, but OpenSSL takes a missing pointer for "keep the key".
        let done = (bytes.isEmpty ? [0] : bytes).withUnsafeBufferPointer { buffer -> OpaquePointer? in
            guard let context = EVP_MAC_CTX_dup(Self.unkeyed) else { return nil }
            guard EVP_MAC_init(context, buffer.baseAddress, bytes.count, nil) == 1 else {
                EVP_MAC_CTX_free(context)
                return nil
            }
            return context
        }
        guard let done else { preconditionFailure("\(CryptoError.drained("key HMAC"))") }
        keyed = done
    }

    deinit { EVP_MAC_CTX_free(keyed) }

    /// Can only fail for want of memory, where Swift itself ends the process.
    func authenticate(_ message: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: HMACSHA256.size) { output, count in
            let context = EVP_MAC_CTX_dup(keyed)
            defer { EVP_MAC_CTX_free(context) }
            var size = 0
            guard context != nil, EVP_MAC_update(context, message, message.count) == 1,
                EVP_MAC_final(context, output.baseAddress, &size, HMACSHA256.size) == 1, size == HMACSHA256.size
            else { preconditionFailure("\(CryptoError.drained("authenticate with HMAC"))") }
            count = size
        }
    }

    func verify(_ code: [UInt8], of message: [UInt8]) -> Bool { constantTimeEqual(code, authenticate(message)) }
}
