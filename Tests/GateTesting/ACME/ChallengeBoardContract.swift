package import GateACME
import GateCore
import Testing

/// What every ``ChallengeBoard`` must do.
package enum ChallengeBoardContract {
    package struct Case: Sendable, CustomTestStringConvertible {
        package let testDescription: String
        /// Given a board, and the same as another instance sees it.
        package let run: @Sendable (_ board: any ChallengeBoard, _ other: any ChallengeBoard) async throws -> Void

        init(_ name: String, _ run: @escaping @Sendable (any ChallengeBoard, any ChallengeBoard) async throws -> Void) {
            testDescription = name
            self.run = run
        }
    }

    private static let now = Timestamp(milliseconds: 1_700_000_000_000)
    private static let http = PostedChallenge(.http01, name: "a.test", keyAuthorization: "token-1.thumb")
    private static let tls = PostedChallenge(.tlsALPN01, name: "2001:db8::1", keyAuthorization: "token-2.thumb")

    package static let cases: [Case] = [
        Case("what is posted is seen by every instance until it is withdrawn") { board, other async throws in
            #expect(try await other.posted(at: now) == [])
            try await board.post(tls, until: now + .seconds(60), at: now)
            try await board.post(http, until: now + .seconds(60), at: now)
            #expect(try await other.posted(at: now) == [http, tls])
            try await other.withdraw(http)
            try await board.withdraw(http)
            #expect(try await board.posted(at: now) == [tls])
        },
        Case("what nobody withdraws ends, unless it is posted again") { board, other async throws in
            try await board.post(http, until: now + .seconds(60), at: now)
            try await board.post(tls, until: now + .seconds(60), at: now)
            try await other.post(tls, until: now + .seconds(120), at: now + .seconds(30))
            #expect(try await other.posted(at: now + .seconds(59)) == [http, tls])
            #expect(try await other.posted(at: now + .seconds(60)) == [tls])
            try await board.post(http, until: now + .seconds(180), at: now + .seconds(121))
            #expect(try await other.posted(at: now) == [http])
        },
    ]
}
