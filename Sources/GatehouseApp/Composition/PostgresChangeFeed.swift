import GateIdentity
import GatePostgres

/// Instances on one Postgres: its triggers tell of every change in the transaction that makes it, so there is nothing left to publish.
///
/// Where nobody can listen, behind a pooler, the table in which the triggers keep what they tell is asked instead.
struct PostgresChangeFeed: ChangeFeed {
    let database: PostgresDatabase
    /// What they tell of certificates, which is no business of accounts.
    let certificates: CertificateBell

    var isShared: Bool { true }

    func publish(_ changes: [IdentityChange]) async throws {}

    func follow(_ follower: @escaping @Sendable (ChangeFeedEvent) -> Void) async {
        await database.listen("gatehouse_changes", orAsk: Self.news) { event in
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

    /// See ``NotificationPoll``. More than 5000 at once stand for everything.
    private static let news: StaticString = """
        SELECT pg_postmaster_start_time()::text, (EXTRACT(EPOCH FROM now()) * 1000)::bigint,
            pg_snapshot_xmin(pg_current_snapshot())::text, c.xact::text, c.change
        FROM (SELECT 1) AS always LEFT JOIN changes c ON c.xact >= ?1::text::xid8
        ORDER BY c.xact LIMIT 5001
        """
}
