package import GateCore
package import GateCrypto

/// The challenges of all instances, for the one that a validator happens to ask.
///
/// Who asks for what is not known here gets an answer from a look at the board that began after the question, so that no validator is turned
/// away; and whatever is asked for by how many, there is one look in ``interval`` at most. So nobody can make the database work by
/// asking for tokens that there are not, nor push a validator aside: there is no look-up for each token, and no cache of misses to flood.
package struct SharedChallenges: Sendable {
    private let board: any ChallengeBoard
    private let time: any TimeSource
    private let entropy: any Entropy
    private let looks: SharedLook<[PostedChallenge]>

    /// Between the beginnings of two looks: what a validator waits at most, besides the look itself.
    package static let interval = Duration.milliseconds(200)

    /// An order takes minutes; what a process that was killed has left behind ends by itself.
    static let lifetime = Duration.seconds(3600)

    /// - Parameter sleep: how a while passes.
    package init(
        _ board: any ChallengeBoard, time: any TimeSource, entropy: any Entropy,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.board = board
        self.time = time
        self.entropy = entropy
        looks = SharedLook(every: Self.interval, time: time, sleep: sleep) { try await board.posted(at: time.now()) }
    }

    // MARK: Of this instance's order

    package func post(_ challenge: PresentedChallenge) async throws {
        let now = time.now()
        try await board.post(PostedChallenge(challenge), until: now + Self.lifetime, at: now)
    }

    /// What cannot be withdrawn ends by itself.
    package func withdraw(_ challenge: PresentedChallenge) async { try? await board.withdraw(PostedChallenge(challenge)) }

    // MARK: For validators

    /// The key authorization of a token of HTTP-01.
    package func keyAuthorization(of token: Substring) async -> String? {
        await posted().first { $0.kind == .http01 && $0.token == token }?.keyAuthorization
    }

    /// What a handshake with `acme-tls/1` is answered with.
    ///
    /// - Parameter serverName: of the ClientHello.
    package func certificate(for serverName: String) async -> CertifiedKey? {
        for challenge in await posted() where challenge.kind == .tlsALPN01 {
            guard let name = try? CertificateName(challenge.name), name.serverName == serverName else { continue }
            return try? .tlsALPN01Challenge(for: name, keyAuthorization: challenge.keyAuthorization, at: time.now(), entropy: entropy)
        }
        return nil
    }

    /// What the board has at a moment from now on. Nothing where it cannot be read.
    private func posted() async -> [PostedChallenge] { (try? await looks.value()) ?? [] }
}
