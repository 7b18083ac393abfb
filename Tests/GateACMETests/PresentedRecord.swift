import GateACME
import GateCrypto
import Synchronization

/// Keeps what is presented, and says what a validator would find.
final class PresentedRecord: ChallengePresenting {
    private let current = Mutex<[(key: String, value: String)]>([])
    private let failure = Mutex<String?>(nil)

    struct Refused: Error, CustomStringConvertible { let description: String }

    func failFromNowOn(_ reason: String?) { failure.withLock { $0 = reason } }

    var count: Int { current.withLock { $0.count } }

    func present(_ challenge: PresentedChallenge) async throws {
        if let reason = failure.withLock({ $0 }) { throw Refused(description: reason) }
        current.withLock { $0.append(Self.entry(challenge)) }
    }

    func withdraw(_ challenge: PresentedChallenge) async {
        let key = Self.entry(challenge).key
        current.withLock { current in
            if let index = current.firstIndex(where: { $0.key == key }) { current.remove(at: index) }
        }
    }

    func isPresented(_ type: String, _ name: String, _ token: String, _ keyAuthorization: String) -> Bool {
        current.withLock { current in
            type == "http-01"
                ? current.contains { $0.key == "http-01 \(name) \(token)" && $0.value == keyAuthorization }
                : current.contains { $0.key == "\(type) \(name)" }
        }
    }

    private static func entry(_ challenge: PresentedChallenge) -> (key: String, value: String) {
        switch challenge {
        case .http01(let name, let token, let keyAuthorization): ("http-01 \(name) \(token)", keyAuthorization)
        case .tlsALPN01(let name, _, _): ("tls-alpn-01 \(name.serverName)", "")
        }
    }
}
