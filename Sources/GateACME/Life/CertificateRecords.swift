import GateCore
import GateCrypto

/// The records of a store as what they hold.
///
/// One that cannot be understood is set aside under another name, so that its content is not lost to what is written next.
package struct CertificateRecords: Sendable {
    package let store: any CertificateStore

    package init(_ store: any CertificateStore) { self.store = store }

    /// What became of reading a record.
    struct Loaded<Value> {
        var value: Value?
        /// It is there, and was not read: it must not be overwritten.
        var isBlocked = false
        var event: CertificateEvent?
    }

    func certificate(_ id: String, draw: Double, at now: Timestamp) async -> Loaded<StoredCertificate> {
        await load(.certificate(id), at: now) { content throws(Damage) in
            do throws(CertificateError) {
                return try StoredCertificate(file: content, draw: draw)
            } catch {
                throw Damage(reason: error.description)
            }
        }
    }

    func save(_ certificate: StoredCertificate, id: String) async throws(StoreFailure) {
        try await store.save(certificate.file, as: .certificate(id))
    }

    func account(_ directory: String, externalAccount: ACMEAccount.ExternalAccount?, at now: Timestamp) async -> Loaded<ACMEAccount> {
        await load(.account(directory), at: now) { content throws(Damage) in
            guard let account = ACMEAccount(json: try Self.json(content), externalAccount: externalAccount) else {
                throw Damage(reason: "it holds no account with its key")
            }
            return account
        }
    }

    func save(_ account: ACMEAccount, directory: String) async throws(StoreFailure) {
        try await store.save(Secret(account.json.bytes), as: .account(directory))
    }

    func order(_ id: String, directory: String, at now: Timestamp) async -> Loaded<SavedOrder> {
        await load(.order(id, directory: directory), at: now) { content throws(Damage) in
            guard let order = SavedOrder(json: try Self.json(content)) else { throw Damage(reason: "it holds no order") }
            return order
        }
    }

    func save(_ order: SavedOrder, id: String, directory: String) async throws(StoreFailure) {
        try await store.save(Secret(order.json.bytes), as: .order(id, directory: directory))
    }

    /// An order that is found again is asked about at the authority, which knows that it is over.
    func forgetOrder(_ id: String, directory: String) async { try? await store.remove(.order(id, directory: directory)) }

    func history(at now: Timestamp) async -> Loaded<JSON> {
        await load(.history, at: now) { content throws(Damage) in
            let json = try Self.json(content)
            guard json.members != nil else { throw Damage(reason: "it holds no history") }
            return json
        }
    }

    func saveHistory(_ history: JSON) async throws(StoreFailure) { try await store.save(Secret(history.bytes), as: .history) }

    /// The URL of the account with an authority, for those who only look: a record that cannot be understood stays where it is.
    ///
    /// - Returns: `nil` where no account is registered, or where it cannot be read.
    package func accountURL(_ directory: String) async -> String? {
        guard let content = try? await store.load(.account(directory)) else { return nil }
        return (try? JSON(parsing: content.exposed))?["url"]?.string
    }

    private struct Damage: Error { let reason: String }

    private static func json(_ content: Secret) throws(Damage) -> JSON {
        do throws(JSONSyntaxError) { return try JSON(parsing: content.exposed) } catch { throw Damage(reason: "\(error)") }
    }

    private func load<Value>(
        _ record: CertificateRecord, at now: Timestamp, _ parse: (Secret) throws(Damage) -> Value
    ) async -> Loaded<Value> {
        let content: Secret?
        do throws(StoreFailure) { content = try await store.load(record) } catch {
            return Loaded(isBlocked: true, event: .unreadable(path: error.path, reason: error.description))
        }
        guard let content else { return Loaded() }
        do throws(Damage) {
            return Loaded(value: try parse(content))
        } catch {
            do throws(StoreFailure) {
                let (path, aside) = try await store.setAside(record, at: now)
                return Loaded(event: .setAside(path: path, to: aside, reason: error.reason))
            } catch let failure {
                return Loaded(
                    isBlocked: true, event: .unreadable(path: failure.path, reason: "\(error.reason); and it \(failure.problem)"))
            }
        }
    }
}
