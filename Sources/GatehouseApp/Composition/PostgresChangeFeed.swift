import GateIdentity
import GatePostgres

/// Instances on one Postgres: its triggers tell of every change in the transaction that makes it, so there is nothing left to publish.
struct PostgresChangeFeed: ChangeFeed {
    let database: PostgresDatabase
    /// What they tell of certificates, which is no business of accounts.
    let certificates: CertificateBell

    var isShared: Bool { true }

    func publish(_ changes: [IdentityChange]) async throws {}

    func follow(_ follower: @escaping @Sendable (ChangeFeedEvent) -> Void) async {
        await database.listen("gatehouse_changes") { event in
            switch event {
            case .began(let moment): follower(.began(moment))
            case .notification("certificates"): certificates.ring()
            case .notification(let text):
                for change in IdentityChange.all(in: text) { follower(.change(change)) }
            case .current(let moment): follower(.current(asOf: moment))
            case .lost: follower(.lost)
            }
        }
    }
}
