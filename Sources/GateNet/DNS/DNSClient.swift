package import GateCore
package import NIOCore
import NIOPosix

/// Asks name servers: what certificates depend on (A, AAAA, CAA, …), and why there is no answer, which getaddrinfo(3) does not tell.
///
/// Nothing is remembered. Names of connections are still resolved by the C library, with `/etc/hosts` and all else that it knows.
package struct DNSClient: Sendable {
    /// The most aliases that are followed.
    package static let aliasLimit = 16

    package let configuration: ResolverConfiguration
    private let entropy: any Entropy
    private let group: any EventLoopGroup

    package init(
        _ configuration: ResolverConfiguration, entropy: any Entropy = SystemEntropy(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.configuration = configuration
        self.entropy = entropy
        self.group = group
    }

    /// The same for other servers.
    package func asking(_ servers: [DNSServer]) -> DNSClient {
        var other = configuration
        other.servers = servers
        return DNSClient(other, entropy: entropy, group: group)
    }

    /// Asks the resolver, and follows aliases.
    ///
    /// The servers are asked one after the other until one gives an answer; a name or a record that does not exist is one.
    ///
    /// - Parameter isCheckingDisabled: asks a resolver that verifies DNSSEC to answer all the same.
    package func records(_ type: DNSRecordType, of name: DNSName, isCheckingDisabled: Bool = false) async throws(DNSError) -> DNSAnswer {
        var sought = name
        var aliases: [DNSName] = []
        while true {
            let question = DNSQuestion(sought, type)
            switch try await settle(question, wantsRecursion: true, isCheckingDisabled: isCheckingDisabled) {
            case .alias(let target, let through):
                guard target != name, !aliases.contains(where: through.contains), aliases.count + through.count < Self.aliasLimit else {
                    throw aliasLoop(name)
                }
                aliases += through
                sought = target
            case .answer(var answer):
                answer.question = DNSQuestion(name, type)
                answer.aliases = aliases + answer.aliases
                return answer
            case .loop, .failure: throw aliasLoop(name)
            }
        }
    }

    /// What the servers of a zone themselves say of a name: without recursion, and without following an alias out of the answer.
    package func authoritativeRecords(_ type: DNSRecordType, of name: DNSName) async throws(DNSError) -> DNSAnswer {
        let question = DNSQuestion(name, type)
        switch try await settle(question, wantsRecursion: false, isCheckingDisabled: false) {
        case .answer(let answer): return answer
        case .alias(_, let through):
            return DNSAnswer(
                question: question, existence: .noRecords, records: [], aliases: through, zone: nil, isAuthenticated: false)
        case .loop, .failure: throw aliasLoop(name)
        }
    }

    /// Goes through the servers until one does better than fail. Never `.loop` or `.failure`.
    private func settle(
        _ question: DNSQuestion, wantsRecursion: Bool, isCheckingDisabled: Bool
    ) async throws(DNSError) -> DNSReading {
        var worst: DNSError?
        for _ in 0..<max(1, configuration.attempts) {
            for server in configuration.servers {
                var query = DNSQuery(id: UInt16(truncatingIfNeeded: entropy.uint64()), question: question)
                query.wantsRecursion = wantsRecursion
                query.isCheckingDisabled = isCheckingDisabled
                do throws(DNSError) {
                    switch DNSReading(try await response(to: query, from: server), to: question) {
                    case .loop: throw aliasLoop(question.name)
                    case .failure(let code, let extended): throw Self.failure(question, server, code, extended)
                    case let reading: return reading
                    }
                } catch {
                    if error.reason == .cancelled { throw error }
                    // What a server says tells more than that another is silent.
                    if worst == nil || error.isSpoken { worst = error }
                }
            }
            // A server that has said no says it again.
            if let worst, worst.isSpoken { throw worst }
        }
        throw worst ?? DNSError(.unreachable, "\(question): there is no name server to ask")
    }

    /// A server that does not know EDNS is asked without (RFC 6891 §7).
    private func response(to query: DNSQuery, from server: DNSServer) async throws(DNSError) -> DNSMessage {
        let transport = DNSTransport(server: server, timeLimit: configuration.timeLimit, group: group)
        let message = try await transport.send(query)
        guard query.usesExtensions, [.formatError, .notImplemented, .badVersion].contains(message.code) else { return message }
        var plain = query
        plain.id = UInt16(truncatingIfNeeded: entropy.uint64())
        plain.usesExtensions = false
        return try await transport.send(plain)
    }

    private func aliasLoop(_ name: DNSName) -> DNSError {
        DNSError(.aliasLoop, "the aliases (CNAME) of \(name) lead in a circle, or through more than \(Self.aliasLimit) names")
    }

    private static func failure(
        _ question: DNSQuestion, _ server: DNSServer, _ code: DNSResponseCode, _ extended: [DNSExtendedError]
    ) -> DNSError {
        let why = extended.isEmpty ? "" : " (\(extended.map(\.description).joined(separator: ", ")))"
        return DNSError(
            code == .serverFailure ? .serverFailure : .refused, "\(question) from \(server): \(code)\(why)", extended: extended)
    }
}

extension DNSError {
    /// Whether a server said it, in contrast to silence.
    fileprivate var isSpoken: Bool {
        switch reason {
        case .serverFailure, .refused, .aliasLoop, .badResponse: true
        case .timedOut, .unreachable, .cancelled: false
        }
    }
}
