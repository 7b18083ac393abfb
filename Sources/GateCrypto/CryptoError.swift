import COpenSSL

/// OpenSSL refused an operation, or a key does not fit its algorithm.
package struct CryptoError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was asked for, such as `sign with ES256`. Never holds key material.
    package let operation: String
    /// The reasons as OpenSSL words them, oldest first; empty where the refusal is our own.
    package let reasons: [String]

    package init(_ operation: String, reasons: [String] = []) {
        self.operation = operation
        self.reasons = reasons
    }

    package var description: String {
        reasons.isEmpty ? "Cryptography failed: \(operation)" : "Cryptography failed: \(operation): \(reasons.joined(separator: "; "))"
    }
}

extension CryptoError {
    /// Takes the whole error queue of this thread: what stays there would be blamed on the next failure, in TLS too.
    static func drained(_ operation: String) -> CryptoError {
        var reasons: [String] = []
        while true {
            let code = ERR_get_error()
            guard code != 0 else { break }
            var text = [CChar](repeating: 0, count: 256)
            ERR_error_string_n(code, &text, text.count)
            reasons.append(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        }
        return CryptoError(operation, reasons: reasons)
    }
}

/// Passes on what OpenSSL made, or throws why it made nothing.
func check<Pointer>(_ pointer: Pointer?, _ operation: @autoclosure () -> String) throws(CryptoError) -> Pointer {
    guard let pointer else { throw .drained(operation()) }
    return pointer
}

/// OpenSSL's functions answer one for success, and zero or less for failure.
func check(_ code: Int32, _ operation: @autoclosure () -> String) throws(CryptoError) {
    guard code == 1 else { throw .drained(operation()) }
}
