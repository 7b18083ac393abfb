package import GateCore
import GateHTTP
import Synchronization

/// What a server is told about its work.
package struct HTTPServerConfiguration: Sendable {
    package var limits = ServerLimits()
    /// Compresses what is worth it for clients that ask for it.
    package var compresses = true
    /// Whose `X-Forwarded-*` and `Forwarded` fields are believed.
    package var trustedProxies: [IPNetwork] = []
    /// The public URL, without a slash at its end: problem documents refer to it.
    package var baseURL = ""

    package init() {}
}

/// What all connections of a server share. Never changed while it serves.
final class HTTPService: Sendable {
    let configuration: HTTPServerConfiguration
    let responder: any Responder
    let observer: any ExchangeObserver
    let time: any TimeSource
    let population: ConnectionPopulation

    init(configuration: HTTPServerConfiguration, responder: any Responder, observer: any ExchangeObserver, time: any TimeSource) {
        self.configuration = configuration
        self.responder = responder
        self.observer = observer
        self.time = time
        population = ConnectionPopulation(limits: configuration.limits)
    }
}

/// How many connections there are, and whether one more may be.
final class ConnectionPopulation: Sendable {
    private let limit: Int
    private let limitPerClient: Int?
    private let total = Atomic<Int>(0)
    private let emptiness = Mutex<Gate?>(nil)
    private let perClient = Mutex<[IPNetwork: Int]>([:])

    init(limits: ServerLimits) {
        limit = limits.connections
        limitPerClient = limits.connectionsPerClient
    }

    var count: Int { total.load(ordering: .relaxed) }

    /// Opens when the last connection has left, or at once where there is none.
    func emptied() -> Gate {
        let gate = emptiness.withLock { gate in
            let made = gate ?? Gate()
            gate = made
            return made
        }
        if total.load(ordering: .sequentiallyConsistent) == 0 { gate.open() }
        return gate
    }

    /// Counts a new connection, which is to be left by ``leave(_:)`` in any case; false where it is one too many.
    func enter(_ client: IPAddress?) -> Bool {
        let isWithin = total.add(1, ordering: .relaxed).newValue <= limit
        guard let limitPerClient, let network = client?.limitedNetwork else { return isWithin }
        return perClient.withLock { counts in
            counts[network, default: 0] += 1
            return counts[network]! <= limitPerClient
        } && isWithin
    }

    func leave(_ client: IPAddress?) {
        if total.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 { emptiness.withLock { $0 }?.open() }
        guard limitPerClient != nil, let network = client?.limitedNetwork else { return }
        perClient.withLock { counts in
            guard let count = counts[network] else { return }
            counts[network] = count > 1 ? count - 1 : nil
        }
    }
}

/// Lets through, once open.
final class Gate: Sendable {
    private enum State {
        case closed([CheckedContinuation<Void, Never>])
        case open
    }

    private let state = Mutex(State.closed([]))

    func open() {
        let waiting = state.withLock { state in
            guard case .closed(let waiting) = state else { return [CheckedContinuation<Void, Never>]() }
            state = .open
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                guard case .closed(let waiting) = state else { return true }
                state = .closed(waiting + [continuation])
                return false
            }
            if isOpen { continuation.resume() }
        }
    }
}
