import GateCore
import GateCrypto
import GateHTTP
import GateTesting
import Synchronization

@testable import GateACME

/// A server with its disk and its clock, of which months pass in milliseconds.
final class Simulation: Sendable {
    let time = ManualTime()
    let folder = TemporaryFolder()
    let disk = Disk()
    let installed = InstalledCertificates()
    private let recorded = Mutex<[(at: Timestamp, event: CertificateEvent)]>([])
    private let entropy = SeededEntropy(seed: 3)

    /// A disk that may be full, or deaf after the process died.
    final class Disk: Sendable {
        private struct State {
            var isDead = false
            var writes = 0
            var failing: @Sendable (Int) -> Bool = { _ in false }
        }
        private let state = Mutex(State())

        var writes: Int { state.withLock { $0.writes } }
        func die() { state.withLock { $0.isDead = true } }
        func live() { state.withLock { $0.isDead = false } }
        /// - Parameter failing: by the number of the write, from zero.
        func fail(_ failing: @escaping @Sendable (Int) -> Bool) { state.withLock { $0.failing = failing } }

        var write: FileCertificateStore.Write {
            { (bytes, path) throws(StoreFailure) in
                let isFull = self.state.withLock { state in
                    defer { state.writes += 1 }
                    return state.isDead || state.failing(state.writes)
                }
                if isFull { throw StoreFailure(path: path, operation: "write", code: 28) }
                try FileCertificateStore.replace(bytes, path)
            }
        }
    }

    final class InstalledCertificates: CertificateInstalling {
        private let current = Mutex<[CertifiedKey]>([])
        func install(_ certificates: [CertifiedKey]) async { current.withLock { $0 = certificates } }
        var leaves: [Certificate] { current.withLock { $0.map(\.leaf) } }
    }

    private func record(_ event: CertificateEvent) { recorded.withLock { $0.append((time.now(), event)) } }

    var store: FileCertificateStore { FileCertificateStore(folder: folder.file("acme"), write: disk.write) }
    var events: [(at: Timestamp, event: CertificateEvent)] { recorded.withLock { $0 } }

    /// A process starts, and ends when `duration` has passed: from outside, as by SIGTERM.
    ///
    /// - Parameters:
    ///   - jumps: what is added to the wall clock when so much of the duration has passed.
    ///   - tick: called before each wait.
    @discardableResult
    func run(
        for duration: Duration, _ certificates: [ManagedCertificate], _ authority: ConfiguredAuthority,
        fallbacks: [ConfiguredAuthority] = [], jumps: [(after: Duration, by: Duration)] = [],
        tick: @escaping @Sendable () -> Void = {}
    ) async -> CertificateLifecycle {
        let start = time.monotonic()
        let end = start + duration
        let process = Mutex<Task<Void, Never>?>(nil)
        let pending = Mutex(jumps.sorted { $0.after < $1.after })
        let time = time
        let lifecycle = lifecycle(certificates, authority, fallbacks: fallbacks) { wait in
            tick()
            let until = min(time.monotonic() + wait, end)
            while let jump = pending.withLock({ jumps in jumps.first.map { start + $0.after <= until } == true ? jumps.removeFirst() : nil }
            ) {
                time.advance(by: (start + jump.after).since(time.monotonic()))
                time.jumpWallClock(by: jump.by)
            }
            time.advance(by: until.since(time.monotonic()))
            if until == end { process.withLock { $0?.cancel() } }
        }
        await lifecycle.open()
        let gate = AsyncStream<Void>.makeStream()
        let task = Task {
            for await _ in gate.stream { break }
            await lifecycle.run()
        }
        process.withLock { $0 = task }
        gate.continuation.finish()
        await task.value
        return lifecycle
    }

    func lifecycle(
        _ certificates: [ManagedCertificate], _ authority: ConfiguredAuthority, fallbacks: [ConfiguredAuthority] = [],
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) -> CertificateLifecycle {
        CertificateLifecycle(
            certificates: certificates, authority: authority, fallbacks: fallbacks, store: store, installer: installed, time: time,
            entropy: entropy, sleep: sleep,
            observe: { self.record($0) })
    }
}

extension ACMEFailure {
    static let unreachable = ACMEFailure(
        .unreachable(.init(.connectionFailed, "ca.test refused the connection")), "ca.test cannot be reached")
    static func refused(_ kind: String, retryAfter: Timestamp? = nil) -> ACMEFailure {
        let problem = ProblemDocument(type: ProblemDocument.namespace + kind, detail: "because", status: 403)
        return ACMEFailure(.refused, "ca.test refused: because", problem: problem, countsAgainstLimits: true, retryAfter: retryAfter)
    }
    static let notProven = ACMEFailure(
        .notProven, "example.com could not be proven",
        authorizations: [.init(name: "example.com", challenge: .http01, problem: nil)], countsAgainstLimits: true)
}

extension Duration {
    static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }
    static func hours(_ count: Int) -> Duration { .seconds(count * 3600) }
    static func minutes(_ count: Int) -> Duration { .seconds(count * 60) }
}
