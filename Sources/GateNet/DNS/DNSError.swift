/// Why a question brought no answer. That a name or its records do not exist is an answer, see ``DNSAnswer``.
package struct DNSError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: Hashable, Sendable {
        /// No server answered in time.
        case timedOut
        /// No server could be reached: refused by its machine, or no way there.
        case unreachable
        /// SERVFAIL: the server could not find out, or DNSSEC did not verify.
        case serverFailure
        /// REFUSED, or another code with which a server declines.
        case refused
        /// What came is no answer to the question.
        case badResponse
        /// Aliases (CNAME) that lead in a circle, or through more than ``DNSClient/aliasLimit`` names.
        case aliasLoop
        case cancelled
    }

    package var reason: Reason
    /// For the operator: names the question and the server.
    package var description: String
    /// What the server said beyond its code.
    package var extended: [DNSExtendedError]

    package init(_ reason: Reason, _ description: String, extended: [DNSExtendedError] = []) {
        self.reason = reason
        self.description = description
        self.extended = extended
    }
}
