/// What a transaction begins with: its level, and settings that end with it. They belong to the transaction and not to the session: behind a
/// pooler the session is another's next.
struct TransactionBeginning: Sendable {
    /// `BEGIN …`
    let begin: String
    /// A query without parameters that makes the settings, all in one.
    let settings: String
    /// Under which `settings` is prepared.
    let name: String

    init(_ level: String, _ settings: [(name: String, value: String)]) {
        begin = "BEGIN ISOLATION LEVEL \(level)"
        self.settings = "SELECT " + settings.map { "set_config('\($0.name)', '\($0.value)', true)" }.joined(separator: ", ")
        name = PreparedStatements.name(self.settings)
    }

    /// Both, for the simple protocol.
    var script: String { begin + "; " + settings }
}
