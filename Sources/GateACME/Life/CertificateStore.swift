package import GateCore

/// Where everything is kept that was had from authorities: a port. There are two: files of this installation (``FileCertificateStore``), and
/// the database that several instances share.
///
/// What is kept is a record's bytes, private keys among them: nobody but this installation can read them. A record is replaced as a
/// whole, and one that was saved is found after a crash. Nothing here looks into a record.
package protocol CertificateStore: Sendable {
    /// Makes the place ready, and closes it to others. To be called before anything else; again, it changes nothing.
    func open() async throws(StoreFailure)

    /// - Returns: `nil` where there is no such record.
    /// - Throws: where it cannot be known whether there is one, or what it says: it must not be overwritten then.
    func load(_ record: CertificateRecord) async throws(StoreFailure) -> Secret?

    /// Returns once it is durable. Where several instances share the store, only the one whose turn it is saves anything.
    ///
    /// - Throws: then the record before is still there. `isTakenOver` where the turn was over, and may be another instance's by now.
    func save(_ content: Secret, as record: CertificateRecord) async throws(StoreFailure)

    /// Saves a record that there is none of, without a turn: what another store had before this one was used.
    ///
    /// - Returns: whether it was saved; where there is one already, that stays.
    func add(_ content: Secret, as record: CertificateRecord) async throws(StoreFailure) -> Bool

    /// Nothing where there is none. One that comes back after a crash must do no harm.
    func remove(_ record: CertificateRecord) async throws(StoreFailure)

    /// Of the records of a kind, sorted.
    func keys(of kind: CertificateRecord.Kind) async throws(StoreFailure) -> [String]

    /// Moves a record that cannot be understood out of the way, with its content: the next ``load(_:)`` finds none.
    ///
    /// - Returns: where it was and where it is now, for the operator.
    func setAside(_ record: CertificateRecord, at now: Timestamp) async throws(StoreFailure) -> (path: String, aside: String)

    /// Another one whenever a certificate or the history is saved by anybody; stays as it is where nobody else saves anything.
    func version() async throws(StoreFailure) -> Int64
}

/// What a record is called.
package struct CertificateRecord: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, CaseIterable, Sendable {
        /// Key and URL of the account at an authority.
        case account
        /// Private key, chain, and what is known of both.
        case certificate
        /// An order in progress, with the private key that it is for.
        case order
        /// What failed, and what is backed off from. There is one.
        case history
    }

    package let kind: Kind
    /// Unlike any other of the kind; fit for a file's name.
    package let key: String

    package init(_ kind: Kind, key: String) {
        self.kind = kind
        self.key = key
    }

    package static func account(_ directory: String) -> Self { Self(.account, key: authority(directory)) }
    package static func certificate(_ id: String) -> Self { Self(.certificate, key: id) }
    package static func order(_ id: String, directory: String) -> Self { Self(.order, key: "\(id)@\(authority(directory))") }
    package static let history = Self(.history, key: "history")

    package var description: String { kind == .history ? key : "\(kind.rawValue) \(key)" }
}
