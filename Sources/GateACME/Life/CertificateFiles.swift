package import GateCore
package import GateCrypto
import Glibc

/// Where a certificate and its key are, in PEM; it may be one file.
package struct CertificateFilePaths: Hashable, Sendable {
    package let certificate: String
    package let key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// Certificates in files that somebody else renews: watched, and swapped without a restart.
package actor CertificateFiles {
    private let paths: [CertificateFilePaths]
    private var watches: [CertificateFileWatch]
    private var warnings: [ExpiryWarning]
    private var problems: [CertificateProblem?]
    private let installer: any CertificateInstalling
    private let time: any TimeSource
    private let interval: Duration
    private let sleep: @Sendable (Duration) async throws -> Void
    private let observe: @Sendable (CertificateEvent) -> Void

    /// - Parameters:
    ///   - interval: between two looks; an examination of two files costs some microseconds.
    ///   - sleep, observe: as of ``CertificateLifecycle``.
    package init(
        _ paths: [CertificateFilePaths], installer: any CertificateInstalling, time: any TimeSource, interval: Duration = .seconds(10),
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        observe: @escaping @Sendable (CertificateEvent) -> Void
    ) {
        self.paths = paths
        watches = paths.map { _ in CertificateFileWatch() }
        warnings = paths.map { _ in ExpiryWarning() }
        problems = paths.map { _ in nil }
        self.installer = installer
        self.time = time
        self.interval = interval
        self.sleep = sleep
        self.observe = observe
    }

    /// Reads and installs them all, at the start.
    ///
    /// - Throws: where one is not to be had: there is none before it to stay with.
    package func open() async throws(StoreFailure) {
        for index in paths.indices {
            if case .refused(let failure) = look(index, isFinal: true) { throw failure }
        }
        await install()
        warn()
    }

    /// Looks every interval, until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            _ = try? await sleep(interval)
            guard !Task.isCancelled else { return }
            await look()
        }
    }

    /// One look: what is not sound is said at the second one, as files are replaced one after the other.
    func look() async {
        await look(isFinal: false)
        warn()
    }

    /// Looks now: what is not sound is said at once.
    package func reload() async { await look(isFinal: true) }

    private func look(isFinal: Bool) async {
        var isChanged = false
        for index in paths.indices {
            switch look(index, isFinal: isFinal) {
            case .taken: isChanged = true
            case .refused(let failure):
                let count = (problems[index]?.count ?? 0) + 1
                problems[index] = CertificateProblem(at: time.now(), directory: nil, sentence: failure.description, count: count)
                observe(.filesRefused(path: failure.path, reason: "\(failure.problem): \(failure.cure)"))
            case .unchanged, .undecided: break
            }
        }
        if isChanged { await install() }
    }

    private func look(_ index: Int, isFinal: Bool) -> CertificateFileWatch.Outcome {
        let paths = paths[index]
        let before = Self.examine(paths)
        let outcome = watches[index].look(before, isFinal: isFinal) { () throws(StoreFailure) in
            let pair = try Self.load(paths)
            guard Self.examine(paths) == before else {
                throw StoreFailure(path: paths.certificate, problem: "is being changed at this moment", cure: "wait, it is read again")
            }
            return pair
        }
        if case .taken(let pair) = outcome {
            problems[index] = nil
            if before.key?.isReadableByEveryone == true { observe(.keyExposed(path: paths.key)) }
            observe(.served(names: pair.leaf.names.map(\.description), issuer: pair.leaf.issuer, notAfter: pair.leaf.notAfter))
        }
        return outcome
    }

    private func install() async { await installer.install(watches.compactMap(\.current)) }

    /// Files are renewed by whoever renews them: only the end of the life is ours to tell.
    private func warn() {
        let now = time.now()
        for (index, watch) in watches.enumerated() {
            guard let leaf = watch.current?.leaf else { continue }
            let health = Self.schedule(leaf).health(at: now)
            if warnings[index].isDue(health, at: time.monotonic()) {
                observe(.ending(names: leaf.names.map(\.description), health, notAfter: leaf.notAfter))
            }
        }
    }

    private static func schedule(_ leaf: Certificate) -> RenewalSchedule {
        RenewalSchedule(notBefore: leaf.notBefore, notAfter: leaf.notAfter, draw: 0)
    }

    package var statuses: [CertificateStatus] {
        let now = time.now()
        return watches.indices.map { index in
            let current = watches[index].current.map {
                CertificateStatus.Current(pair: $0, directory: nil, health: Self.schedule($0.leaf).health(at: now))
            }
            return CertificateStatus(
                names: current?.names ?? [], current: current, nextAction: .watchFiles, nextActionAt: nil,
                reason: "\(paths[index].certificate) and \(paths[index].key) are read again when they change", problem: problems[index],
                explanationURL: nil)
        }
    }

    // MARK: Files

    /// - Throws: what is wrong, with the file that it is wrong in.
    package static func load(_ paths: CertificateFilePaths) throws(StoreFailure) -> CertifiedKey {
        func read(_ path: String) throws(StoreFailure) -> [UInt8] {
            guard let bytes = try FileReading.read(path) else {
                throw StoreFailure(path: path, problem: "does not exist", cure: "check tls.certificate and tls.key")
            }
            return bytes
        }
        let chain = try read(paths.certificate)
        let key = Secret(try read(paths.key))
        do throws(CertificateError) {
            return try CertifiedKey(chain: chain, key: key)
        } catch {
            // Nobody knows which of the two is the wrong one.
            let problem = if case .keyMismatch = error { "cannot be used with \(paths.key)" } else { "cannot be used" }
            throw StoreFailure(path: error.isOfKey ? paths.key : paths.certificate, problem: problem, cure: error.description)
        }
    }

    private static func examine(_ paths: CertificateFilePaths) -> CertificateFileWatch.Look {
        CertificateFileWatch.Look(certificate: signature(paths.certificate), key: signature(paths.key))
    }

    /// Links are followed: some tools only move a link.
    private static func signature(_ path: String) -> FileSignature? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return FileSignature(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
            modified: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec),
            isReadableByEveryone: status.st_mode & S_IROTH != 0)
    }
}

extension CertificateError {
    /// Whether the key's file is the one to look at.
    fileprivate var isOfKey: Bool {
        switch self {
        case .noKey, .malformedKey, .encryptedKey, .weakKey: true
        case .noCertificate, .malformedCertificate, .tooLarge, .wrongOrder, .keyMismatch, .invalidName, .cryptography: false
        }
    }
}
