import GateAPI
import GateCore
import GateCrypto
import GateSQLite
import Logging

/// Whether a server runs on this configuration, and what it, or the data folder, says of its certificates.
struct ServerSurvey {
    struct Facts: Sendable {
        var state: ServerState
        /// `nil`: the secrets are not there, or not for this user.
        var proof: DoctorProof?
        var certificates: [CertificateSummary] = []
        /// The URL of the account with the authority.
        var account: String?
        var files: [CertificateFile] = []
        /// A server has the data folder, and cannot be reached through the admin socket.
        var trouble: String?
    }

    private let configuration: Configuration
    private let time: any TimeSource
    private let log: Logger

    init(_ configuration: Configuration, time: any TimeSource, log: Logger) {
        self.configuration = configuration
        self.time = time
        self.log = log
    }

    func examine() async -> Facts {
        var facts = Facts(state: .stopped)
        do {
            let connection = try await AdminConnection.open(configuration, needsServer: true, log: log)
            facts.state = .running(process: holderOfFolder)
            facts.certificates =
                (try? await connection.call("GET", "/admin/certificates"))?["certificates"]?.array?
                .map(CertificateSummary.init(json:)) ?? []
            await connection.close()
        } catch let failure as CommandFailure where failure.code == .permission {
            facts.state = .unreadableKey(failure.message)
        } catch {
            if isFolderTaken {
                facts.state = .running(process: holderOfFolder)
                facts.trouble = (error as? CommandFailure)?.message ?? "\(error)"
            }
            facts.certificates = await ServerCertificates(configuration, time: time).certificates().map(CertificateSummary.init)
        }
        do throws(SecretsError) {
            facts.proof = try DoctorProof.of(configuration)
        } catch {
            if facts.state != .stopped { facts.state = .unreadableKey(error.description) }
        }
        facts.account = await ServerCertificates(configuration, time: time).accountURL()
        facts.files = zip(configuration.tls.certificates, configuration.tls.keys).map(Self.file)
        return facts
    }

    /// The lock is taken for a moment only, and where there is a folder: the doctor makes none.
    private var isFolderTaken: Bool {
        guard case .success = FileFacts.of(configuration.dataDirectory + "/gatehouse.lock") else { return false }
        do throws(StorageError) {
            try DataDirectoryLock(folder: configuration.dataDirectory).release()
            return false
        } catch {
            if case .busy = error { return true }
            return false
        }
    }

    /// What ``DataDirectoryLock`` writes.
    private var holderOfFolder: Int32? {
        Int32(SystemFile.text(configuration.dataDirectory + "/gatehouse.lock").prefix { $0 != "\n" })
    }

    private static func file(_ path: String, _ keyPath: String) -> CertificateFile {
        let mode = (try? FileFacts.of(keyPath).get())?.mode
        func read(_ path: String) throws(CertificateFile.FileProblem) -> String {
            do throws(ConfigurationFault) { return try TextFile(path: path).text } catch {
                throw CertificateFile.FileProblem("\(path) \(error.problem)")
            }
        }
        do throws(CertificateFile.FileProblem) {
            let chain = try read(path)
            let key = try read(keyPath)
            do throws(CertificateError) {
                let certified = try CertifiedKey(chain: Array(chain.utf8), key: Secret(key))
                return CertificateFile(
                    path: path, keyPath: keyPath, names: .success(certified.leaf.names.map(\.description)),
                    notAfter: certified.leaf.notAfter,
                    keyMode: mode)
            } catch {
                return CertificateFile(path: path, keyPath: keyPath, names: .failure(.init(error.description)), keyMode: mode)
            }
        } catch {
            return CertificateFile(path: path, keyPath: keyPath, names: .failure(error), keyMode: mode)
        }
    }
}
