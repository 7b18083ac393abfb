import GateACME
import GateCore
import GateSQL
import GateStores
import Glibc
import Logging
import Synchronization

/// Where certificates and their orders are kept, and who else is there.
struct CertificateBackend: Sendable {
    let store: any CertificateStore
    let turn: any OrderingTurn
    /// How often to look what other instances have saved; `nil` where there are none.
    let lookInterval: Duration?
    /// Where instances answer each other's challenges; `nil` where there are none.
    let challenges: SharedChallenges?
    /// Rings when another instance has saved something.
    let bell: CertificateBell
    /// What is kept in the data folder: all there is, or what was there before the database was shared.
    let folder: FileCertificateStore

    /// The files of this installation alone.
    static func files(_ configuration: Configuration) -> CertificateBackend {
        let folder = folder(configuration)
        return CertificateBackend(
            store: folder, turn: SoleOrderer(), lookInterval: nil, challenges: nil, bell: CertificateBell(), folder: folder)
    }

    /// What instances that share a database have in common: the floor where nobody can listen for changes is ``sharedLookInterval``.
    static func shared(
        _ configuration: Configuration, _ backends: Backends, _ key: ClusterKey, time: any TimeSource, entropy: any Entropy
    ) -> CertificateBackend {
        let turn = LeasedTurn(backends.leases.store, holder: backends.leases.instance, time: time)
        return CertificateBackend(
            store: SQLCertificateStore(backends.database, sealing: key.sealing("certificates"), turn: turn, entropy: entropy), turn: turn,
            lookInterval: sharedLookInterval,
            challenges: SharedChallenges(SQLChallengeBoard(backends.database), time: time, entropy: entropy),
            bell: backends.certificateBell, folder: folder(configuration))
    }

    /// For those who only look, with a server or without one: where the database is shared, it is opened for as long as `body` takes.
    static func looking<Result>(
        _ configuration: Configuration, time: any TimeSource, log: Logger, _ body: (CertificateBackend) async -> Result
    ) async -> Result {
        guard configuration.tls.mode == .acme, configuration.databasePath == nil, let key = try? configuration.findClusterKey(),
            let backends = try? await Backends.open(configuration, time: time, log: log)
        else { return await body(.files(configuration)) }
        let result = await body(.shared(configuration, backends, key, time: time, entropy: SystemEntropy()))
        await backends.redis?.close()
        await backends.database.close()
        return result
    }

    static let sharedLookInterval = Duration.seconds(2)

    static func folder(_ configuration: Configuration) -> FileCertificateStore {
        FileCertificateStore(folder: configuration.dataDirectory + "/acme")
    }
}

extension CertificateBackend {
    /// What the folder of an installation that has moved to a shared database is called from then on.
    static let retiredSuffix = ".in-database"

    /// Takes over what the data folder has from the time before the database was shared. The folder is renamed then, so that nobody believes
    /// it any more.
    func takeOverFolder(at now: Timestamp, log: Logger) async throws(StoreFailure) {
        guard challenges != nil, access(folder.folder, F_OK) == 0 else { return }
        let count = try await store.addAll(of: folder)
        let retired = try folder.rename(suffix: Self.retiredSuffix, at: now, cure: "rename it: the database has what was in it")
        log.notice(
            "The certificates are in the database: the folder is not used any more",
            metadata: ["taken_over": "\(count)", "renamed_to": "\(retired)"])
    }
}

extension FileCertificateStore {
    /// Gives the folder another name: its own with the suffix, and with the time where that one is taken.
    ///
    /// - Parameter cure: for whoever finds that it cannot be renamed.
    /// - Returns: the new path.
    func rename(suffix: String, at now: Timestamp, cure: String) throws(StoreFailure) -> String {
        let renamed = VacantPath.of(folder + suffix, at: now)
        guard Glibc.rename(folder, renamed) == 0 else {
            throw StoreFailure(path: folder, problem: "cannot be renamed (\(String(cString: strerror(errno))))", cure: cure)
        }
        return renamed
    }
}

/// How the certificates' life learns that another instance has saved something.
final class CertificateBell: Sendable {
    private let listener = Mutex<(@Sendable () -> Void)?>(nil)

    /// The last one is told.
    func whenRung(_ body: @escaping @Sendable () -> Void) { listener.withLock { $0 = body } }

    func ring() {
        let listener = listener.withLock { $0 }
        listener?()
    }
}
