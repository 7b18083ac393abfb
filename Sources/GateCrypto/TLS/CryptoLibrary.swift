import COpenSSL
import Synchronization

/// An OSSL_LIB_CTX: algorithms and random numbers, and the locks and counts around them.
///
/// A full handshake takes some 600 of those locks. Each is free whenever somebody comes, but the memory that it is in goes from core to
/// core where threads share a library: 240 µs for a server's part with four threads, and 220 with a library for each, as with one thread.
/// A library takes 0.3 MB once it has been used.
package final class CryptoLibrary: @unchecked Sendable {
    // What changes behind these two is counted and locked by libcrypto. They live as long as the process: a thread that ends gives back
    // what it holds of each library that it has used.
    let pointer: OpaquePointer?
    let ticketCipher: OpaquePointer

    /// The process's own, for whatever names none.
    package static let shared: CryptoLibrary = {
        do { return try CryptoLibrary(nil) } catch { preconditionFailure("\(error)") }
    }()

    private static let others = Mutex<[CryptoLibrary]>([])

    /// The library of the event loop with that number: the first has the shared one, each other its own, made when it is first asked for.
    package static func ofLoop(_ number: Int) throws(CryptoError) -> CryptoLibrary {
        guard number > 0 else { return shared }
        return try others.withLock { others throws(CryptoError) in
            while others.count < number { others.append(try CryptoLibrary(made())) }
            return others[number - 1]
        }
    }

    private init(_ pointer: OpaquePointer?) throws(CryptoError) {
        self.pointer = pointer
        ticketCipher = try check(EVP_CIPHER_fetch(pointer, "AES-256-CBC", nil), "fetch AES-256-CBC")
    }

    private static func made() throws(CryptoError) -> OpaquePointer {
        let pointer = try check(OSSL_LIB_CTX_new(), "make a library context")
        // The shared one reads openssl.cnf(5) by itself, and makes do without where there is none or it cannot be read.
        if let path = CONF_get1_default_config_file() {
            _ = OSSL_LIB_CTX_load_config(pointer, path)
            gate_openssl_free(path)
        }
        ERR_clear_error()
        return pointer
    }
}
