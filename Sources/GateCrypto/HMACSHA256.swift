import COpenSSL
package import GateCore

/// HMAC with SHA-256 (RFC 2104, FIPS 198-1).
package enum HMACSHA256 {
    /// In bytes.
    package static let size = 32

    package static func authenticate(_ message: [UInt8], key: Secret) -> [UInt8] {
        let context = HMACKey.context(key)
        defer { EVP_MAC_CTX_free(context) }
        return HMACKey.finish(context, message)
    }

    /// Whether `code` authenticates `message`, in a time that does not depend on where it differs. A shortened code does not.
    package static func verify(_ code: [UInt8], of message: [UInt8], key: Secret) -> Bool {
        constantTimeEqual(code, authenticate(message, key: key))
    }
}

/// A key whose two inner states are computed once: each message then costs a copy of them.
final class HMACKey: @unchecked Sendable {
    // Keyed in `init` and only copied from afterwards: EVP_MAC_CTX_dup reads its source.
    private let keyed: OpaquePointer?

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

    init(_ key: Secret) { keyed = Self.context(key) }

    deinit { EVP_MAC_CTX_free(keyed) }

    func authenticate(_ message: [UInt8]) -> [UInt8] {
        let context = EVP_MAC_CTX_dup(keyed)
        defer { EVP_MAC_CTX_free(context) }
        return Self.finish(context, message)
    }

    func verify(_ code: [UInt8], of message: [UInt8]) -> Bool { constantTimeEqual(code, authenticate(message)) }

    /// A context that is keyed and has seen no message. This and what follows can only fail for want of memory, where Swift itself
    /// ends the process.
    fileprivate static func context(_ key: Secret) -> OpaquePointer? {
        let bytes = key.exposed
        let context = EVP_MAC_CTX_dup(unkeyed)
        // An empty key is a legal one, but OpenSSL takes a missing pointer for "keep the key".
        guard context != nil, EVP_MAC_init(context, bytes.isEmpty ? [0] : bytes, bytes.count, nil) == 1 else {
            preconditionFailure("\(CryptoError.drained("key HMAC"))")
        }
        return context
    }

    fileprivate static func finish(_ context: OpaquePointer?, _ message: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: HMACSHA256.size) { output, count in
            var size = 0
            guard context != nil, EVP_MAC_update(context, message, message.count) == 1,
                EVP_MAC_final(context, output.baseAddress, &size, HMACSHA256.size) == 1, size == HMACSHA256.size
            else { preconditionFailure("\(CryptoError.drained("authenticate with HMAC"))") }
            count = size
        }
    }
}
