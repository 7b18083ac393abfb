/// One question as it is sent, and how what comes back is told from forgeries and slips.
struct DNSQuery: Hashable, Sendable {
    var id: UInt16
    var question: DNSQuestion
    /// Asked of a resolver; not of a zone's own servers.
    var wantsRecursion = true
    /// DNSSEC is left to us, that is to nobody: shows whether a failure comes from it.
    var isCheckingDisabled = false
    var usesExtensions = true

    var encoded: [UInt8] {
        var message = DNSMessage(id: id)
        message.wantsRecursion = wantsRecursion
        message.isCheckingDisabled = isCheckingDisabled
        message.isAuthenticated = true  // RFC 6840 §5.7: tell whether it was verified
        message.questions = [question]
        if usesExtensions { message.extensions = DNSExtensions() }
        return message.encoded
    }

    enum Match: Hashable {
        case response(DNSMessage)
        /// Somebody else's, or a forger's: go on waiting.
        case foreign
        case malformed(DNSFormatFault)
    }

    func match(_ bytes: [UInt8]) -> Match {
        // Told by the header first: a forger who does not know the id cannot make a query fail with garbage.
        guard bytes.count >= 12, UInt16(bytes[0]) << 8 | UInt16(bytes[1]) == id, bytes[2] & 0x80 != 0 else { return .foreign }
        do throws(DNSFormatFault) {
            let message = try DNSMessage(parsing: bytes)
            // A server that cannot read a query may leave out what it asked.
            let isBare = message.questions.isEmpty && (message.code == .formatError || message.code == .notImplemented)
            guard message.operation == 0, message.questions == [question] || isBare else { return .foreign }
            return .response(message)
        } catch {
            return .malformed(error)
        }
    }
}
