import GateCore

/// What follows from asking a table for news again and again, where nobody can listen.
///
/// The question's parameter is the mark of the answer before (null at first), and each row of its answer has five columns: which server
/// answered, the milliseconds of its clock, the new mark, and a notification with the transaction that made it, null where there is none. The
/// mark is the oldest transaction that was not over when the server looked (`pg_snapshot_xmin`): what is told from there on next time holds all
/// that was committed meanwhile, whatever the order. While a transaction is long open the same is answered again and again, and left out
/// here: what one transaction made becomes visible all at once.
struct NotificationPoll {
    /// So many rows at once are not all: whoever gets them has to read everything.
    static let limit = 5001

    /// After so long without a question, by the server's clock, what was told meanwhile may have been deleted. Our own clock stands still while
    /// the machine is suspended, and so would not tell.
    static let longestPause = Duration.seconds(5)

    struct News {
        var transaction: String
        var words: String
    }

    struct Answer {
        var server: String
        /// The server's clock, in milliseconds.
        var moment: Int64
        var mark: String
        var news: [News]
    }

    private var server: String?
    private var moment: Int64 = 0
    /// Whose news the answer before held, and were told: fewer than ``limit``.
    private var told: Set<String> = []
    /// For the next question.
    private(set) var mark: String?

    /// Takes an answer to what was asked at `asked`.
    ///
    /// Another server, or the same one started again, counts its transactions anew: a standby that was promoted may give numbers that were given
    /// before. So nothing is known of what it did until now.
    mutating func take(_ answer: Answer, asked: MonotonicInstant) -> [NotificationEvent] {
        defer {
            server = answer.server
            moment = answer.moment
            mark = answer.mark
        }
        let before = told
        told = []
        guard let server else { return [.began(asked)] }
        let pause = Duration.milliseconds(answer.moment.subtractingReportingOverflow(moment).partialValue)
        guard server == answer.server, pause <= Self.longestPause, answer.news.count < Self.limit else { return [.lost, .began(asked)] }
        told = Set(answer.news.map(\.transaction))
        return answer.news.filter { !before.contains($0.transaction) }.map { .notification($0.words) } + [.current(asOf: asked)]
    }

    /// The connection is gone.
    mutating func lose() -> [NotificationEvent] {
        defer { self = NotificationPoll() }
        return server == nil ? [] : [.lost]
    }
}
