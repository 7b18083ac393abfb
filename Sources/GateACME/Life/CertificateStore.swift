import GateCore
import GateCrypto
import Glibc

/// The folder of what was had from authorities, `acme` in the data folder: only its owner can look inside (0700, files 0600), and every
/// file is replaced as a whole, so that a full disk or a power cut leaves the one before.
///
///     accounts/AUTHORITY.json        key and URL of the account
///     certificates/ID.pem            private key, chain, and a line that says what it is
///     orders/ID@AUTHORITY.json       an order in progress, with the private key that it is for
///     history.json                   failures: what is backed off from
package struct CertificateStore: Sendable {
    package typealias Write = @Sendable (_ bytes: [UInt8], _ path: String) throws(StoreFailure) -> Void

    package let folder: String
    private let writeFile: Write

    /// - Parameter write: how a file of mode 0600 is replaced.
    package init(
        folder: String,
        write: @escaping Write = CertificateStore.replace
    ) {
        self.folder = folder
        writeFile = write
    }

    /// What became of reading a file.
    struct Loaded<Value> {
        var value: Value?
        /// It is there, and was not read: it must not be overwritten.
        var isBlocked = false
        var event: CertificateEvent?
    }

    /// Makes the folders where they are missing, and closes them to others.
    func open() throws(StoreFailure) {
        for path in [folder, folder + "/accounts", folder + "/certificates", folder + "/orders"] {
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
                throw StoreFailure(path: path, operation: "make the folder", code: errno)
            }
            guard chmod(path, 0o700) == 0 else { throw StoreFailure(path: path, operation: "set the mode", code: errno) }
        }
    }

    // MARK: Certificates

    func certificate(_ id: String, draw: Double, at now: Timestamp) -> Loaded<StoredCertificate> {
        load(certificatePath(id), at: now) { bytes throws(Damage) in
            do throws(CertificateError) {
                return try StoredCertificate(file: Secret(bytes), draw: draw)
            } catch {
                throw Damage(reason: error.description)
            }
        }
    }

    /// The ids of those that are there.
    var certificateIDs: [String] {
        FolderContents.names(in: folder + "/certificates").filter { $0.hasSuffix(".pem") && !$0.hasPrefix(".") }.map { String($0.dropLast(4)) }
    }

    func save(_ certificate: StoredCertificate, id: String) throws(StoreFailure) {
        try writeFile(certificate.file.exposed, certificatePath(id))
    }

    private func certificatePath(_ id: String) -> String { folder + "/certificates/\(id).pem" }

    // MARK: Accounts

    func account(_ directory: String, externalAccount: ACMEAccount.ExternalAccount?, at now: Timestamp) -> Loaded<ACMEAccount> {
        load(accountPath(directory), at: now) { bytes throws(Damage) in
            let json = try Self.json(bytes)
            guard let account = ACMEAccount(json: json, externalAccount: externalAccount) else {
                throw Damage(reason: "it holds no account with its key")
            }
            return account
        }
    }

    func save(_ account: ACMEAccount, directory: String) throws(StoreFailure) {
        try writeFile(account.json.bytes, accountPath(directory))
    }

    func accountPath(_ directory: String) -> String { folder + "/accounts/\(Self.fileName(directory)).json" }

    // MARK: Orders

    func order(_ id: String, directory: String, at now: Timestamp) -> Loaded<SavedOrder> {
        load(orderPath(id, directory), at: now) { bytes throws(Damage) in
            guard let order = SavedOrder(json: try Self.json(bytes)) else { throw Damage(reason: "it holds no order") }
            return order
        }
    }

    func save(_ order: SavedOrder, id: String, directory: String) throws(StoreFailure) {
        try writeFile(order.json.bytes, orderPath(id, directory))
    }

    func forgetOrder(_ id: String, directory: String) { unlink(orderPath(id, directory)) }

    private func orderPath(_ id: String, _ directory: String) -> String { folder + "/orders/\(id)@\(Self.fileName(directory)).json" }

    // MARK: History

    func history(at now: Timestamp) -> Loaded<JSON> {
        load(historyPath, at: now) { bytes throws(Damage) in
            let json = try Self.json(bytes)
            guard json.members != nil else { throw Damage(reason: "it holds no history") }
            return json
        }
    }

    func saveHistory(_ history: JSON) throws(StoreFailure) { try writeFile(history.bytes, historyPath) }

    private var historyPath: String { folder + "/history.json" }

    // MARK: Files

    private struct Damage: Error { let reason: String }

    private static func json(_ bytes: [UInt8]) throws(Damage) -> JSON {
        do throws(JSONSyntaxError) { return try JSON(parsing: bytes) } catch { throw Damage(reason: "\(error)") }
    }

    /// The host, for people, and a hash of the whole URL.
    private static func fileName(_ directory: String) -> String {
        let host = directory.split(separator: "/").dropFirst().first ?? "authority"
        let safe = host.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") ? $0 : "_" }
        return String(safe.prefix(100)) + "-" + Hex.encode(SHA256.hash(Array(directory.utf8)).prefix(4))
    }

    package static func replace(_ bytes: [UInt8], _ path: String) throws(StoreFailure) {
        do throws(AtomicFile.Failure) { try AtomicFile.write(bytes, to: path, mode: 0o600) } catch { throw StoreFailure(error) }
    }

    /// A file that cannot be understood is set aside under another name, so that its content is not lost to what is written next.
    private func load<Value>(_ path: String, at now: Timestamp, _ parse: ([UInt8]) throws(Damage) -> Value) -> Loaded<Value> {
        let bytes: [UInt8]?
        do throws(StoreFailure) { bytes = try FileReading.read(path) } catch {
            return Loaded(isBlocked: true, event: .unreadable(path: path, reason: error.description))
        }
        guard let bytes else { return Loaded() }
        do throws(Damage) {
            return Loaded(value: try parse(bytes))
        } catch {
            let aside = "\(path).damaged-\(now.seconds)"
            guard rename(path, aside) == 0 else {
                let failure = StoreFailure(path: path, operation: "rename", code: errno)
                return Loaded(isBlocked: true, event: .unreadable(path: path, reason: "\(error.reason); and it \(failure.problem)"))
            }
            return Loaded(event: .setAside(path: path, to: aside, reason: error.reason))
        }
    }
}
