package import GateCore
import Glibc

/// The folder of what was had from authorities, `acme` in the data folder: only its owner can look inside (0700, files 0600), and every
/// file is replaced as a whole, so that a full disk or a power cut leaves the one before.
///
///     accounts/AUTHORITY.json        key and URL of the account
///     certificates/ID.pem            private key, chain, and a line that says what it is
///     orders/ID@AUTHORITY.json       an order in progress, with the private key that it is for
///     history.json                   failures: what is backed off from
package struct FileCertificateStore: CertificateStore {
    package typealias Write = @Sendable (_ bytes: [UInt8], _ path: String) throws(StoreFailure) -> Void

    package let folder: String
    private let writeFile: Write

    /// - Parameter write: how a file of mode 0600 is replaced.
    package init(folder: String, write: @escaping Write = FileCertificateStore.replace) {
        self.folder = folder
        writeFile = write
    }

    package func open() throws(StoreFailure) {
        for path in [folder] + CertificateRecord.Kind.allCases.compactMap(folder(of:)) {
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
                throw StoreFailure(path: path, operation: "make the folder", code: errno)
            }
            guard chmod(path, 0o700) == 0 else { throw StoreFailure(path: path, operation: "set the mode", code: errno) }
        }
    }

    package func load(_ record: CertificateRecord) throws(StoreFailure) -> Secret? { try FileReading.read(path(record)).map { Secret($0) } }

    package func save(_ content: Secret, as record: CertificateRecord) throws(StoreFailure) {
        try writeFile(content.exposed, path(record))
    }

    package func add(_ content: Secret, as record: CertificateRecord) throws(StoreFailure) -> Bool {
        guard try load(record) == nil else { return false }
        try save(content, as: record)
        return true
    }

    package func remove(_ record: CertificateRecord) throws(StoreFailure) {
        guard unlink(path(record)) == 0 || errno == ENOENT else {
            throw StoreFailure(path: path(record), operation: "delete", code: errno)
        }
    }

    package func keys(of kind: CertificateRecord.Kind) throws(StoreFailure) -> [String] {
        let suffix = Self.suffix(kind)
        return try FileReading.names(in: folder(of: kind) ?? folder).filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".") }.map {
            String($0.dropLast(suffix.count))
        }
    }

    package func setAside(_ record: CertificateRecord, at now: Timestamp) throws(StoreFailure) -> (path: String, aside: String) {
        let path = path(record)
        let aside = "\(path).damaged-\(now.seconds)"
        guard rename(path, aside) == 0 else { throw StoreFailure(path: path, operation: "rename", code: errno) }
        return (path, aside)
    }

    package func version() -> Int64 { 0 }

    // MARK: Files

    package func path(_ record: CertificateRecord) -> String {
        "\(folder(of: record.kind) ?? folder)/\(record.key)\(Self.suffix(record.kind))"
    }

    /// `nil` for what is in the folder itself.
    private func folder(of kind: CertificateRecord.Kind) -> String? {
        switch kind {
        case .account: folder + "/accounts"
        case .certificate: folder + "/certificates"
        case .order: folder + "/orders"
        case .history: nil
        }
    }

    private static func suffix(_ kind: CertificateRecord.Kind) -> String { kind == .certificate ? ".pem" : ".json" }

    package static func replace(_ bytes: [UInt8], _ path: String) throws(StoreFailure) {
        do throws(AtomicFile.Failure) { try AtomicFile.write(bytes, to: path, mode: 0o600) } catch { throw StoreFailure(error) }
    }
}
